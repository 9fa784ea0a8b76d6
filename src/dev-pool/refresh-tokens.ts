// Refresh tokens: opaque, kept in memory, each standing for one sign-in. Holds names of users, never their data.
import { randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { SignIn } from './tokens.ts'

export interface Grant {
  readonly username: string
  readonly signIn: SignIn
  /** Milliseconds since the epoch, all three. */
  readonly issuedMs: number
  readonly expiresAtMs: number
  /** Once it was exchanged for another: how long it can be used again, by a client that missed the answer. */
  readonly graceEndsMs?: number
}

export interface RefreshTokens {
  issue(username: string, signIn: SignIn): string
  /** The sign-in that a token stands for, or why it stands for none. */
  find(token: string): Grant | 'unknown' | 'revoked' | 'expired'
  /** Another token for the same sign-in and the rest of its time; the given one goes on for `graceMs`, counted from the first time. */
  exchange(token: string, grant: Grant, graceMs: number): string
  /** Ends the token's sign-in; without effect on a token that is not known. */
  revoke(token: string): void
  revokeSignIn(originJti: string): void
  isRevoked(originJti: string): boolean
  /** When the sign-in's first refresh token was issued, to the millisecond: tokens know the second only. */
  issuedMs(originJti: string): number | undefined
}

const LIFE_MS = 30 * 24 * 3_600_000
/** The oldest go first; a dev pool that runs for weeks under a test loop stays small. */
const MAX_GRANTS = 10_000

export function createRefreshTokens(clock: Clock): RefreshTokens {
  const grants = new Map<string, Grant>()
  const issued = new Map<string, number>()
  const revoked = new Set<string>()

  function keep(grant: Grant): string {
    const token = randomBytes(96).toString('base64url')
    grants.set(token, grant)
    dropOldest(grants)
    return token
  }

  function revokeSignIn(originJti: string): void {
    revoked.add(originJti)
    dropOldest(revoked)
  }

  return {
    issue(username, signIn) {
      const issuedMs = clock.now()
      issued.set(signIn.originJti, issuedMs)
      dropOldest(issued)
      return keep({ username, signIn, issuedMs, expiresAtMs: issuedMs + LIFE_MS })
    },
    find(token) {
      const grant = grants.get(token)
      if (grant === undefined) return 'unknown'
      if (revoked.has(grant.signIn.originJti)) return 'revoked'
      if (clock.now() >= (grant.graceEndsMs ?? Number.POSITIVE_INFINITY)) return 'revoked'
      return clock.now() < grant.expiresAtMs ? grant : 'expired'
    },
    exchange(token, { graceEndsMs, ...grant }, graceMs) {
      grants.set(token, { ...grant, graceEndsMs: graceEndsMs ?? clock.now() + graceMs })
      return keep(grant)
    },
    revoke(token) {
      const grant = grants.get(token)
      if (grant !== undefined) revokeSignIn(grant.signIn.originJti)
    },
    revokeSignIn,
    isRevoked: (originJti) => revoked.has(originJti),
    issuedMs: (originJti) => issued.get(originJti),
  }
}

function dropOldest(kept: Map<string, unknown> | Set<string>): void {
  if (kept.size <= MAX_GRANTS) return
  const [oldest = ''] = kept.keys()
  kept.delete(oldest)
}
