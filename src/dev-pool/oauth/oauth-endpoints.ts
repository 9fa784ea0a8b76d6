// The OAuth endpoints that applications call by themselves, without a browser: their paths and methods.
import type { PoolParts } from '../pool-parts.ts'
import type { Endpoint, Endpoints } from '../endpoint.ts'
import { answerPreflight } from './oauth-form.ts'
import { answerRevoke } from './revoke-endpoint.ts'
import { answerToken } from './token-endpoint.ts'
import { answerUserInfo } from './user-info-endpoint.ts'

export function createOAuthEndpoints(options: PoolParts): Endpoints {
  const userInfo: Endpoint = (request) => answerUserInfo(options, request)
  return new Map<string, Readonly<Record<string, Endpoint>>>([
    [
      '/oauth2/token',
      { POST: (request) => answerToken(options, request), OPTIONS: answerPreflight },
    ],
    [
      '/oauth2/revoke',
      { POST: (request) => answerRevoke(options, request), OPTIONS: answerPreflight },
    ],
    ['/oauth2/userInfo', { GET: userInfo, POST: userInfo, OPTIONS: answerPreflight }],
  ])
}
