// /oauth2/userInfo: the attributes of whoever an access token with `openid` stands for, all as text, as long as it stands.
import type { PoolParts } from '../pool-parts.ts'
import { findHolder, verifyAccessToken } from '../access-token.ts'
import { isApiError } from '../api-error.ts'
import { type Answer, type PoolRequest, toJson } from '../endpoint.ts'
import { CORS } from './oauth-form.ts'
import { readableAttributes } from './scopes.ts'

export async function answerUserInfo(
  options: PoolParts,
  { headers }: PoolRequest,
): Promise<Answer> {
  const [, token] = /^bearer +([^\s]+)$/i.exec(headers.authorization ?? '') ?? []
  if (token === undefined) {
    return refuse(400, 'invalid_request', 'Bad OAuth2 request at UserInfo Endpoint')
  }
  const claims = await verifyAccessToken(options, token)
  const holder = isApiError(claims) ? claims : findHolder(options, claims)
  if (isApiError(holder)) {
    return refuse(
      401,
      'invalid_token',
      'Access token is expired, disabled, or deleted, or the user has globally signed out.',
    )
  }
  const { user, scopes } = holder
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

function refuse(status: 400 | 401, error: string, description: string): Answer {
  const challenge = `Bearer error="${error}", error_description="${description}"`
  const headers = { ...CORS, 'www-authenticate': challenge }
  return toJson(status, { error, error_description: description }, headers)
}
