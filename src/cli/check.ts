// poolgate check: validates a configuration and shows every problem at its place. Starts and fetches nothing.
import type { LoadedConfig, PrintableConfig } from '../config/load.ts'
import { ConfigError, type Problem, toProblemText } from '../config/problem.ts'
import type { CommandContext, ExitCode } from './command-context.ts'
import { findMissing, type Flags, loadFileOrFlags } from './flags-config.ts'

export interface CheckOptions {
  /** Undefined: what the flags stand for. */
  readonly file?: string | undefined
  readonly flags?: Flags | undefined
  /** Print the effective configuration. */
  readonly print?: boolean | undefined
  readonly format?: 'text' | 'json' | undefined
}

/** Problems beyond the text, such as routes that could tie or files that are not there. */
export type FindProblems = (loaded: LoadedConfig) => readonly Problem[]

interface Outcome {
  readonly loaded?: PrintableConfig
  readonly problems: readonly Problem[]
}

export async function check(
  options: CheckOptions,
  context: CommandContext,
  findProblems: FindProblems = () => [],
): Promise<ExitCode> {
  const { file, flags = {} } = options
  const missing = file === undefined ? findMissing(flags, context.env) : undefined
  if (missing !== undefined) {
    context.stderr(`name a configuration file, or give ${missing}\n`)
    return 2
  }
  const outcome = toOutcome(options, context.env, findProblems)
  if (options.format === 'json') context.stdout(toJson(outcome, options.print === true))
  else report(outcome, options.print === true, context)
  return outcome.problems.length === 0 ? 0 : 1
}

function toOutcome(
  { file, flags = {} }: CheckOptions,
  env: CommandContext['env'],
  findProblems: FindProblems,
): Outcome {
  try {
    const loaded = loadFileOrFlags(file, flags, env)
    return { loaded, problems: findProblems(loaded) }
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems }
    throw error
  }
}

function report({ loaded, problems }: Outcome, print: boolean, { stdout, stderr }: CommandContext) {
  for (const problem of problems) stderr(`${toProblemText(problem)}\n`)
  for (const { message, ...place } of loaded?.warnings ?? []) {
    stderr(`${toProblemText({ ...place, message: `warning: ${message}` })}\n`)
  }
  if (loaded === undefined || problems.length > 0) {
    stderr(`${count(problems.length, 'problem')}\n`)
  } else {
    stdout(print ? loaded.toYaml() : `fine: ${toSummary(loaded)}\n`)
  }
}

function toSummary({ config }: LoadedConfig): string {
  const pools = Object.keys(config.userPools).length
  const sessions = Object.keys(config.sessions).length
  const upstreams = Object.keys(config.upstreams).length
  return [
    count(config.routes.length, 'route'),
    count(pools, 'user pool'),
    ...(sessions > 0 ? [count(sessions, 'session')] : []),
    count(upstreams, 'upstream'),
  ].join(', ')
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

function toJson({ loaded, problems }: Outcome, print: boolean): string {
  const ok = problems.length === 0
  const yaml = print && ok ? loaded?.toYaml() : undefined
  return `${JSON.stringify({ ok, problems, warnings: loaded?.warnings ?? [], yaml }, null, 2)}\n`
}
