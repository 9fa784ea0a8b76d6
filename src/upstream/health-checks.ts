// Keeps one health check running for each target that an upstream has at present.
import type { Clock } from '../base/clock.ts'
import { type HealthCheck, type HealthCheckSettings, startHealthCheck } from './health-check.ts'
import type { Target } from './target.ts'

export interface HealthChecks {
  /** The targets that are checked from now on; those that stay go on as they are. */
  replace(targets: readonly Target[]): void
  /** Checks so far, by how they went. */
  counts(): { readonly success: number; readonly failure: number }
  stop(): void
}

export interface HealthChecksPorts {
  readonly clock: Pick<Clock, 'after'>
  readonly random: () => number
  /** The same target over connections of its own: a check takes no request's place. */
  readonly createProbe: (target: Target) => Target
  readonly settled: (target: Target, isHealthy: boolean, why: string) => void
}

export function createHealthChecks(
  settings: HealthCheckSettings,
  { clock, random, createProbe, settled }: HealthChecksPorts,
): HealthChecks {
  const running = new Map<Target, { readonly check: HealthCheck; readonly probe: Target }>()
  const counts = { success: 0, failure: 0 }

  function start(target: Target): void {
    const probe = createProbe(target)
    const check = startHealthCheck(probe, settings, {
      clock,
      random,
      checked: (problem) => counts[problem === '' ? 'success' : 'failure']++,
      settled: (isHealthy, why) => settled(target, isHealthy, why),
    })
    running.set(target, { check, probe })
  }

  function stopAllBut(present: ReadonlySet<Target>): void {
    for (const [target, { check, probe }] of running) {
      if (present.has(target)) continue
      check.stop()
      void probe.destroy()
      running.delete(target)
    }
  }

  return {
    replace(targets) {
      stopAllBut(new Set(targets))
      for (const target of targets) if (!running.has(target)) start(target)
    },
    counts: () => ({ ...counts }),
    stop: () => stopAllBut(new Set()),
  }
}
