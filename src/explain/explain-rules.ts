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
  return rules.map(([what, wanted, requirements]) => {
    if (principal === undefined) return toInfo(what, `wanted ${JSON.stringify(wanted)}`)
    return toCheck(what, compilePolicy(requirements)(principal), `${JSON.stringify(wanted)} holds`)
  })
}

/** Each with its name, and what it wants. */
function listRules({
  groups,
  scopes,
  claims,
}: Exclude<Access, string>): [string, unknown, Requirements][] {
  const rules: [string, unknown, Requirements][] = []
  for (const [what, membership] of Object.entries({ groups, scopes })) {
    for (const [how, names] of Object.entries(membership ?? {})) {
      if (names !== undefined) rules.push([`${what} ${how}`, names, { [what]: { [how]: names } }])
    }
  }
  for (const [name, allowed] of Object.entries(claims ?? {})) {
    rules.push([`claim ${name}`, allowed, { claims: { [name]: allowed } }])
  }
  return rules
}
