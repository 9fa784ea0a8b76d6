// Mints tokens that look exactly like Cognito's. Claims come from the users file; nothing here asks for a password.
import { createHash, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Clock } from '../base/clock.ts'
import { API_SCOPE, grantedScopes, readableAttributes } from './oauth/scopes.ts'
import type { PoolKeys } from './pool-keys.ts'
import { type DevUser, type Directory, rolesOf } from './user.ts'

/** What all tokens of one sign-in have in common, refreshed ones too. */
export interface SignIn {
  /** Seconds since the epoch. */
  readonly authTime: number
  readonly originJti: string
  readonly eventId: string
  readonly clientId: string
  /** As the client asked for them; undefined after a sign-in by API, which gets all of the user's. */
  readonly scopes?: readonly string[] | undefined
  /** How strong the sign-in was, and by which means (RFC 8176). */
  readonly acr?: string | undefined
  readonly amr?: readonly string[] | undefined
  /** Whom the access token is for (RFC 8707). */
  readonly resource?: string | undefined
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
  /** How long access and ID tokens live. */
  readonly lifeSeconds: number
  mint(use: TokenUse, user: DevUser, signIn: SignIn, changes?: TokenChanges): Promise<string>
  /** The tokens of a sign-in in a browser: an ID token where `openid` was asked for, bound to the access token. */
  mintPair(user: DevUser, signIn: SignIn, nonce?: string): Promise<TokenPair>
  /** For a client that acts for itself. */
  mintForClient(clientId: string, scopes: readonly string[]): Promise<string>
  /** A sign-in that happens now, by API unless told otherwise. */
  signIn(details?: Partial<SignIn>): SignIn
}

export interface TokenPair {
  readonly access: string
  readonly id: string | undefined
}

export interface TokensOptions {
  readonly clock: Clock
  readonly keys: PoolKeys
  readonly issuer: string
  /** Of sign-ins by API. */
  readonly clientId: string
  readonly directory: () => Directory
  /** Default: one hour. */
  readonly lifeSeconds?: number | undefined
}

const TOKEN_LIFE_SECONDS = 3600

export function createTokens(options: TokensOptions): Tokens {
  const { clock, clientId, keys, issuer, lifeSeconds = TOKEN_LIFE_SECONDS } = options
  const now = () => Math.floor(clock.now() / 1000)
  const sign = (use: TokenUse, claims: object) => {
    const { kid, privateKey } = keys[use]
    return new SignJWT({ ...claims }).setProtectedHeader({ kid, alg: 'RS256' }).sign(privateKey)
  }
  const mint: Tokens['mint'] = (use, user, signIn, changes = {}) => {
    const toClaims = use === 'access' ? toAccessClaims : toIdClaims
    const times = toTimes(signIn, now(), changes.expiresInSeconds ?? lifeSeconds)
    return sign(use, { ...toClaims(options, user, signIn, changes), ...times, ...changes.claims })
  }
  return {
    lifeSeconds,
    mint,
    async mintPair(user, signIn, nonce) {
      const access = await mint('access', user, signIn)
      if (!signIn.scopes?.includes('openid')) return { access, id: undefined }
      const claims = { at_hash: toHalfHash(access), ...(nonce !== undefined && { nonce }) }
      return { access, id: await mint('id', user, signIn, { claims }) }
    },
    mintForClient: (id, scopes) =>
      sign('access', {
        sub: id,
        token_use: 'access',
        scope: scopes.join(' '),
        iss: issuer,
        version: 2,
        client_id: id,
        ...toTimes({ authTime: now() }, now(), lifeSeconds),
      }),
    signIn: (details) => ({
      authTime: now(),
      originJti: randomUUID(),
      eventId: randomUUID(),
      clientId,
      ...details,
    }),
  }
}

/** `at_hash` (OpenID Connect Core 3.1.3.6). */
function toHalfHash(token: string): string {
  return createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url')
}

function toAccessClaims(
  { issuer }: TokensOptions,
  user: DevUser,
  signIn: SignIn,
  { scope, ...changes }: TokenChanges,
) {
  const granted =
    signIn.scopes === undefined ? [API_SCOPE, ...user.scopes] : grantedScopes(signIn.scopes, user)
  return {
    sub: user.sub,
    ...toGroupClaim(changes.groups ?? user.groups),
    iss: issuer,
    version: 2,
    client_id: signIn.clientId,
    ...(signIn.resource !== undefined && { aud: signIn.resource }),
    origin_jti: signIn.originJti,
    event_id: signIn.eventId,
    token_use: 'access',
    scope: scope ?? granted.join(' '),
    ...toStrength(signIn),
    username: user.username,
  }
}

function toIdClaims(
  { issuer, directory }: TokensOptions,
  user: DevUser,
  signIn: SignIn,
  changes: TokenChanges,
) {
  const groups = changes.groups ?? user.groups
  const { roles, preferred } = rolesOf(groups, directory())
  const { scopes } = signIn
  return {
    sub: user.sub,
    ...toGroupClaim(groups),
    ...(scopes === undefined ? user.attributes : readableAttributes(user, scopes)),
    ...(preferred !== undefined && { 'cognito:preferred_role': preferred }),
    iss: issuer,
    'cognito:username': user.username,
    ...(user.identities !== undefined && { identities: user.identities }),
    origin_jti: signIn.originJti,
    ...(roles.length > 0 && { 'cognito:roles': roles }),
    aud: signIn.clientId,
    event_id: signIn.eventId,
    token_use: 'id',
    ...toStrength(signIn),
  }
}

function toStrength({ acr, amr }: SignIn) {
  return { ...(acr !== undefined && { acr }), ...(amr !== undefined && { amr }) }
}

function toGroupClaim(groups: readonly string[]) {
  return groups.length === 0 ? {} : { 'cognito:groups': groups }
}

function toTimes({ authTime }: Pick<SignIn, 'authTime'>, iat: number, lifeSeconds: number) {
  return { auth_time: authTime, exp: iat + lifeSeconds, iat, jti: randomUUID() }
}
