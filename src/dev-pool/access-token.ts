// Who holds an access token: whoever it was minted for, as long as that sign-in counts. An ID token opens nothing here.
import { errors, type JWTPayload, jwtVerify } from 'jose'
import { type ApiError, notAuthorized, toApiError } from './api-error.ts'
import type { PoolParts } from './pool-parts.ts'
import { DISABLED } from './sign-in-steps.ts'
import { type DevUser, isVoidSignIn } from './user.ts'

export interface Holder {
  readonly user: DevUser
  readonly scopes: readonly string[]
}

/** The claims of a token of this pool that has not expired; findHolder tells whether they still count. */
export async function verifyAccessToken(
  { clock, issuer, keys }: PoolParts,
  token: string,
): Promise<JWTPayload | ApiError> {
  try {
    const { payload } = await jwtVerify(token, keys.access.publicKey, {
      issuer,
      algorithms: ['RS256'],
      currentDate: new Date(clock.now()),
    })
    return payload
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error
    const isExpired = error instanceof errors.JWTExpired
    return notAuthorized(isExpired ? 'Access Token has expired' : 'Invalid Access Token')
  }
}

/** At once, so that nothing changes between the look-up and what is done with it. */
export function findHolder(
  { store, refreshTokens }: PoolParts,
  claims: JWTPayload,
): Holder | ApiError {
  const { iat = 0, origin_jti, scope, sub, username } = claims
  if (refreshTokens.isRevoked(String(origin_jti))) return REVOKED
  const user = store.directory().users.get(String(username))
  // Somebody else may have the name by now.
  if (user === undefined || user.sub !== sub) return NO_USER
  if (!user.enabled) return DISABLED
  const signedInMs = refreshTokens.issuedMs(String(origin_jti)) ?? (iat + 1) * 1000 - 1
  return isVoidSignIn(user, signedInMs) ? REVOKED : { user, scopes: String(scope).split(' ') }
}

export const NO_USER: ApiError = toApiError('UserNotFoundException', 'User does not exist.')
const REVOKED = notAuthorized('Access Token has been revoked')
