// Mints tokens that look exactly like Cognito's. Claims come from the users file; nothing here asks for a password.
import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Clock } from '../base/clock.ts'
import type { PoolKeys } from './pool-keys.ts'
import { type DevUser, type Directory, rolesOf } from './user.ts'

/** What all tokens of one sign-in have in common, refreshed ones too. */
export interface SignIn {
  /** Seconds since the epoch. */
  readonly authTime: number
  readonly originJti: string
  readonly eventId: string
}

export interface TokenChanges {
  /** Seconds from now; 0 makes a token that has expired. Default: one hour. */
  readonly expiresInSeconds?: number | undefined
  /** In place of the user's own. */
  readonly groups?: readonly string[] | undefined
  /** Of access tokens: in place of what the user would get, as it stands in the token. */
  readonly scope?: string | undefined
  /** Over everything else; undefined takes a claim away. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}

export type TokenUse = 'access' | 'id'

export interface Tokens {
  mint(use: TokenUse, user: DevUser, signIn: SignIn, changes?: TokenChanges): Promise<string>
  /** A sign-in that happens now. */
  signIn(): SignIn
}

export interface TokensOptions {
  readonly clock: Clock
  readonly keys: PoolKeys
  readonly issuer: string
  readonly clientId: string
  readonly directory: () => Directory
}

export const TOKEN_LIFE_SECONDS = 3600
/** The scope of every sign-in by API, which the user's own operations ask for. */
export const API_SCOPE = 'aws.cognito.signin.user.admin'

export function createTokens(options: TokensOptions): Tokens {
  const now = () => Math.floor(options.clock.now() / 1000)
  return {
    signIn: () => ({ authTime: now(), originJti: randomUUID(), eventId: randomUUID() }),
    mint(use, user, signIn, changes = {}) {
      const toClaims = use === 'access' ? toAccessClaims : toIdClaims
      const { kid, privateKey } = options.keys[use]
      const claims = { ...toClaims(options, user, signIn, changes, now()), ...changes.claims }
      return new SignJWT(claims).setProtectedHeader({ kid, alg: 'RS256' }).sign(privateKey)
    },
  }
}

function toAccessClaims(
  { issuer, clientId }: TokensOptions,
  user: DevUser,
  signIn: SignIn,
  { scope, ...changes }: TokenChanges,
  iat: number,
) {
  return {
    sub: user.sub,
    ...toGroupClaim(changes.groups ?? user.groups),
    iss: issuer,
    version: 2,
    client_id: clientId,
    origin_jti: signIn.originJti,
    event_id: signIn.eventId,
    token_use: 'access',
    scope: scope ?? [API_SCOPE, ...user.scopes].join(' '),
    ...toTimes(signIn, changes, iat),
    username: user.username,
  }
}

function toIdClaims(
  { issuer, clientId, directory }: TokensOptions,
  user: DevUser,
  signIn: SignIn,
  changes: TokenChanges,
  iat: number,
) {
  const groups = changes.groups ?? user.groups
  const { roles, preferred } = rolesOf(groups, directory())
  return {
    sub: user.sub,
    ...toGroupClaim(groups),
    ...user.attributes,
    ...(preferred !== undefined && { 'cognito:preferred_role': preferred }),
    iss: issuer,
    'cognito:username': user.username,
    origin_jti: signIn.originJti,
    ...(roles.length > 0 && { 'cognito:roles': roles }),
    aud: clientId,
    event_id: signIn.eventId,
    token_use: 'id',
    ...toTimes(signIn, changes, iat),
  }
}

function toGroupClaim(groups: readonly string[]) {
  return groups.length === 0 ? {} : { 'cognito:groups': groups }
}

function toTimes({ authTime }: SignIn, { expiresInSeconds }: TokenChanges, iat: number) {
  const exp = iat + (expiresInSeconds ?? TOKEN_LIFE_SECONDS)
  return { auth_time: authTime, exp, iat, jti: randomUUID() }
}
