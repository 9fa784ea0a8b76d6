// /oauth2/userInfo: the attributes of whoever an access token with `openid` stands for, all as text, as long as it stands.
import { errors, jwtVerify, type JWTPayload } from 'jose'
import { type Answer, type PoolRequest, toJson } from '../endpoint.ts'
import { isVoidSignIn } from '../user.ts'
import { CORS } from './oauth-form.ts'
import type { OAuthOptions } from './oauth-options.ts'
import { readableAttributes } from './scopes.ts'

export async function answerUserInfo(
  options: OAuthOptions,
  { headers }: PoolRequest,
): Promise<Answer> {
  const [, token] = /^bearer +([^\s]+)$/i.exec(headers.authorization ?? '') ?? []
  if (token === undefined) {
    return refuse(400, 'invalid_request', 'Bad OAuth2 request at UserInfo Endpoint')
  }
  const claims = await verify(options, token)
  const user = claims === undefined ? undefined : findUser(options, claims)
  if (claims === undefined || user === undefined) {
    return refuse(
      401,
      'invalid_token',
      'Access token is expired, disabled, or deleted, or the user has globally signed out.',
    )
  }
  const scopes = String(claims.scope).split(' ')
  if (!scopes.includes('openid')) {
    return refuse(401, 'invalid_token', 'Access token does not contain openid scope')
  }
  const attributes = Object.entries(readableAttributes(user, scopes))
  return toJson(
    200,
    {
      sub: user.sub,
      ...Object.fromEntries(attributes.map(([name, value]) => [name, String(value)])),
      username: user.username,
    },
    CORS,
  )
}

/** Whose token it is, as long as it stands. */
function findUser({ directory, refreshTokens }: OAuthOptions, claims: JWTPayload) {
  const { iat = 0, origin_jti, username } = claims
  const user = directory().users.get(String(username))
  const issuedMs = refreshTokens.issuedMs(String(origin_jti)) ?? (iat + 1) * 1000 - 1
  if (!user?.enabled || refreshTokens.isRevoked(String(origin_jti))) return undefined
  return isVoidSignIn(user, issuedMs) ? undefined : user
}

async function verify(
  { clock, issuer, keys }: OAuthOptions,
  token: string,
): Promise<JWTPayload | undefined> {
  try {
    const currentDate = new Date(clock.now())
    const options = { issuer, algorithms: ['RS256'], currentDate }
    return (await jwtVerify(token, keys.access.publicKey, options)).payload
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error
    return undefined
  }
}

function refuse(status: 400 | 401, error: string, description: string): Answer {
  const challenge = `Bearer error="${error}", error_description="${description}"`
  const headers = { ...CORS, 'www-authenticate': challenge }
  return toJson(status, { error, error_description: description }, headers)
}
