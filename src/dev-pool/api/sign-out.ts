// Ends every sign-in that a user has: refresh tokens at once, access tokens for the pool's own API.
import type { PoolParts } from '../pool-parts.ts'
import type { ApiResult } from '../api-error.ts'
import type { DevUser } from '../user.ts'

export function signOutEverywhere({ clock, store }: PoolParts, user: DevUser): ApiResult {
  store.save({ ...user, signedOutMs: clock.now() })
  return { body: {} }
}
