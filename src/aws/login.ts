// Who asks an identity pool for credentials. Made of a token that has been verified here, or that the identity pool verifies itself.
import { createHash } from 'node:crypto'
import { type Claims, clientOf } from '../token/claims.ts'
import { parseJsonObject } from '../token/strict-json.ts'

export interface Login {
  /** The key of `Logins`: who issued the token, in the identity pool's words. */
  readonly provider: string
  readonly token: string
  /** Credentials are never kept for longer. */
  readonly validUntilMs: number
  /** Equal for the same user with the same claims, and for nobody else. */
  readonly user: string
  /** Of the token itself. */
  readonly tokenKey: string
  /** Whether Poolgate has verified the token; others the identity pool alone does. */
  readonly isVerified: boolean
  readonly subject: string
  readonly clientId: string
  /** `cognito:roles`, and `cognito:preferred_role` where there is one. */
  readonly roles: readonly string[]
  readonly preferredRole: string | undefined
}

/** @param claims of the same token, verified as an ID token */
export function toLogin(
  provider: string,
  token: string,
  claims: Claims,
  validUntilMs: number,
): Login {
  const { sub, 'cognito:preferred_role': preferred } = claims
  const roles = toTexts(claims['cognito:roles'])
  const preferredRole = typeof preferred === 'string' ? preferred : undefined
  const clientId = clientOf(claims, 'id')
  return {
    provider,
    token,
    validUntilMs,
    user: toKey(lastingOf(claims)),
    tokenKey: toKey([provider, token]),
    isVerified: true,
    subject: String(sub),
    clientId: typeof clientId === 'string' ? clientId : '',
    roles,
    preferredRole,
  }
}

const OPAQUE_LIFE_MS = 3_600_000

/** Of a provider whose tokens are nothing to Poolgate: the identity pool verifies them, and nobody else's text is taken for this one. */
export function toForeignLogin(provider: string, token: string, nowMs: number): Login {
  const tokenKey = toKey([provider, token])
  return {
    provider,
    token,
    validUntilMs: unverifiedExpiryMs(token) ?? nowMs + OPAQUE_LIFE_MS,
    user: tokenKey,
    tokenKey,
    isVerified: false,
    subject: '',
    clientId: '',
    roles: [],
    preferredRole: undefined,
  }
}

/** Only ever shortens what is kept. */
function unverifiedExpiryMs(token: string): number | undefined {
  const [, payload = ''] = token.split('.')
  const exp = parseJsonObject(Buffer.from(payload, 'base64url'))?.exp
  return typeof exp === 'number' ? exp * 1_000 : undefined
}

/** What is another with each token, and nothing that a role or a tag could be chosen by. */
const OF_ONE_TOKEN: readonly string[] = [
  'iat',
  'exp',
  'auth_time',
  'jti',
  'origin_jti',
  'event_id',
  'nonce',
  'at_hash',
]

/** Roles by rules and principal tags go by any claim, so another value of any is another user. */
function lastingOf(claims: Claims): (readonly [string, unknown])[] {
  return Object.entries(claims)
    .filter(([name]) => !OF_ONE_TOKEN.includes(name))
    .sort(([one], [other]) => (one < other ? -1 : 1))
}

function toKey(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

function toTexts(claim: unknown): readonly string[] {
  return Array.isArray(claim) ? claim.filter((one) => typeof one === 'string') : []
}
