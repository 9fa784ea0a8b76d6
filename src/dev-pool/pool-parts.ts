// What the API, the OAuth endpoints and the managed login of the dev pool stand on: one of each, made when the pool starts.
import type { Clock } from '../base/clock.ts'
import type { Accounts } from './accounts.ts'
import type { ImportJobs } from './api/import-jobs.ts'
import type { Clients } from './clients.ts'
import type { ConfirmationCodes } from './confirmation-codes.ts'
import type { Identities } from './identity/identities.ts'
import type { IdentityPoolSettings } from './identity/identity-pool-settings.ts'
import type { IssuedCredentials } from './identity/issued-credentials.ts'
import type { OpenIdTokens } from './identity/open-id-tokens.ts'
import type { Browsers } from './managed-login/browsers.ts'
import type { AuthorizationCodes } from './oauth/authorization-codes.ts'
import type { PoolKeys } from './pool-keys.ts'
import type { RefreshTokens } from './refresh-tokens.ts'
import type { Tokens } from './tokens.ts'
import type { UserStore } from './user-store.ts'

export interface PoolParts {
  readonly clock: Clock
  readonly issuer: string
  readonly userPoolId: string
  /** The app client that signs in with passwords. */
  readonly clientId: string
  readonly clients: Clients
  readonly keys: PoolKeys
  readonly tokens: Tokens
  readonly refreshTokens: RefreshTokens
  readonly authorizationCodes: AuthorizationCodes
  readonly browsers: Browsers
  readonly store: UserStore
  /** Of sign-ups and forgotten passwords. */
  readonly codes: ConfirmationCodes
  readonly accounts: Accounts
  readonly importJobs: ImportJobs
  readonly identityPool: IdentityPoolSettings
  readonly identities: Identities
  readonly openIdTokens: OpenIdTokens
  readonly issued: IssuedCredentials
  /** In place of an e-mail or a text message. */
  readonly send: (username: string, text: string) => void
}
