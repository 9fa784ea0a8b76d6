// /oauth2/revoke (RFC 7009): ends the sign-in of a refresh token. Never takes another kind of token, or another client's.
import type { PoolParts } from '../pool-parts.ts'
import { type Answer, type PoolRequest, toText } from '../endpoint.ts'
import { CORS, readOAuthForm, refuse } from './oauth-form.ts'

export function answerRevoke({ clients, refreshTokens }: PoolParts, request: PoolRequest): Answer {
  const form = readOAuthForm(request, clients)
  if ('status' in form) return form
  const token = form.get('token')
  if (token === undefined) return refuse('invalid_request')
  if (token.startsWith('eyJ')) return refuse('unsupported_token_type')
  const grant = refreshTokens.find(token)
  if (typeof grant === 'object' && grant.signIn.clientId !== form.client.id) {
    return refuse('unauthorized_client')
  }
  // A token that is not known is revoked already: section 2.2.
  refreshTokens.revoke(token)
  return { ...toText(200, ''), body: '', headers: CORS }
}
