// Divides long work among the turns of the event loop, so that what is short is not kept waiting by any amount of it.
import type { Clock } from './clock.ts'

export interface TurnBudget {
  /** True when it may be done in this turn; whoever waits already goes first. */
  take(): boolean
  /** Resolves in the turn in which it may be done; undefined when too many wait. */
  wait(): Promise<void> | undefined
}

export interface TurnBudgetSettings {
  /** Pieces of work that are done in one turn at least. */
  readonly perTurn: number
  /** More for each millisecond that other work took in the last turn: where there is much of it, turns are long and few. */
  readonly perMs: number
  /** But never more than so many. */
  readonly mostPerTurn: number
  /** Pieces of work that may wait for a later turn. */
  readonly maxWaiting: number
}

export function createTurnBudget(
  { perTurn, perMs, mostPerTurn, maxWaiting }: TurnBudgetSettings,
  clock: Pick<Clock, 'monotonic'>,
): TurnBudget {
  const waiting: (() => void)[] = []
  let left = perTurn
  let isTurning = false
  let begunMs = 0

  function turn(): void {
    const earned = Math.floor((clock.monotonic() - begunMs) * perMs)
    const next = waiting.splice(0, Math.max(perTurn, Math.min(earned, mostPerTurn)))
    left = Math.max(0, perTurn - next.length)
    isTurning = false
    if (next.length > 0) nextTurn()
    for (const resolve of next) resolve()
    // Behind what was resolved: the work itself must not earn more of it.
    queueMicrotask(() => {
      begunMs = clock.monotonic()
    })
  }

  function nextTurn(): void {
    if (isTurning) return
    isTurning = true
    begunMs = clock.monotonic()
    setImmediate(turn)
  }

  return {
    take() {
      if (left === 0 || waiting.length > 0) return false
      left--
      nextTurn()
      return true
    },
    wait() {
      if (waiting.length >= maxWaiting) return undefined
      nextTurn()
      return new Promise((resolve) => waiting.push(resolve))
    },
  }
}
