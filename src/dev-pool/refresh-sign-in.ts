// What a refresh token is good for, for the API and the token endpoint alike. A client cannot use another one's.
import { type ApiError, notAuthorized } from './api-error.ts'
import type { AppClient } from './clients.ts'
import type { RefreshTokens } from './refresh-tokens.ts'
import { DISABLED } from './sign-in-steps.ts'
import type { SignIn } from './tokens.ts'
import { type DevUser, isVoidSignIn } from './user.ts'
import type { UserStore } from './user-store.ts'

export interface RefreshOptions {
  readonly refreshTokens: RefreshTokens
  readonly store: Pick<UserStore, 'directory'>
}

export interface RefreshedSignIn {
  readonly user: DevUser
  readonly signIn: SignIn
  /** Where the client exchanges its own. */
  readonly refreshToken: string | undefined
}

const REFUSALS = {
  unknown: notAuthorized('Invalid Refresh Token'),
  revoked: notAuthorized('Refresh Token has been revoked'),
  expired: notAuthorized('Refresh Token has expired'),
}

export function refreshSignIn(
  { store, refreshTokens }: RefreshOptions,
  { id, rotationGraceMs }: Pick<AppClient, 'id' | 'rotationGraceMs'>,
  token: string,
): RefreshedSignIn | ApiError {
  const grant = refreshTokens.find(token)
  if (typeof grant === 'string') return REFUSALS[grant]
  const { issuedMs, signIn, username } = grant
  const user = store.directory().users.get(username)
  if (signIn.clientId !== id || user === undefined) return REFUSALS.unknown
  if (!user.enabled) return DISABLED
  if (isVoidSignIn(user, issuedMs)) return REFUSALS.revoked
  const refreshToken =
    rotationGraceMs === undefined
      ? undefined
      : refreshTokens.exchange(token, grant, rotationGraceMs)
  return { user, signIn, refreshToken }
}
