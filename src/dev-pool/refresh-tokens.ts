// Refresh tokens: opaque, kept in memory, each standing for one sign-in. Holds names of users, never their data.
import { randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { SignIn } from './tokens.ts'

export interface Grant {
  readonly username: string
  readonly signIn: SignIn
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number
}

export interface RefreshTokens {
  issue(username: string, signIn: SignIn): string
  /** The sign-in that a token stands for, or why it stands for none. */
  find(token: string): Grant | 'unknown' | 'revoked' | 'expired'
  /** Ends the token's sign-in; without effect on a token that is not known. */
  revoke(token: string): void
  isRevoked(originJti: string): boolean
}

const LIFE_MS = 30 * 24 * 3_600_000
/** The oldest go first; a dev pool that runs for weeks under a test loop stays small. */
const MAX_GRANTS = 10_000

export function createRefreshTokens(clock: Clock): RefreshTokens {
  const grants = new Map<string, Grant>()
  const revoked = new Set<string>()
  return {
    issue(username, signIn) {
      const token = randomBytes(96).toString('base64url')
      grants.set(token, { username, signIn, expiresAtMs: clock.now() + LIFE_MS })
      dropOldest(grants)
      return token
    },
    find(token) {
      const grant = grants.get(token)
      if (grant === undefined) return 'unknown'
      if (revoked.has(grant.signIn.originJti)) return 'revoked'
      return clock.now() < grant.expiresAtMs ? grant : 'expired'
    },
    revoke(token) {
      const grant = grants.get(token)
      if (grant !== undefined) revoked.add(grant.signIn.originJti)
      dropOldest(revoked)
    },
    isRevoked: (originJti) => revoked.has(originJti),
  }
}

function dropOldest(kept: Map<string, Grant> | Set<string>): void {
  if (kept.size <= MAX_GRANTS) return
  const [oldest = ''] = kept.keys()
  kept.delete(oldest)
}
