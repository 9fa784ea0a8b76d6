// Which targets may have requests: what requests tell of them (ejection) and what checks tell of them, in one place. Never none.
import type { Clock, Timer } from '../base/clock.ts'

export interface EjectionSettings {
  /** Failures in a row that eject a target; 0 for never. */
  readonly failures: number
  /** How long for: so much the first time, twice as much the second … */
  readonly timeMs: number
  /** … and never more than this. */
  readonly maxTimeMs: number
}

/** `unchecked`: there are checks, and it has come too lately to have passed one. */
export type TargetState = 'healthy' | 'unchecked' | 'ejected' | 'unhealthy'

export interface TargetHealthPorts<T> {
  readonly clock: Pick<Clock, 'after' | 'now'>
  /** A target is in another state; `why` says what it failed by. */
  readonly changed: (target: T, state: TargetState, why: string) => void
}

export interface StateOf {
  readonly state: TargetState
  /** Wall clock in milliseconds. */
  readonly sinceMs: number
  /** What it failed by the last time; '' where it never did. */
  readonly lastFailure: string
}

export interface TargetHealth<T> {
  /** The targets from now on; those that stay keep their health. */
  replace(targets: readonly T[]): void
  /** Targets that may have requests: the healthy ones, or where there are none those not checked yet, or else all. */
  candidates(): readonly T[]
  /** What a request says. A target that is gone is passed over, here and below. */
  succeeded(target: T): void
  failed(target: T, why: string): void
  /** What checks say. */
  checked(target: T, isHealthy: boolean, why: string): void
  /** Of one of the present targets. */
  stateOf(target: T): StateOf
  /** Whether targets get requests that should not, because no other is left. */
  isPanicking(): boolean
  /** Targets in each state. */
  states(): Readonly<Record<TargetState, number>>
  /** Ejections so far. */
  ejections(): number
  stop(): void
}

interface Health {
  failures: number
  ejections: number
  /** Runs while it is ejected. */
  timer: Timer | undefined
  /** Undefined before its first check. */
  isFit: boolean | undefined
  state: TargetState
  sinceMs: number
  lastFailure: string
}

/** @param hasChecks whether `checked` will be called: a new target then has to pass one before it is preferred */
export function createTargetHealth<T>(
  settings: EjectionSettings,
  hasChecks: boolean,
  { clock, changed }: TargetHealthPorts<T>,
): TargetHealth<T> {
  const health = new Map<T, Health>()
  let targets: readonly T[] = []
  let candidates = targets
  let isPanicking = false
  let ejections = 0

  const inState = (state: TargetState) =>
    targets.filter((target) => health.get(target)?.state === state)

  function recount(): void {
    const healthy = inState('healthy')
    const preferred = healthy.length > 0 ? healthy : inState('unchecked')
    isPanicking = preferred.length === 0 && targets.length > 0
    candidates = isPanicking ? targets : preferred
  }

  function settle(target: T, own: Health, why = ''): void {
    const state = toState(own)
    if (state === own.state) return
    own.state = state
    own.sinceMs = clock.now()
    recount()
    changed(target, state, why)
  }

  /** It is tried again, and has to fail as often as before to be ejected again. */
  function readmit(target: T, own: Health): void {
    own.timer?.cancel()
    own.timer = undefined
    own.failures = 0
    settle(target, own)
  }

  function eject(target: T, own: Health): void {
    ejections++
    own.ejections++
    const timeMs = Math.min(settings.timeMs * own.ejections, settings.maxTimeMs)
    own.timer = clock.after(timeMs, () => readmit(target, own))
    settle(target, own, `${own.failures} failures in a row: ${own.lastFailure}`)
  }

  const ejected = () => [...health.values()].filter(({ timer }) => timer !== undefined).length
  /** How many more may be ejected; less than none where targets have gone. */
  const room = () => Math.floor(targets.length / 2) - ejected()
  const isLast = (target: T) => candidates.length === 1 && candidates[0] === target

  function forgetAllBut(present: ReadonlySet<T>): void {
    for (const [target, own] of health) {
      if (present.has(target)) continue
      own.timer?.cancel()
      health.delete(target)
    }
  }

  return {
    replace(next) {
      forgetAllBut(new Set(next))
      const sinceMs = clock.now()
      for (const target of next) {
        if (!health.has(target)) health.set(target, toNew(hasChecks ? undefined : true, sinceMs))
      }
      targets = next
      recount()
      // Half of many may be more than half of few.
      for (const [target, own] of health) {
        if (own.timer !== undefined && room() < 0) readmit(target, own)
      }
    },
    candidates: () => candidates,
    succeeded(target) {
      const own = health.get(target)
      if (own === undefined) return
      own.failures = 0
      if (own.timer === undefined) own.ejections = 0
    },
    failed(target, why) {
      const own = health.get(target)
      if (own === undefined) return
      own.failures++
      own.lastFailure = why
      const isEnough = settings.failures > 0 && own.failures >= settings.failures
      if (isEnough && own.timer === undefined && room() > 0 && !isLast(target)) eject(target, own)
    },
    checked(target, isHealthy, why) {
      const own = health.get(target)
      if (own === undefined) return
      own.isFit = isHealthy
      if (!isHealthy) own.lastFailure = why
      settle(target, own, why)
    },
    stateOf(target) {
      const { state, sinceMs, lastFailure } = health.get(target) as Health
      return { state, sinceMs, lastFailure }
    },
    states() {
      const counts = { healthy: 0, unchecked: 0, ejected: 0, unhealthy: 0 }
      for (const { state } of health.values()) counts[state]++
      return counts
    },
    isPanicking: () => isPanicking,
    ejections: () => ejections,
    stop() {
      for (const own of health.values()) own.timer?.cancel()
    },
  }
}

function toNew(isFit: true | undefined, sinceMs: number): Health {
  const state = isFit ? 'healthy' : 'unchecked'
  const none = { failures: 0, ejections: 0, timer: undefined, lastFailure: '' }
  return { ...none, isFit, state, sinceMs }
}

function toState({ isFit, timer }: Health): TargetState {
  if (isFit === false) return 'unhealthy'
  if (timer !== undefined) return 'ejected'
  return isFit ? 'healthy' : 'unchecked'
}
