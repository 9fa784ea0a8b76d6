// Counts sign-ins that were completed and then asked for again, so that a browser whose session does not last is told why, instead of
// being sent round for ever. Unsealed: whoever changes it only misleads himself.
import type { RawHeaders } from '../http/headers.ts'
import { TURNS_COOKIE } from '../http/own-cookies.ts'
import { cookiesOf, toExpired, toSetCookie } from './own-cookies.ts'

const WINDOW_MS = 60_000
/** Who has a session may be asked for a stronger one now and then; five tabs may come back at once. */
const MAX_TURNS = { withoutSession: 3, withSession: 6 }

export const NO_TURNS = toExpired(TURNS_COOKIE)

/** Whether so many sign-ins were completed within a minute that one more would not help. */
export function isGoingRound(headers: RawHeaders, nowMs: number, hasSession: boolean): boolean {
  const most = hasSession ? MAX_TURNS.withSession : MAX_TURNS.withoutSession
  return lateTurns(headers, nowMs).length >= most
}

/** The Set-Cookie line for one more. */
export function countTurn(headers: RawHeaders, nowMs: number): string {
  const turns = [...lateTurns(headers, nowMs), nowMs].slice(-MAX_TURNS.withSession)
  return toSetCookie(TURNS_COOKIE, turns.join('.'), WINDOW_MS / 1000)
}

function lateTurns(headers: RawHeaders, nowMs: number): number[] {
  const value =
    cookiesOf(headers, TURNS_COOKIE).find(({ name }) => name === TURNS_COOKIE)?.value ?? ''
  const times = value.split('.', MAX_TURNS.withSession).map(Number)
  return times.filter((time) => time <= nowMs && time > nowMs - WINDOW_MS)
}
