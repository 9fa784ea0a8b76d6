// What a sign-in asked for and its tokens have to show, beyond their signatures and times. Refuses; never mends.
import { createHash, timingSafeEqual } from 'node:crypto'
import { type Claims, clientOf } from '../token/claims.ts'
import { toQuoted } from '../token/rejected.ts'
import type { Attempt } from './attempts.ts'
import type { SessionTokenUse } from './session.ts'

/** `auth_time` is in whole seconds, of another machine's clock. */
const AUTH_TIME_SLACK_MS = 5_000

/** Undefined when the token is for this app client; the user pool may have others whose tokens are as good elsewhere. */
export function checkOwnClient(
  claims: Claims,
  use: SessionTokenUse,
  clientId: string,
): string | undefined {
  const client = clientOf(claims, use)
  return client === clientId ? undefined : `the ${use} token is for app client ${toQuoted(client)}`
}

/** Undefined when the ID token names no other access token than this one (OpenID Connect Core section 3.1.3.6). */
export function checkAccessHash(claims: Claims, accessToken: string): string | undefined {
  const { at_hash: hash } = claims
  if (hash === undefined) return undefined
  const expected = createHash('sha256').update(accessToken, 'ascii').digest().subarray(0, 16)
  const given = Buffer.from(typeof hash === 'string' ? hash : '', 'base64url')
  return given.length === 16 && timingSafeEqual(given, expected)
    ? undefined
    : 'at_hash is not of the access token'
}

/** Undefined when the user signed in as strongly and as lately as was asked: some user pools ignore both without a word. */
export function checkStrength(
  { acr, auth_time: authTime }: Claims,
  { acrValues, maxAgeSeconds, startedMs }: Attempt,
): string | undefined {
  if (acrValues !== undefined && !(typeof acr === 'string' && acrValues.includes(acr))) {
    return `acr is ${toQuoted(acr)}, none of ${acrValues.join(' ')}`
  }
  if (maxAgeSeconds === undefined) return undefined
  const earliestMs = startedMs - maxAgeSeconds * 1000 - AUTH_TIME_SLACK_MS
  return typeof authTime === 'number' && authTime * 1000 >= earliestMs
    ? undefined
    : `auth_time is not within max_age of ${maxAgeSeconds} s`
}
