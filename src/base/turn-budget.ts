// Divides long work among the turns of the event loop, so that what is short is not kept waiting by any amount of it.

export interface TurnBudget {
  /** True when it may be done in this turn; whoever waits already goes first. */
  take(): boolean
  /** Resolves in the turn in which it may be done; undefined when too many wait. */
  wait(): Promise<void> | undefined
}

/**
 * @param perTurn pieces of work that are done in one turn
 * @param maxWaiting pieces of work that may wait for a later one
 */
export function createTurnBudget(perTurn: number, maxWaiting: number): TurnBudget {
  const waiting: (() => void)[] = []
  let left = perTurn
  let isTurning = false

  function turn(): void {
    const next = waiting.splice(0, perTurn)
    left = perTurn - next.length
    isTurning = false
    if (next.length > 0) nextTurn()
    for (const resolve of next) resolve()
  }

  function nextTurn(): void {
    if (isTurning) return
    isTurning = true
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
