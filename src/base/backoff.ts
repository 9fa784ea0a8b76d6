// How long to wait before the next attempt at something that failed. Holds no timer and no clock.

export interface Backoff {
  /** Milliseconds to wait after one more failure: between half and all of a ceiling that doubles each time. */
  nextMs(): number
  /** The attempt succeeded: the next failure begins at the first ceiling again. */
  reset(): void
}

const FIRST_CEILING_MS = 500
const LAST_CEILING_MS = 30_000

/**
 * Exponential back-off with jitter: a ceiling of 500 ms that doubles up to 30 s. Never shorter than half of it, so that a dead
 * endpoint is asked a dozen times in the first minute at most.
 * @param random evenly spread in [0, 1)
 */
export function createBackoff(random: () => number): Backoff {
  let ceilingMs = FIRST_CEILING_MS
  return {
    nextMs() {
      const delayMs = Math.floor((0.5 + 0.5 * random()) * ceilingMs)
      ceilingMs = Math.min(LAST_CEILING_MS, ceilingMs * 2)
      return delayMs
    },
    reset() {
      ceilingMs = FIRST_CEILING_MS
    },
  }
}
