// What the log says of keys and targets: when something begins to fail, when it is well again, and what is left out.
import type { Log } from '../telemetry/log.ts'
import type { RulesetPorts } from './ruleset.ts'

export function logRuleset(
  log: Pick<Log, 'info' | 'warn'>,
): Pick<
  RulesetPorts,
  'keysChanged' | 'discovered' | 'healthChanged' | 'credentialsChanged' | 'sessionsChanged'
> {
  return {
    keysChanged(userPool, problem) {
      if (problem === undefined) log.info({ user_pool: userPool }, 'keys fetched')
      else log.warn({ user_pool: userPool, problem }, 'keys cannot be fetched')
    },
    credentialsChanged(identityPool, problem) {
      const about = { identity_pool: identityPool }
      if (problem === undefined) log.info(about, 'credentials are given again')
      else log.warn({ ...about, problem }, 'credentials cannot be had')
    },
    sessionsChanged(session, part, problem) {
      if (problem === undefined) log.info({ session, part }, 'sessions are well again')
      else log.warn({ session, part, problem }, 'sessions cannot be kept or renewed')
    },
    discovered(upstream, event) {
      if (event.kind === 'found') {
        log.info({ upstream, targets: event.targets }, 'targets discovered')
      } else if (event.kind === 'failing') {
        log.warn({ upstream, problem: event.problem }, 'targets cannot be discovered')
      } else log.warn({ upstream, left_out: event.what }, 'what was discovered is left out')
    },
    healthChanged(upstream, target, state, why) {
      if (state === 'healthy') log.info({ upstream, target, state }, 'target is healthy')
      else log.warn({ upstream, target, state, why }, `target is ${state}`)
    },
  }
}
