// Each rule of a route's access by itself, with what it wants and what the caller has. It decides nothing.
import type { Config } from '../config/schema.ts'
import { checkAuthAge } from '../policy/auth-age.ts'
import { compilePolicy, type Membership, type Requirements } from '../policy/policy.ts'
import { type Principal, providersOf, toTexts } from '../policy/principal.ts'
import { type Check, type Step, toCheck, toInfo } from './step.ts'

type Access = Config['routes'][number]['access']

/** @param principal undefined where no token could be read */
export function explainRules(
  name: string,
  access: Access,
  principal: Principal | undefined,
  nowMs: number,
): Step {
  return { title: `access of route ${name}`, checks: toChecks(access, principal, nowMs) }
}

function toChecks(access: Access, principal: Principal | undefined, nowMs: number): Check[] {
  if (access === 'public') return [toInfo('public', 'no token is asked for')]
  if (access === 'authenticated') return [toInfo('authenticated', 'any valid access token')]
  const { maxAuthAgeMs } = access
  const rules = listRules(access)
  if (rules.length === 0 && maxAuthAgeMs === undefined) {
    return [toInfo('rules', `any valid ${access.tokenUse} token`)]
  }
  const checks = rules.map(({ what, wanted, requirements, seenIn }) => {
    const words = `wanted ${JSON.stringify(wanted)}`
    if (principal === undefined) return toInfo(what, words)
    const refusal = compilePolicy(requirements)(principal)
    const detail = `${words}, seen ${seenIn(principal)}`
    return toCheck(what, refusal && { ...refusal, detail }, detail)
  })
  return maxAuthAgeMs === undefined ? checks : [...checks, toAge(maxAuthAgeMs, principal, nowMs)]
}

function toAge(maxAuthAgeMs: number, principal: Principal | undefined, nowMs: number): Check {
  const words = `at most ${maxAuthAgeMs / 1_000} s`
  if (principal === undefined) return toInfo('age of the sign-in', words)
  return toCheck('age of the sign-in', checkAuthAge(principal, maxAuthAgeMs, nowMs), words)
}

interface OneRule {
  readonly what: string
  readonly wanted: unknown
  /** The rule alone. */
  readonly requirements: Requirements
  readonly seenIn: (principal: Principal) => string
}

/** In the order in which the policy asks. */
function listRules(access: Exclude<Access, string>): OneRule[] {
  const { groups, scopes, providers, claims, acr, amr } = access
  const values = Object.entries(claims ?? {}).map(([name, wanted]): OneRule => {
    const requirements = { claims: { [name]: wanted } }
    const seenIn = ({ claims: all }: Principal) =>
      Object.hasOwn(all, name) ? JSON.stringify(all[name]) : 'no such claim'
    return { what: `claim ${name}`, wanted, requirements, seenIn }
  })
  const classes: OneRule[] =
    acr === undefined
      ? []
      : [
          {
            what: 'acr',
            wanted: acr,
            requirements: { acr },
            seenIn: (principal) => JSON.stringify(principal.claims.acr ?? 'no such claim'),
          },
        ]
  return [
    ...listMembership('groups', groups, (principal) => principal.groups),
    ...listMembership('scopes', scopes, (principal) => principal.scopes),
    ...listMembership('providers', providers, providersOf),
    ...values,
    ...classes,
    ...listMembership('amr', amr, ({ claims }) => toTexts(claims.amr)),
  ]
}

function listMembership(
  what: 'groups' | 'scopes' | 'providers' | 'amr',
  membership: Membership | undefined,
  valuesOf: (principal: Principal) => readonly string[] | undefined,
): OneRule[] {
  return (['anyOf', 'allOf', 'noneOf'] as const).flatMap((how): OneRule[] => {
    const wanted = membership?.[how]
    const requirements = { [what]: { [how]: wanted } }
    const seenIn = (principal: Principal) => toSeen(valuesOf(principal))
    return wanted === undefined ? [] : [{ what: `${what} ${how}`, wanted, requirements, seenIn }]
  })
}

function toSeen(values: readonly string[] | undefined): string {
  return values === undefined ? 'a claim of an unknown shape' : JSON.stringify(values)
}
