// Spreads calls over time, so that a quota of so many a second is kept. Whoever would have to wait too long does not begin to.
import type { Clock } from './clock.ts'

export interface TokenBucket {
  /** Milliseconds to wait before the call that takes this place; undefined, and no place taken, where that is more than `mostMs`. */
  take(mostMs: number): number | undefined
}

/** So many a second, and as many at once after a quiet second. */
export function createTokenBucket(perSecond: number, clock: Pick<Clock, 'monotonic'>): TokenBucket {
  const stepMs = 1_000 / perSecond
  /** When the next place would be due if none were saved up. */
  let dueMs = Number.NEGATIVE_INFINITY
  return {
    take(mostMs) {
      const now = clock.monotonic()
      const next = Math.max(dueMs, now - 1_000 + stepMs)
      const waitMs = Math.max(0, next - now)
      if (waitMs > mostMs) return undefined
      dueMs = next + stepMs
      return waitMs
    },
  }
}
