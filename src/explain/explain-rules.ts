// Each rule of a route's access by itself, with what it wants and what the caller has. It decides nothing.
import type { Config } from '../config/schema.ts'
import { compilePolicy, type Requirements } from '../policy/policy.ts'
import type { Principal } from '../policy/principal.ts'
import { type Check, type Step, toCheck, toInfo } from './step.ts'

type Access = Config['routes'][number]['access']

/** @param principal undefined where no token could be read */
export function explainRules(name: string, access: Access, principal: Principal | undefined): Step {
  return { title: `access of route ${name}`, checks: toChecks(access, principal) }
}

function toChecks(access: Access, principal: Principal | undefined): Check[] {
  if (access === 'public') return [toInfo('public', 'no token is asked for')]
  if (access === 'authenticated') return [toInfo('authenticated', 'any valid access token')]
  const rules = listRules(access)
  if (rules.length === 0) return [toInfo('rules', `any valid ${access.tokenUse} token`)]
  return rules.map(({ what, wanted, requirements, seenIn }) => {
    const words = `wanted ${JSON.stringify(wanted)}`
    if (principal === undefined) return toInfo(what, words)
    const refusal = compilePolicy(requirements)(principal)
    const detail = `${words}, seen ${seenIn(principal)}`
    return toCheck(what, refusal && { ...refusal, detail }, detail)
  })
}

interface OneRule {
  readonly what: string
  readonly wanted: unknown
  /** The rule alone. */
  readonly requirements: Requirements
  readonly seenIn: (principal: Principal) => string
}

/** In the order in which the policy asks. */
function listRules({ groups, scopes, claims }: Exclude<Access, string>): OneRule[] {
  const lists = Object.entries({ groups, scopes }).flatMap(([what, membership]) =>
    (['anyOf', 'allOf', 'noneOf'] as const).flatMap((how): OneRule[] => {
      const wanted = membership?.[how]
      const requirements = { [what]: { [how]: wanted } }
      const seenIn = (principal: Principal) => toSeen(principal[what as 'groups' | 'scopes'])
      return wanted === undefined ? [] : [{ what: `${what} ${how}`, wanted, requirements, seenIn }]
    }),
  )
  const values = Object.entries(claims ?? {}).map(([name, wanted]): OneRule => {
    const requirements = { claims: { [name]: wanted } }
    const seenIn = ({ claims: all }: Principal) =>
      Object.hasOwn(all, name) ? JSON.stringify(all[name]) : 'no such claim'
    return { what: `claim ${name}`, wanted, requirements, seenIn }
  })
  return [...lists, ...values]
}

function toSeen(values: readonly string[] | undefined): string {
  return values === undefined ? 'a claim of an unknown shape' : JSON.stringify(values)
}
