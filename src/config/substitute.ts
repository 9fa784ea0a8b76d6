// Replaces ${…} in one scalar's text. What comes out may be secret: problems name the reference, never a value.

/** Where references lead; undefined: not there. */
export interface Lookups {
  env(name: string): string | undefined
  /** The text of a file, or why it cannot be had. */
  file(path: string): string | { readonly problem: string }
}

const REFERENCE = /\$\$|\$\{([^}]*)\}|\$\{/g
const VARIABLE = /^(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::([-?])([\s\S]*))?$/
const FORMS = `\${VAR}, \${VAR:-default}, \${VAR:?message} or \${file:/path}; $$ stands for a plain $`

/** Whether the text holds anything that `substitute` replaces. */
export function hasReference(text: string): boolean {
  return text.search(REFERENCE) !== -1
}

/**
 * Every reference is replaced once, what it stands for is not looked into again. A variable that is set to nothing
 * counts as unset where a default or a message is given.
 */
export function substitute(
  text: string,
  lookups: Lookups,
): { readonly text: string } | { readonly problem: string } {
  let problem: string | undefined
  const result = text.replace(REFERENCE, (reference, body: string | undefined) => {
    if (reference === '$$') return '$'
    const value = resolve(body, lookups)
    if (typeof value === 'string') return value
    problem ??= value.problem
    return ''
  })
  return problem === undefined ? { text: result } : { problem }
}

function resolve(
  body: string | undefined,
  lookups: Lookups,
): string | { readonly problem: string } {
  if (body === undefined) return { problem: `expected } after \${; the forms are ${FORMS}` }
  if (body.startsWith('file:/')) return resolveFile(body.slice('file:'.length), lookups)
  const [, name, operator, operand = ''] = VARIABLE.exec(body) ?? []
  if (name === undefined) return { problem: `expected ${FORMS}` }
  const value = lookups.env(name)
  if (operator === undefined) return value ?? { problem: unset(name) }
  if (value !== undefined && value !== '') return value
  return operator === '-' ? operand : { problem: `\${${name}} is not set: ${operand}` }
}

function resolveFile(path: string, lookups: Lookups): string | { readonly problem: string } {
  const content = lookups.file(path)
  return typeof content === 'string' ? content.replace(/\r?\n$/, '') : content
}

function unset(name: string): string {
  return `the environment variable ${name} is not set; set it, or give a default: \${${name}:-value}`
}
