// What the log says of looking for targets: when it begins to fail, when it succeeds again, and what is left out.
import type { DiscoveryEvent } from './discovery.ts'

interface Log {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
}

export function logDiscovery(log: Log, upstream: string, event: DiscoveryEvent): void {
  if (event.kind === 'found') log.info({ upstream, targets: event.targets }, 'targets discovered')
  else if (event.kind === 'failing') {
    log.warn({ upstream, problem: event.problem }, 'targets cannot be discovered')
  } else log.warn({ upstream, left_out: event.what }, 'what was discovered is left out')
}
