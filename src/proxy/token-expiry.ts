// Tells when a token that opened a stream has expired. By the wall clock, which may step: what has to be waited for is asked anew.
import type { Clock, Timer } from '../base/clock.ts'

/** A clock that steps ahead is noticed within this time. */
const LONGEST_WAIT_MS = 60_000

/** Runs `run` once, as soon as the wall clock stands at `expiresAtMs` or beyond. */
export function startTokenExpiry(
  expiresAtMs: number,
  clock: Pick<Clock, 'now' | 'after'>,
  run: () => void,
): Timer {
  let timer = wait()
  function wait(): Timer {
    const leftMs = Math.max(0, expiresAtMs - clock.now())
    return clock.after(Math.min(leftMs, LONGEST_WAIT_MS), () => {
      if (clock.now() >= expiresAtMs) run()
      else timer = wait()
    })
  }
  return { cancel: () => timer.cancel() }
}
