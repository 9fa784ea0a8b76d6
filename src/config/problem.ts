// A located problem of a configuration file, and how it is shown. Holds source text only, never a substituted value.

export interface Problem {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** Such as `routes[0].match.path`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
  /** The source line with a caret under the place. */
  readonly snippet: string
}

/** A step into the configuration: a mapping's key or a list's index. */
export type ConfigPath = readonly (string | number)[]

/** A configuration that cannot be used, with every problem found in it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[]) {
    super(problems.map(toProblemText).join('\n'))
    this.problems = problems
  }
}

/** `FILE:LINE:COL: path: message`, then the snippet. */
export function toProblemText(problem: Problem): string {
  const { file, line, column, path, message, snippet } = problem
  const head = [`${file}:${line}:${column}`, path, message].filter((part) => part !== '').join(': ')
  return snippet === '' ? head : `${head}\n${snippet}`
}

/** `routes[0].access.claims["custom:tenant"]` */
export function toPathText(path: ConfigPath): string {
  return path.reduce<string>((text, step) => text + toStepText(step, text === ''), '')
}

function toStepText(step: string | number, first: boolean): string {
  if (typeof step === 'number') return `[${step}]`
  if (!/^[\w-]+$/.test(step)) return `[${JSON.stringify(step)}]`
  return first ? step : `.${step}`
}
