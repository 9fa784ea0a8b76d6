// Translates the schema library's complaints into findings; the only place that knows their shapes.
import type { z } from 'zod'
import { kindOf } from './fields.ts'
import { knownKeys, toJsonSchema } from './json-schema.ts'
import type { ConfigPath } from './problem.ts'
import { didYouMean } from './suggest.ts'
import type { Finding } from './yaml-source.ts'

type Issue = z.core.$ZodIssue

/** Messages of schemas that bring none of their own. */
export function toDefaultMessage(issue: z.core.$ZodRawIssue): string {
  if (issue.code !== 'invalid_type') return `is not valid (${issue.code})`
  const what = KINDS[String(issue.expected)] ?? String(issue.expected)
  if (issue.input === undefined) return `is required: expected ${what}`
  return `expected ${what}, found ${kindOf(issue.input)}`
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'text',
  number: 'a number',
}

/** @param base where the value that was parsed stands */
export function toFindings(issues: readonly Issue[], base: ConfigPath = []): Finding[] {
  return issues.flatMap((issue) => {
    const path = [
      ...base,
      ...issue.path.map((step) => (typeof step === 'number' ? step : String(step))),
    ]
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key))
    if (issue.code === 'invalid_key') {
      const message = issue.issues[0]?.message ?? issue.message
      return [{ path, message, part: 'key' as const }]
    }
    const meant = issue.code === 'invalid_union' ? meantBranch(issue.errors) : undefined
    return meant ? toFindings(meant, path) : [{ path, message: issue.message }]
  })
}

/** The one branch of a choice whose kind the value has: its complaints say more than "none of these". */
function meantBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const meant = branches.filter((issues) => !issues.some(isWrongKind))
  return meant.length === 1 ? meant[0] : undefined
}

function isWrongKind({ code, path }: Issue): boolean {
  return path.length === 0 && ['invalid_type', 'invalid_value', 'invalid_union'].includes(code)
}

function unknownKey(path: ConfigPath, key: string): Finding {
  const hint = didYouMean(key, knownKeys(path, toJsonSchema()))
  return { path: [...path, key], message: `unknown key${hint}`, part: 'key' }
}
