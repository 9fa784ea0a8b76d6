// `poolgate serve`: runs the gateway until SIGTERM or SIGINT; SIGHUP reads the configuration again.
import { ConfigError, type LoadedConfig } from '../config/load.ts'
import { toProblemText } from '../config/problem.ts'
import { createGateway, findRouteProblems } from '../gateway.ts'
import type { CommandContext, ExitCode } from './command-context.ts'

/** `load` reads the configuration anew each time; it throws ConfigError. */
export async function serve(load: () => LoadedConfig, context: CommandContext): Promise<ExitCode> {
  const loaded = loadChecked(load, context)
  if (loaded === undefined) return 1
  const gateway = createGateway(loaded, { clock: context.clock, version: context.version })
  const stopped = new Promise<void>((resolve) => {
    const stop = () => void gateway.stop().then(resolve)
    context.onSignal('SIGTERM', stop)
    context.onSignal('SIGINT', stop)
    context.onSignal('SIGHUP', () => {
      const next = loadChecked(load, context)
      if (next !== undefined) gateway.reload(next)
    })
  })
  try {
    await gateway.start()
  } catch (error) {
    context.stderr(`cannot listen: ${(error as Error).message}\n`)
    return 1
  }
  await stopped
  return 0
}

/** Undefined after every problem has been told. */
export function loadChecked(
  load: () => LoadedConfig,
  context: CommandContext,
): LoadedConfig | undefined {
  try {
    const loaded = load()
    for (const warning of loaded.warnings) context.stderr(`warning: ${toProblemText(warning)}\n`)
    const problems = findRouteProblems(loaded)
    if (problems.length > 0) throw new ConfigError(problems)
    return loaded
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    context.stderr(error.problems.map((problem) => `${toProblemText(problem)}\n`).join(''))
    return undefined
  }
}
