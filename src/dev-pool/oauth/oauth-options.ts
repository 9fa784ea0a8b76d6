// What the OAuth endpoints and the managed login of the dev pool stand on: one of each, made when the pool starts.
import type { Clock } from '../../base/clock.ts'
import type { Clients } from '../clients.ts'
import type { PoolKeys } from '../pool-keys.ts'
import type { RefreshTokens } from '../refresh-tokens.ts'
import type { Tokens } from '../tokens.ts'
import type { Directory } from '../user.ts'
import type { AuthorizationCodes } from './authorization-codes.ts'

export interface OAuthOptions {
  readonly clock: Clock
  readonly issuer: string
  readonly keys: PoolKeys
  readonly clients: Clients
  readonly authorizationCodes: AuthorizationCodes
  readonly tokens: Tokens
  readonly refreshTokens: RefreshTokens
  readonly directory: () => Directory
}
