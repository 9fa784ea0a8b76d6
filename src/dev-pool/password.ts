// Passwords: what is good enough for one, and how one is kept. A hash is cheap here: it hides, it does not withstand a search.
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto'
import { type ApiError, toApiError } from './api-error.ts'

const PREFIX = '$scrypt$'
/** 1 MiB and about 3 ms: a dev pool's users sign in all day in test loops. */
const COST = { N: 1024, r: 8, p: 1 }
const KEY_BYTES = 32

/** Cognito's default policy. */
const POLICY: readonly (readonly [RegExp, string])[] = [
  [/^.{8,}$/s, 'Password not long enough'],
  [/^.{0,256}$/s, 'Password too long'],
  [/[a-z]/, 'Password must have lowercase characters'],
  [/[A-Z]/, 'Password must have uppercase characters'],
  [/\d/, 'Password must have numeric characters'],
  [/[\^$*.[\]{}()?"!@#%&/\\,><':;|_~`=+\- ]/, 'Password must have symbol characters'],
  [/^\S(?:.*\S)?$/s, 'Password must not begin or end with a space'],
]

/** The policy, for people. */
export const PASSWORD_HINT =
  'At least 8 characters, with an upper and a lower case letter, a digit and a symbol.'

/** Why a text is no password, or undefined. */
export function checkPassword(text: string): ApiError | undefined {
  const broken = POLICY.find(([pattern]) => !pattern.test(text))
  if (broken === undefined) return undefined
  const message = `Password did not conform with policy: ${broken[1]}`
  return toApiError('InvalidPasswordException', message)
}

export function hashPassword(text: string): string {
  const salt = randomBytes(16)
  return `${PREFIX}${salt.toString('base64url')}$${toKey(text, salt).toString('base64url')}`
}

/** @param kept what hashPassword made, or the password itself; undefined fits none */
export function isPassword(kept: string | undefined, given: string): boolean {
  if (kept === undefined) return false
  if (isReadable(kept)) return isSame(Buffer.from(kept), Buffer.from(given))
  const [salt = '', key = ''] = kept.slice(PREFIX.length).split('$')
  return isSame(Buffer.from(key, 'base64url'), toKey(given, Buffer.from(salt, 'base64url')))
}

/** Whether a kept password is the password itself. */
export function isReadable(kept: string): boolean {
  return !kept.startsWith(PREFIX)
}

function toKey(text: string, salt: Buffer): Buffer {
  return scryptSync(text, salt, KEY_BYTES, COST)
}

function isSame(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right)
}
