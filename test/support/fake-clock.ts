// A clock that moves only when a test moves it. `advance` runs the timers that fall due, in order.
import type { Clock, Timer } from '../../src/base/clock.ts'

export interface FakeClock extends Clock {
  advance(ms: number): Promise<void>
  /** Steps the wall clock alone, as NTP or an operator would. */
  stepWall(ms: number): void
  /** Timers that are armed. */
  pending(): number
}

export function createFakeClock(startMs = Date.UTC(2026, 10, 23, 12)): FakeClock {
  let wall = startMs
  let elapsed = 0
  const armed = new Set<{ due: number; run: () => void }>()
  const earliest = () => [...armed].sort((a, b) => a.due - b.due)[0]
  return {
    now: () => wall,
    monotonic: () => elapsed,
    after(delayMs, run): Timer {
      const entry = { due: elapsed + delayMs, run }
      armed.add(entry)
      return { cancel: () => void armed.delete(entry) }
    },
    async advance(ms) {
      const end = elapsed + ms
      for (let next = earliest(); next && next.due <= end; next = earliest()) {
        armed.delete(next)
        wall += next.due - elapsed
        elapsed = next.due
        next.run()
        await new Promise((resolve) => setImmediate(resolve))
      }
      wall += end - elapsed
      elapsed = end
      await new Promise((resolve) => setImmediate(resolve))
    },
    stepWall: (ms) => {
      wall += ms
    },
    pending: () => armed.size,
  }
}
