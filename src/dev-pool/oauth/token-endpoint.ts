// /oauth2/token: codes, refresh tokens and client credentials for tokens. Whatever is not exactly right gets nothing.
import type { PoolParts } from '../pool-parts.ts'
import { createHash } from 'node:crypto'
import { isApiError } from '../api-error.ts'
import { type Answer, type PoolRequest, toJson } from '../endpoint.ts'
import type { GrantType } from '../clients.ts'
import { type RefreshedSignIn, refreshSignIn } from '../refresh-sign-in.ts'
import { isVoidSignIn } from '../user.ts'
import type { CodeGrant } from './authorization-codes.ts'
import { CORS, type OAuthForm, readOAuthForm, refuse } from './oauth-form.ts'
import { parseScopes, resourceScopes } from './scopes.ts'

type Exchange = (options: PoolParts, form: OAuthForm) => Promise<Answer>

const EXCHANGES = new Map<string, Exchange>([
  ['authorization_code', exchangeCode],
  ['refresh_token', exchangeRefreshToken],
  ['client_credentials', exchangeClientCredentials],
] satisfies [GrantType, Exchange][])

export async function answerToken(options: PoolParts, request: PoolRequest): Promise<Answer> {
  const form = readOAuthForm(request, options.clients)
  if ('status' in form) return form
  const grantType = form.get('grant_type')
  if (grantType === undefined) return refuse('invalid_request')
  const exchange = EXCHANGES.get(grantType)
  if (exchange === undefined) return refuse('unsupported_grant_type')
  if (!form.client.grantTypes.includes(grantType as GrantType)) return refuse('unauthorized_client')
  return exchange(options, form)
}

async function exchangeCode(options: PoolParts, { client, get }: OAuthForm): Promise<Answer> {
  const { authorizationCodes, refreshTokens } = options
  const [code, redirectUri] = [get('code'), get('redirect_uri')]
  if (code === undefined || redirectUri === undefined) return refuse('invalid_request')
  const redeemed = authorizationCodes.redeem(code)
  if (redeemed.kind === 'reused') {
    // Somebody else may have been first: RFC 6749 section 10.5.
    refreshTokens.revokeSignIn(redeemed.originJti)
    return refuse('invalid_grant')
  }
  if (redeemed.kind === 'unknown') return refuse('invalid_grant')
  const { grant, issuedMs } = redeemed
  const { signIn, username } = grant
  const isMeant = signIn.clientId === client.id && grant.redirectUri === redirectUri
  if (!isMeant || !isProof(grant, get('code_verifier'))) return refuse('invalid_grant')
  const user = options.store.directory().users.get(username)
  if (!user?.enabled || isVoidSignIn(user, issuedMs)) return refuse('invalid_grant')
  const refreshToken = refreshTokens.issue(username, signIn)
  return toTokens(options, { user, signIn, refreshToken }, grant.nonce)
}

/** A verifier without a challenge is refused too: someone took the challenge away (RFC 9700 section 4.8). */
function isProof({ codeChallenge }: CodeGrant, verifier: string | undefined): boolean {
  if (codeChallenge === undefined || verifier === undefined) return codeChallenge === verifier
  const isVerifier = /^[\w.~-]{43,128}$/.test(verifier)
  return isVerifier && createHash('sha256').update(verifier).digest('base64url') === codeChallenge
}

async function exchangeRefreshToken(
  options: PoolParts,
  { client, get }: OAuthForm,
): Promise<Answer> {
  const token = get('refresh_token')
  if (token === undefined) return refuse('invalid_request')
  const refreshed = refreshSignIn(options, client, token)
  if (isApiError(refreshed)) return refuse('invalid_grant')
  return toTokens(options, refreshed)
}

async function exchangeClientCredentials(
  { store, tokens }: PoolParts,
  { client, get }: OAuthForm,
): Promise<Answer> {
  const parsed = parseScopes(get('scope'), resourceScopes(store.directory()))
  if ('unknown' in parsed) return refuse('invalid_scope')
  return toJson(
    200,
    {
      access_token: await tokens.mintForClient(client.id, parsed.scopes),
      expires_in: tokens.lifeSeconds,
      token_type: 'Bearer',
    },
    CORS,
  )
}

async function toTokens(
  { tokens }: PoolParts,
  { refreshToken, signIn, user }: RefreshedSignIn,
  nonce?: string,
): Promise<Answer> {
  const { access, id } = await tokens.mintPair(user, signIn, nonce)
  const answer = {
    ...(id !== undefined && { id_token: id }),
    access_token: access,
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    expires_in: tokens.lifeSeconds,
    token_type: 'Bearer',
  }
  return toJson(200, answer, CORS)
}
