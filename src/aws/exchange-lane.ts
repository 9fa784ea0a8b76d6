// How often and when an identity pool is asked: so many exchanges a second, and none for a while where it throttles or fails. Callers whose
// tokens nobody has verified have a lane of their own, so that they hold up nobody else.
import { createBackoff } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { createTokenBucket } from '../base/token-bucket.ts'

export interface ExchangeLane {
  /** Waits for a turn; false where there is none soon. */
  enter(): Promise<boolean>
  /** The pool throttled or failed: nobody goes on for a while. */
  failed(): void
  worked(): void
  /** When it is worth asking again. */
  retryAfterSeconds(): number
}

/** How long a request waits for its turn. */
const MAX_WAIT_MS = 3_000

export function createExchangeLane(
  perSecond: number,
  clock: Pick<Clock, 'monotonic' | 'after'>,
  random: () => number,
): ExchangeLane {
  const bucket = createTokenBucket(perSecond, clock)
  const backoff = createBackoff(random)
  let pausedUntilMs = Number.NEGATIVE_INFINITY
  return {
    async enter() {
      if (clock.monotonic() < pausedUntilMs) return false
      const waitMs = bucket.take(MAX_WAIT_MS)
      if (waitMs === undefined) return false
      if (waitMs > 0) await new Promise<void>((resolve) => clock.after(waitMs, resolve))
      return true
    },
    failed() {
      // Those that were under way together are one failure.
      if (clock.monotonic() < pausedUntilMs) return
      pausedUntilMs = clock.monotonic() + backoff.nextMs()
    },
    worked: backoff.reset,
    retryAfterSeconds() {
      const seconds = Math.ceil((pausedUntilMs - clock.monotonic()) / 1_000)
      return Math.max(1, Number.isFinite(seconds) ? seconds : 1)
    },
  }
}
