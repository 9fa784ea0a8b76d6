// The machine's clock, for tests whose other end is a real socket.
import type { Clock } from '../../src/base/clock.ts'

export const realClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}
