// Authorization codes: each good once, for five minutes, for one client and one callback (RFC 6749 section 4.1.2).
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import type { SignIn } from '../tokens.ts'

export interface CodeGrant {
  readonly username: string
  readonly signIn: SignIn
  /** As the client wrote it. */
  readonly redirectUri: string
  readonly codeChallenge?: string | undefined
  readonly nonce?: string | undefined
}

export type RedeemedCode =
  | { readonly kind: 'grant'; readonly grant: CodeGrant; readonly issuedMs: number }
  | { readonly kind: 'unknown' }
  /** A second use: the tokens of the first are in doubt too. */
  | { readonly kind: 'reused'; readonly originJti: string }

export interface AuthorizationCodes {
  issue(grant: CodeGrant): string
  redeem(code: string): RedeemedCode
}

const LIFE_MS = 5 * 60_000
const MAX_CODES = 10_000

export function createAuthorizationCodes(clock: Clock): AuthorizationCodes {
  const codes = new Map<string, { grant: CodeGrant; issuedMs: number; used: boolean }>()
  return {
    issue(grant) {
      const code = randomUUID()
      codes.set(code, { grant, issuedMs: clock.now(), used: false })
      if (codes.size > MAX_CODES) codes.delete(codes.keys().next().value ?? '')
      return code
    },
    redeem(code) {
      const found = codes.get(code)
      if (found === undefined) return { kind: 'unknown' }
      if (found.used) return { kind: 'reused', originJti: found.grant.signIn.originJti }
      found.used = true
      const { grant, issuedMs } = found
      const isOver = clock.now() >= issuedMs + LIFE_MS
      return isOver ? { kind: 'unknown' } : { kind: 'grant', grant, issuedMs }
    },
  }
}
