// The sign-ins that a browser is in the midst of: one sealed cookie each, so that tabs do not disturb each other, and few of them.
// Nothing of one is kept here; nothing but a state that came back gets at it.
import { randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { RawHeaders } from '../http/headers.ts'
import { ATTEMPT_COOKIES } from '../http/own-cookies.ts'
import { type Cookie, cookiesOf, toExpired, toSetCookie } from './own-cookies.ts'
import type { Seal } from './seal.ts'

/** What has to be the same when the browser comes back, and what was asked of the managed login. */
export interface Attempt {
  readonly state: string
  readonly nonce: string
  /** Of PKCE (RFC 7636). */
  readonly verifier: string
  readonly origin: string
  /** An absolute URL of ours. */
  readonly returnTo: string
  readonly acrValues?: readonly string[] | undefined
  readonly maxAgeSeconds?: number | undefined
  readonly startedMs: number
}

export interface Attempts {
  /** A new state: it names its cookie, and nobody can guess it. */
  newState(): string
  /** Set-Cookie lines: the attempt's, and those that make room for it. */
  begin(headers: RawHeaders, attempt: Attempt): Promise<readonly string[]>
  /** The attempt that a state belongs to: begun by this browser, with this session's settings, not too long ago. */
  find(headers: RawHeaders, state: string): Promise<Attempt | undefined>
}

export const ATTEMPT_MS = 600_000

const STATE = /^([0-9a-z]{9}[0-9a-f]{8})\.[\w-]{22}$/

/** Beyond either the oldest goes: a header of 8 KiB has to hold them beside everything else (a flood of attempts). */
const MAX_ATTEMPTS = 5
const MAX_BYTES = 6 * 1024

export function createAttempts(name: string, seal: Seal, clock: Clock): Attempts {
  const purpose = `attempt ${name}`
  return {
    newState() {
      const time = clock.now().toString(36).padStart(9, '0')
      return `${time}${randomBytes(4).toString('hex')}.${randomBytes(16).toString('base64url')}`
    },
    async begin(headers, attempt) {
      const cookie = attemptCookieOf(attempt.state) ?? ATTEMPT_COOKIES
      const value = await seal.seal(purpose, JSON.stringify(attempt))
      const outdated = chooseOutdated(
        cookiesOf(headers, ATTEMPT_COOKIES),
        cookie.length + value.length,
      )
      return [...outdated.map(toExpired), toSetCookie(cookie, value, ATTEMPT_MS / 1000)]
    },
    async find(headers, state) {
      const cookie = attemptCookieOf(state)
      const sealed = cookiesOf(headers, ATTEMPT_COOKIES).find((one) => one.name === cookie)
      const text = sealed && (await seal.open(purpose, sealed.value))
      if (text === undefined) return undefined
      const attempt = JSON.parse(text) as Attempt
      const age = clock.now() - attempt.startedMs
      return attempt.state === state && age < ATTEMPT_MS ? attempt : undefined
    },
  }
}

/** The cookie that a state names; undefined for what is no state of ours. */
export function attemptCookieOf(state: string): string | undefined {
  const id = STATE.exec(state)?.[1]
  return id === undefined ? undefined : `${ATTEMPT_COOKIES}${id}`
}

/** Set-Cookie lines that end every attempt of a browser. */
export function expireAttempts(headers: RawHeaders): readonly string[] {
  return cookiesOf(headers, ATTEMPT_COOKIES).map(({ name }) => toExpired(name))
}

/** Names begin with the time, so they are enough to tell which is the oldest. */
function chooseOutdated(cookies: readonly Cookie[], newBytes: number): string[] {
  const newestFirst = cookies.toSorted((a, b) => (a.name < b.name ? 1 : -1))
  let bytes = newBytes
  const kept = newestFirst.findIndex(({ name, value }, index) => {
    bytes += name.length + value.length
    return index >= MAX_ATTEMPTS - 1 || bytes > MAX_BYTES
  })
  return kept === -1 ? [] : newestFirst.slice(kept).map(({ name }) => name)
}
