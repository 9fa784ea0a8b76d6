// Keeps requests from targets that fail them, for a while (passive health). Never from more than half of the targets.
import type { Clock } from '../base/clock.ts'

export interface EjectionSettings {
  /** Failures in a row that eject a target; 0 for never. */
  readonly failures: number
  /** How long for: so much the first time, twice as much the second … */
  readonly timeMs: number
  /** … and never more than this. */
  readonly maxTimeMs: number
}

export interface Ejections<T> {
  /** Targets that may have requests: at least half of all. */
  candidates(): readonly T[]
  succeeded(target: T): void
  failed(target: T): void
  stop(): void
}

interface Health {
  failures: number
  ejections: number
  isEjected: boolean
}

export function createEjections<T>(
  targets: readonly T[],
  settings: EjectionSettings,
  clock: Pick<Clock, 'after'>,
): Ejections<T> {
  const most = Math.floor(targets.length / 2)
  const health = new Map<T, Health>(
    targets.map((target) => [target, { failures: 0, ejections: 0, isEjected: false }]),
  )
  const healthOf = (target: T) => health.get(target) as Health
  const timers = new Set<{ cancel(): void }>()
  let candidates = targets

  function recount(): void {
    candidates = targets.filter((target) => !healthOf(target).isEjected)
  }

  function eject(own: Health): void {
    own.ejections++
    own.isEjected = true
    recount()
    const timer = clock.after(Math.min(settings.timeMs * own.ejections, settings.maxTimeMs), () => {
      timers.delete(timer)
      // It is tried again, and has to fail as often as before to be ejected again.
      own.failures = 0
      own.isEjected = false
      recount()
    })
    timers.add(timer)
  }

  return {
    candidates: () => candidates,
    succeeded(target) {
      const own = healthOf(target)
      own.failures = 0
      if (!own.isEjected) own.ejections = 0
    },
    failed(target) {
      const own = healthOf(target)
      own.failures++
      const isEnough = settings.failures > 0 && own.failures >= settings.failures
      const ejected = targets.length - candidates.length
      if (isEnough && !own.isEjected && ejected < most) eject(own)
    },
    stop() {
      for (const timer of timers) timer.cancel()
    },
  }
}
