// Keeps requests from targets that fail them, for a while (passive health). Never from more than half of the targets.
import type { Clock, Timer } from '../base/clock.ts'

export interface EjectionSettings {
  /** Failures in a row that eject a target; 0 for never. */
  readonly failures: number
  /** How long for: so much the first time, twice as much the second … */
  readonly timeMs: number
  /** … and never more than this. */
  readonly maxTimeMs: number
}

export interface Ejections<T> {
  /** The targets from now on; those that stay keep their health. */
  replace(targets: readonly T[]): void
  /** Targets that may have requests: at least half of all. */
  candidates(): readonly T[]
  /** A target that is gone is passed over. */
  succeeded(target: T): void
  failed(target: T): void
  stop(): void
}

interface Health {
  failures: number
  ejections: number
  /** Runs while it is ejected. */
  timer: Timer | undefined
}

export function createEjections<T>(
  settings: EjectionSettings,
  clock: Pick<Clock, 'after'>,
): Ejections<T> {
  const health = new Map<T, Health>()
  let targets: readonly T[] = []
  let candidates = targets

  function recount(): void {
    candidates = targets.filter((target) => health.get(target)?.timer === undefined)
  }

  /** It is tried again, and has to fail as often as before to be ejected again. */
  function readmit(own: Health): void {
    own.timer?.cancel()
    own.timer = undefined
    own.failures = 0
    recount()
  }

  function eject(own: Health): void {
    own.ejections++
    const timeMs = Math.min(settings.timeMs * own.ejections, settings.maxTimeMs)
    own.timer = clock.after(timeMs, () => readmit(own))
    recount()
  }

  /** How many more may be ejected; less than none where targets have gone. */
  const room = () => Math.floor(targets.length / 2) - (targets.length - candidates.length)

  return {
    replace(next) {
      const present = new Set(next)
      for (const [target, own] of health) {
        if (present.has(target)) continue
        own.timer?.cancel()
        health.delete(target)
      }
      for (const target of next) {
        if (!health.has(target)) health.set(target, { failures: 0, ejections: 0, timer: undefined })
      }
      targets = next
      recount()
      // Half of many may be more than half of few.
      for (const own of health.values()) if (own.timer !== undefined && room() < 0) readmit(own)
    },
    candidates: () => candidates,
    succeeded(target) {
      const own = health.get(target)
      if (own === undefined) return
      own.failures = 0
      if (own.timer === undefined) own.ejections = 0
    },
    failed(target) {
      const own = health.get(target)
      if (own === undefined) return
      own.failures++
      const isEnough = settings.failures > 0 && own.failures >= settings.failures
      if (isEnough && own.timer === undefined && room() > 0) eject(own)
    },
    stop() {
      for (const own of health.values()) own.timer?.cancel()
    },
  }
}
