// How far AWS's clock is ahead of this one, as its own answers say. Learnt only from a refusal that is about the time, and of no use for
// anything but signatures.
import type { Clock } from '../base/clock.ts'

export interface ClockOffset {
  /** Milliseconds to add to this clock. */
  ms(): number
  /** Whether the Date of an answer is far enough from what was signed with that a refusal may be for the time. */
  mayBeWrong(date: string | undefined): boolean
  /** Takes that Date for the time, where it is another one; true where it was taken. */
  correct(date: string | undefined): boolean
}

/** AWS takes five minutes; what is nearer was refused for something else. */
const MOST_MS = 4 * 60_000
/** Nobody's clock is a year off, and a signature of then must not be made. */
const ABSURD_MS = 366 * 24 * 3_600_000
/** S3's code; and of the others InvalidSignatureException, whose words tell (AWS, "Troubleshoot AWS Signature Version 4"). */
const ABOUT_TIME = /RequestTimeTooSkewed|Signature expired|Signature not yet current|RequestExpired/

/** @param text the beginning of a refusal's body */
export function isAboutTime(text: string): boolean {
  return ABOUT_TIME.test(text)
}

export function createClockOffset(clock: Pick<Clock, 'now'>): ClockOffset {
  let ms = 0
  const aheadOf = (date: string | undefined) => Date.parse(date ?? '') - clock.now()
  const mayBeWrong = (date: string | undefined) => {
    const aheadMs = aheadOf(date)
    return Math.abs(aheadMs - ms) > MOST_MS && Math.abs(aheadMs) <= ABSURD_MS
  }
  return {
    ms: () => ms,
    mayBeWrong,
    correct(date) {
      if (!mayBeWrong(date)) return false
      ms = aheadOf(date)
      return true
    },
  }
}
