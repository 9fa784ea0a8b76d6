// Ends every sign-in that a user has: refresh tokens at once, access tokens for the pool's own API.
import type { ApiResult } from '../api-error.ts'
import type { DevUser } from '../user.ts'
import type { CognitoApiOptions } from './operation.ts'

export function signOutEverywhere({ clock, store }: CognitoApiOptions, user: DevUser): ApiResult {
  store.save({ ...user, signedOutMs: clock.now() })
  return { body: {} }
}
