// Checks a verified payload against its user pool: issuer, token_use, client, times. Stricter than AWS's library on purpose.
import { type Rejected, toQuoted, toRejected } from './rejected.ts'
import type { JsonObject } from './strict-json.ts'
import type { UserPoolSettings } from './user-pool.ts'

export type TokenUse = 'access' | 'id'
export type Claims = JsonObject

/** The claims' own validity, in milliseconds of the wall clock: from (inclusive) until (exclusive). */
export interface Validity {
  readonly validFromMs: number
  readonly validUntilMs: number
}

/** Cognito's longest token life is 24 h; an `exp` further ahead is a wrong unit or not Cognito's. */
const MAX_LIFE_MS = 25 * 3_600_000
const MAX_ISSUED_AHEAD_MS = 60_000

/** Undefined when `iss` is exactly one of the pool's issuers. */
export function checkIssuer(claims: Claims, pool: UserPoolSettings): Rejected | undefined {
  if (typeof claims.iss === 'string' && pool.issuers.includes(claims.iss)) return undefined
  return toRejected(
    'token_issuer',
    `iss is ${toQuoted(claims.iss)}, not an issuer of user pool ${pool.name}`,
  )
}

/** Undefined when the claims whose type is specified (RFC 7519 section 4.1, RFC 8693 section 4.2) have it. */
export function checkTypes(claims: Claims): Rejected | undefined {
  const { aud } = claims
  for (const name of ['sub', 'jti', 'scope']) {
    if (!isOptionalText(claims[name]))
      return toRejected('token_malformed', `${name} is not a string`)
  }
  if (isOptionalText(aud) || (Array.isArray(aud) && aud.every(isOptionalText))) return undefined
  return toRejected('token_client', 'aud is neither a string nor a list of strings')
}

function isOptionalText(claim: unknown): boolean {
  return claim === undefined || typeof claim === 'string'
}

export function parseTokenUse(claims: Claims): TokenUse | Rejected {
  const use = claims.token_use
  if (use === 'access' || use === 'id') return use
  return toRejected('token_use', `token_use is ${toQuoted(use)}`)
}

/** The app client that a token was made for: `client_id` in an access token, `aud` in an ID token. */
export function clientOf(claims: Claims, use: TokenUse): unknown {
  return use === 'access' ? claims.client_id : claims.aud
}

/** Undefined when the app client, and the resource where one is configured, are the pool's. */
export function checkClient(
  claims: Claims,
  use: TokenUse,
  pool: UserPoolSettings,
): Rejected | undefined {
  const client = clientOf(claims, use)
  if (typeof client !== 'string' || client === '')
    return toRejected('token_client', 'no app client')
  if (pool.clientIds !== 'any' && !pool.clientIds.includes(client)) {
    return toRejected('token_client', `app client ${toQuoted(client)} is not in clientIds`)
  }
  if (use === 'id' || pool.resources === undefined) return undefined
  if (typeof claims.aud === 'string' && pool.resources.includes(claims.aud)) return undefined
  return toRejected('token_client', `aud is ${toQuoted(claims.aud)}, not a configured resource`)
}

/** The time window of the claims (RFC 7519 section 4.1), or why `nowMs` is outside it. */
export function checkTimes(
  claims: Claims,
  pool: UserPoolSettings,
  nowMs: number,
): Validity | Rejected {
  const exp = toMillis(claims.exp)
  const nbf = claims.nbf === undefined ? 0 : toMillis(claims.nbf)
  const iat = claims.iat === undefined ? 0 : toMillis(claims.iat)
  if (exp === undefined || nbf === undefined || iat === undefined) {
    return toRejected('token_malformed', 'exp, nbf and iat must be whole seconds')
  }
  const tolerance = pool.clockToleranceMs
  const validity = {
    validFromMs: Math.max(nbf - tolerance, iat - Math.max(tolerance, MAX_ISSUED_AHEAD_MS)),
    validUntilMs: exp + tolerance,
  }
  if (nowMs >= validity.validUntilMs) return toRejected('token_expired', `exp is ${claims.exp}`)
  if (nowMs < validity.validFromMs) return toRejected('token_not_yet_valid', 'nbf or iat is ahead')
  if (exp - nowMs > MAX_LIFE_MS) return toRejected('token_malformed', 'exp is over 25 h ahead')
  return validity
}

/** NumericDate (RFC 7519 section 2) as milliseconds; undefined unless a whole, safe, non-negative number of seconds. */
function toMillis(seconds: unknown): number | undefined {
  if (!Number.isSafeInteger(seconds) || (seconds as number) < 0) return undefined
  return (seconds as number) * 1000
}
