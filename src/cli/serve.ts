// `poolgate serve`: runs the gateway until SIGTERM or SIGINT; SIGHUP reads the configuration again.
import { findFileProblems } from '../config/find-file-problems.ts'
import { ConfigError, type LoadedConfig } from '../config/load.ts'
import { needsRestart } from '../config/needs-restart.ts'
import { type Problem, toProblemText } from '../config/problem.ts'
import { createGateway, findRouteProblems, type Gateway } from '../gateway.ts'
import type { CommandContext, ExitCode } from './command-context.ts'

/** `load` reads the configuration anew each time; it throws ConfigError. */
export async function serve(load: () => LoadedConfig, context: CommandContext): Promise<ExitCode> {
  const loaded = loadChecked(load, context, findServeProblems)
  if (loaded === undefined) return 1
  try {
    const gateway = createGateway(loaded, { clock: context.clock, version: context.version })
    const stopped = stopOnSignal(gateway, loaded, load, context)
    await gateway.start()
    await stopped
    return 0
  } catch (error) {
    context.stderr(`cannot start: ${(error as Error).message}\n`)
    return 1
  }
}

/** Resolves once a signal has stopped the gateway. */
function stopOnSignal(
  gateway: Gateway,
  { config }: LoadedConfig,
  load: () => LoadedConfig,
  context: CommandContext,
): Promise<void> {
  context.onSignal('SIGHUP', () => {
    const next = loadChecked(load, context, findServeProblems)
    if (next === undefined) return
    gateway.reload(next)
    const late = needsRestart(config, next.config)
    if (late.length === 0) return
    context.stderr(`warning: ${late.join(', ')}: changed, but in force only after a restart\n`)
  })
  return new Promise((resolve, reject) => {
    const stop = () => void gateway.stop().then(resolve, reject)
    context.onSignal('SIGTERM', stop)
    context.onSignal('SIGINT', stop)
  })
}

/** Problems that show only beyond the text: in how routes lie to one another, and in the files it names. */
export function findServeProblems(loaded: LoadedConfig): readonly Problem[] {
  return [...findRouteProblems(loaded), ...findFileProblems(loaded)]
}

/** Undefined after every problem has been told. */
export function loadChecked(
  load: () => LoadedConfig,
  context: CommandContext,
  findProblems: (loaded: LoadedConfig) => readonly Problem[] = findRouteProblems,
): LoadedConfig | undefined {
  try {
    const loaded = load()
    for (const warning of loaded.warnings) context.stderr(`warning: ${toProblemText(warning)}\n`)
    const problems = findProblems(loaded)
    if (problems.length > 0) throw new ConfigError(problems)
    return loaded
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    context.stderr(error.problems.map((problem) => `${toProblemText(problem)}\n`).join(''))
    return undefined
  }
}
