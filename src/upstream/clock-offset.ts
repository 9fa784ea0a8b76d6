// How far AWS's clock is ahead of this one, as its own answers say. Learnt from a refusal alone, and of no use for anything but signatures.
import type { Clock } from '../base/clock.ts'

export interface ClockOffset {
  /** Milliseconds to add to this clock. */
  ms(): number
  /** Takes the Date of a refusal for the time; true where that changes what would be signed. */
  correct(date: string | undefined): boolean
}

/** AWS takes five minutes; what is nearer was refused for something else. */
const MOST_MS = 4 * 60_000
/** Nobody's clock is a year off, and a signature of then must not be made. */
const ABSURD_MS = 366 * 24 * 3_600_000

export function createClockOffset(clock: Pick<Clock, 'now'>): ClockOffset {
  let ms = 0
  return {
    ms: () => ms,
    correct(date) {
      const aheadMs = Date.parse(date ?? '') - clock.now()
      if (!(Math.abs(aheadMs - ms) > MOST_MS) || Math.abs(aheadMs) > ABSURD_MS) return false
      ms = aheadMs
      return true
    },
  }
}
