// Who asks the identity pool: the holder of an ID token of this user pool that still counts. An access token opens nothing here.
import { errors, type JWTPayload, jwtVerify } from 'jose'
import { findHolder } from '../access-token.ts'
import { type ApiError, isApiError, notAuthorized } from '../api-error.ts'
import type { PoolParts } from '../pool-parts.ts'

export interface Caller {
  readonly identityId: string
  /** The key of `Logins`. */
  readonly provider: string
  readonly claims: JWTPayload
}

/** @param logins undefined or empty for a guest, which gives undefined */
export async function findCaller(
  parts: PoolParts,
  logins: unknown,
): Promise<Caller | undefined | ApiError> {
  const [login, ...others] = Object.entries(Object(logins ?? {}))
  if (login === undefined) return undefined
  const [provider, token] = login
  if (others.length > 0 || !isProvider(parts, provider)) return FOREIGN
  const claims = await verifyIdToken(parts, String(token))
  if (isApiError(claims)) return claims
  const identityId = parts.identities.of(parts.issuer, String(claims.sub))
  return { identityId, provider, claims }
}

/** A dev pool is in no region, so whichever a configuration names is its own. */
function isProvider({ userPoolId }: PoolParts, provider: string): boolean {
  const [host = '', pool, ...rest] = provider.split('/')
  return (
    /^cognito-idp\.[a-z0-9-]+\.amazonaws\.com$/.test(host) &&
    pool === userPoolId &&
    rest.length === 0
  )
}

async function verifyIdToken(parts: PoolParts, token: string): Promise<JWTPayload | ApiError> {
  const { clock, issuer, keys, clients, identityPool } = parts
  const nowMs = clock.now()
  try {
    const { payload } = await jwtVerify(token, keys.id.publicKey, {
      issuer,
      algorithms: ['RS256'],
      requiredClaims: ['sub', 'exp'],
      currentDate: new Date(nowMs),
    })
    if (payload.token_use !== 'id') return invalid('Not an ID token.')
    if (typeof payload.aud !== 'string' || clients.find(payload.aud) === undefined) {
      return invalid('Incorrect token audience.')
    }
    return identityPool.serverSideTokenCheck ? checkOnServer(parts, payload) : payload
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error
    return invalid(toWords(error, nowMs))
  }
}

function checkOnServer(parts: PoolParts, claims: JWTPayload): JWTPayload | ApiError {
  const holder = findHolder(parts, { ...claims, username: claims['cognito:username'] })
  return isApiError(holder) ? invalid(holder.message) : claims
}

function toWords(error: errors.JOSEError, nowMs: number): string {
  if (error instanceof errors.JWTExpired) {
    return `Token expired: ${error.payload.exp} >= ${Math.floor(nowMs / 1000)}`
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'Token signature invalid.'
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'iss') {
    return "Issuer doesn't match providerName"
  }
  return "Can't parse token."
}

function invalid(words: string): ApiError {
  return notAuthorized(`Invalid login token. ${words}`)
}

const FOREIGN = notAuthorized('Token is not from a supported provider of this identity pool.')
