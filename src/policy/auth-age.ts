// How long ago a caller signed in. Asked of each request anew: time alone makes a caller too old.
import type { PolicyRefusal } from './policy.ts'
import type { Principal } from './principal.ts'

/** Undefined where `auth_time` (OpenID Connect Core 1.0 section 2) lies no longer ago than `maxAgeMs`. */
export function checkAuthAge(
  { claims: { auth_time: authTime } }: Pick<Principal, 'claims'>,
  maxAgeMs: number,
  nowMs: number,
): PolicyRefusal | undefined {
  const ageMs = typeof authTime === 'number' ? nowMs - authTime * 1_000 : Number.NaN
  if (ageMs <= maxAgeMs) return undefined
  const seconds = Math.floor(maxAgeMs / 1_000)
  const seen = Number.isNaN(ageMs) ? 'no auth_time' : `${Math.floor(ageMs / 1_000)} s ago`
  return {
    reason: 'insufficient_user_authentication',
    detail: `signed in at most ${seconds} s ago, seen ${seen}`,
  }
}
