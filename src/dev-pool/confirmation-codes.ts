// Codes that would go out by e-mail or text message. Nothing is sent: whoever runs the pool reads them from it.
import { randomInt } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { type ApiError, toApiError } from './api-error.ts'

/** What a code is for: a sign-up, a forgotten password, or an address to be verified. */
export type CodePurpose = 'sign-up' | 'password' | 'email' | 'phone_number'

export interface ConfirmationCodes {
  /** Six digits; the former code of the same purpose is void. */
  issue(username: string, purpose: CodePurpose): string
  /** Undefined when the code is right, which ends it; else why not. */
  use(username: string, purpose: CodePurpose, code: string): ApiError | undefined
  /** All codes of a user are void. */
  forget(username: string): void
  /** The latest that still counts, for a page to show. */
  latest(username: string): string | undefined
}

const HOUR_MS = 3_600_000
const LIFE_MS = {
  'sign-up': 24 * HOUR_MS,
  password: HOUR_MS,
  email: 24 * HOUR_MS,
  phone_number: 24 * HOUR_MS,
}
const MAX_WRONG = 5
/** The oldest go first. */
const MAX_CODES = 10_000

interface Code {
  readonly username: string
  readonly code: string
  readonly endsMs: number
  wrong: number
}

/** @param send gets every code, as words */
export function createConfirmationCodes(
  clock: Clock,
  send: (username: string, text: string) => void = () => {},
): ConfirmationCodes {
  const codes = new Map<string, Code>()
  const toKey = (username: string, purpose: CodePurpose) => `${purpose} ${username}`
  const isOpen = ({ endsMs }: Code) => clock.now() < endsMs
  return {
    issue(username, purpose) {
      const code = String(randomInt(1_000_000)).padStart(6, '0')
      const key = toKey(username, purpose)
      codes.delete(key)
      codes.set(key, { username, code, endsMs: clock.now() + LIFE_MS[purpose], wrong: 0 })
      const [oldest = ''] = codes.keys()
      if (codes.size > MAX_CODES) codes.delete(oldest)
      send(username, `Your confirmation code is ${code}`)
      return code
    },
    use(username, purpose, given) {
      const kept = codes.get(toKey(username, purpose))
      if (kept === undefined || !isOpen(kept)) return EXPIRED
      if (kept.wrong >= MAX_WRONG) return TOO_MANY
      if (given !== kept.code) {
        kept.wrong += 1
        return MISMATCH
      }
      codes.delete(toKey(username, purpose))
      return undefined
    },
    forget(username) {
      for (const [key, code] of codes) if (code.username === username) codes.delete(key)
    },
    latest(username) {
      const open = [...codes.values()].filter((code) => code.username === username && isOpen(code))
      return open.at(-1)?.code
    },
  }
}

export const EXPIRED: ApiError = toApiError(
  'ExpiredCodeException',
  'Invalid code provided, please request a code again.',
)
export const MISMATCH: ApiError = toApiError(
  'CodeMismatchException',
  'Invalid verification code provided, please try again.',
)
const TOO_MANY: ApiError = toApiError(
  'LimitExceededException',
  'Attempt limit exceeded, please try after some time.',
)
