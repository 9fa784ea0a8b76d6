// A route's access rule, compiled: which verified callers it admits. Every list is compared exactly.
import type { DenyReason } from './decision.ts'
import { type Principal, providersOf, toTexts } from './principal.ts'

/** `anyOf`: at least one; `allOf`: every one; `noneOf`: not one. Those that are given must all hold. */
export interface Membership {
  readonly anyOf?: readonly string[] | undefined
  readonly allOf?: readonly string[] | undefined
  readonly noneOf?: readonly string[] | undefined
}

export type Scalar = string | number | boolean

export interface Requirements {
  readonly groups?: Membership | undefined
  readonly scopes?: Membership | undefined
  /** Of `identities`: where the caller signed in. */
  readonly providers?: Membership | undefined
  /** Claim name → the allowed value or values. */
  readonly claims?: Readonly<Record<string, Scalar | readonly Scalar[]>> | undefined
  /** Allowed values of `acr`. */
  readonly acr?: readonly string[] | undefined
  readonly amr?: Membership | undefined
}

export interface PolicyRefusal {
  readonly reason: DenyReason
  readonly detail: string
  /** Whether a sign-in can be asked for what is missing; default: yes. */
  readonly isAskable?: boolean
}

/** Undefined admits the caller. */
export type Policy = (principal: Principal) => PolicyRefusal | undefined

export function compilePolicy(requirements: Requirements): Policy {
  const rules: Policy[] = []
  const { groups, scopes, providers, claims, acr, amr } = requirements
  if (groups) rules.push(compileMembership('group_missing', 'groups', groups, (p) => p.groups))
  if (scopes) rules.push(compileMembership('scope_missing', 'scopes', scopes, (p) => p.scopes))
  if (providers)
    rules.push(compileMembership('provider_denied', 'providers', providers, providersOf))
  for (const [name, allowed] of Object.entries(claims ?? {}))
    rules.push(compileClaim(name, allowed))
  // Last: whoever may not do it anyway is not sent to sign in again.
  if (acr) rules.push(compileAcr(acr))
  if (amr) rules.push(compileAmr(amr))
  return (principal) => {
    for (const rule of rules) {
      const refusal = rule(principal)
      if (refusal) return refusal
    }
    return undefined
  }
}

function compileMembership(
  reason: DenyReason,
  what: string,
  membership: Membership,
  valuesOf: (principal: Principal) => readonly string[] | undefined,
): Policy {
  const { anyOf, allOf, noneOf } = membership
  return (principal) => {
    const seen = valuesOf(principal)
    const refusal = (reason: DenyReason, rule: string, wanted: readonly string[]) => ({
      reason,
      detail: `${what} ${rule} ${JSON.stringify(wanted)}, seen ${JSON.stringify(seen)}`,
    })
    // A claim of another shape proves neither membership nor its absence.
    if (seen === undefined) return { reason, detail: `the ${what} claim has an unknown shape` }
    if (anyOf && !anyOf.some((value) => seen.includes(value)))
      return refusal(reason, 'anyOf', anyOf)
    if (allOf && !allOf.every((value) => seen.includes(value)))
      return refusal(reason, 'allOf', allOf)
    if (noneOf?.some((value) => seen.includes(value))) {
      return refusal('policy_denied', 'noneOf', noneOf)
    }
    return undefined
  }
}

/** Compared by value and type: `"true"` is not `true`, and a list is never equal to its member. */
function compileClaim(name: string, allowed: Scalar | readonly Scalar[]): Policy {
  const values: readonly unknown[] = Array.isArray(allowed) ? allowed : [allowed]
  return ({ claims }) => {
    const claim = Object.hasOwn(claims, name) ? claims[name] : undefined
    if (values.includes(claim)) return undefined
    return {
      reason: 'claim_mismatch',
      detail: `claim ${name} of ${JSON.stringify(values)}, seen ${JSON.stringify(claim)}`,
    }
  }
}

/** The managed login ignores `acr_values` where it does not know them: what counts is the claim. */
function compileAcr(allowed: readonly string[]): Policy {
  return ({ claims: { acr } }) => {
    if (typeof acr === 'string' && allowed.includes(acr)) return undefined
    return {
      reason: 'insufficient_user_authentication',
      detail: `acr of ${JSON.stringify(allowed)}, seen ${JSON.stringify(acr)}`,
    }
  }
}

/** Another method would do, but no sign-in can be asked for one: a browser that was sent there might come back the same for ever. */
function compileAmr(amr: Membership): Policy {
  const reason = 'insufficient_user_authentication'
  const check = compileMembership(reason, 'amr', amr, ({ claims }) => toTexts(claims.amr))
  return (principal) => {
    const refusal = check(principal)
    return refusal && { ...refusal, reason, isAskable: false }
  }
}
