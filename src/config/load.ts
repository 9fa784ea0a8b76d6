// From a file's text and the environment to a valid configuration, or every problem at once. Nothing is half loaded.
import { readFileSync, statSync } from 'node:fs'
import { checkRoutes } from './check-routes.ts'
import { checkAws } from './check-aws.ts'
import { checkSessions } from './check-sessions.ts'
import { checkSettings } from './check-settings.ts'
import { checkUpstreams } from './check-upstreams.ts'
import { findWarnings } from './find-warnings.ts'
import { asMapping } from './loose.ts'
import { printSettings } from './print-settings.ts'
import { ConfigError, type ConfigPath, type Problem } from './problem.ts'
import { readSettings, type Settings } from './read-settings.ts'
import { type Config, configSchema } from './schema.ts'
import type { Lookups } from './substitute.ts'
import { toDefaultMessage, toFindings } from './to-findings.ts'
import { type Finding, parseYamlSource } from './yaml-source.ts'

export { ConfigError, type Problem } from './problem.ts'

export interface LoadedConfig {
  readonly config: Config
  readonly warnings: readonly Problem[]
  /** A problem found later, at its place in the file. */
  problemAt(path: ConfigPath, message: string): Problem
}

export interface PrintableConfig extends LoadedConfig {
  /** Names of the environment variables that the file refers to. */
  readonly variables: ReadonlySet<string>
  /** The effective configuration as YAML: defaults filled in, references as they were written. */
  toYaml(): string
}

type Environment = Readonly<Record<string, string | undefined>>

/** Bytes of one ${file:…}. */
const MAX_FILE_BYTES = 64 * 1024

/** @param file its name, for problems only @throws ConfigError with every problem */
export function loadConfig(text: string, file: string, env: Environment): PrintableConfig {
  const source = parseYamlSource(text, file)
  if (!source.readable) throw new ConfigError(inOrder(source.problems))
  const variables = new Set<string>()
  const settings = readSettings(source.document, toLookups(env, variables))
  const parsed = configSchema.safeParse(settings.value, { error: toDefaultMessage })
  const findings = withoutFollowUps(settings, [
    ...toFindings(parsed.error?.issues ?? []),
    ...checkSettings(asMapping(settings.value)),
    ...checkSessions(asMapping(settings.value)),
    ...checkUpstreams(asMapping(settings.value)),
    ...checkAws(asMapping(settings.value)),
    ...checkRoutes(asMapping(settings.value)),
  ])
  const problems = inOrder([...source.problems, ...findings.map(source.toProblem)])
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems)
  const config = parsed.data
  return {
    config,
    variables,
    warnings: inOrder(findWarnings(config).map(source.toProblem)),
    problemAt: (path, message) => source.toProblem({ path, message }),
    toYaml: () => printSettings(settings.printable, config),
  }
}

/** @throws ConfigError with every problem, an unreadable file among them */
export function loadConfigFile(file: string, env: Environment): PrintableConfig {
  return loadConfig(readConfigFile(file), file, env)
}

function readConfigFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const message = `cannot be read (${toCode(error)})`
    throw new ConfigError([{ file, line: 1, column: 1, path: '', message, snippet: '' }])
  }
}

/** A reference that led nowhere is one problem, not also a missing setting. */
function withoutFollowUps({ findings }: Settings, others: readonly Finding[]): readonly Finding[] {
  const known = new Set(findings.map(({ path }) => JSON.stringify(path)))
  return [...findings, ...others.filter(({ path }) => !known.has(JSON.stringify(path)))]
}

/** In the file's order, each once. */
function inOrder(all: readonly Problem[]): readonly Problem[] {
  const unique = new Map(all.map((problem) => [JSON.stringify(problem), problem]))
  return [...unique.values()].sort((a, b) => a.line - b.line || a.column - b.column)
}

/** @param asked gets the name of every variable that is looked up */
function toLookups(env: Environment, asked: Set<string>): Lookups {
  return {
    env(name) {
      asked.add(name)
      return Object.hasOwn(env, name) ? env[name] : undefined
    },
    file: readSecretFile,
  }
}

function readSecretFile(path: string): string | { readonly problem: string } {
  try {
    if (statSync(path).size > MAX_FILE_BYTES) return { problem: 'the file is larger than 64KiB' }
    const content = readFileSync(path)
    if (content.length > MAX_FILE_BYTES) return { problem: 'the file is larger than 64KiB' }
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
  } catch (error) {
    return { problem: `the file cannot be read (${toCode(error)})` }
  }
}

function toCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
