// A timer for a delay of any length. Node's own runs at once, with a warning, for more than 2^31 - 1 ms (24.8 days).
import type { Timer } from './clock.ts'

const LONGEST_MS = 2 ** 31 - 1

/**
 * Runs `run` once after `delayMs`, and does not keep the process alive.
 * @param longestMs what one timer of the machine can wait; a longer delay is made of several
 */
export function startTimer(delayMs: number, run: () => void, longestMs = LONGEST_MS): Timer {
  if (delayMs > longestMs) return startSteps(delayMs, run, longestMs)
  const timer = setTimeout(run, delayMs)
  timer.unref()
  return { cancel: () => clearTimeout(timer) }
}

function startSteps(delayMs: number, run: () => void, longestMs: number): Timer {
  let current = startTimer(longestMs, () => {
    current = startTimer(delayMs - longestMs, run, longestMs)
  })
  return { cancel: () => current.cancel() }
}
