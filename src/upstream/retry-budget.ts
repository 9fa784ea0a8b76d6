// How many requests may be sent a second time: a share of all, so that a failing upstream is never asked twice as much.
import type { Clock } from '../base/clock.ts'

export interface RetryBudget {
  /** A request has come. */
  earn(): void
  /** True when one more may be tried again. */
  spend(): boolean
}

const PER_REQUEST = 0.2
const PER_SECOND = 10
/** What can be saved up: ten seconds' worth. */
const MOST = 100

/** 20 % of requests and 10 a second. */
export function createRetryBudget(clock: Pick<Clock, 'monotonic'>): RetryBudget {
  let saved = PER_SECOND
  let countedMs = clock.monotonic()
  return {
    earn() {
      saved = Math.min(MOST, saved + PER_REQUEST)
    },
    spend() {
      const nowMs = clock.monotonic()
      saved = Math.min(MOST, saved + ((nowMs - countedMs) * PER_SECOND) / 1000)
      countedMs = nowMs
      if (saved < 1) return false
      saved--
      return true
    },
  }
}
