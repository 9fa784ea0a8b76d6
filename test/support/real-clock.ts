// The machine's clock, for tests whose other end is a real socket.
import type { Clock } from '../../src/base/clock.ts'
import { startTimer } from '../../src/base/timer.ts'

export const realClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  after: startTimer,
}
