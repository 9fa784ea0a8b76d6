// Whether one access asks for at least what another asks for. Says no where it cannot tell.
import type { Config } from './schema.ts'

type Access = Config['routes'][number]['access']
type Rule = Exclude<Access, string>
type Membership = NonNullable<Rule['groups']>

/** Whoever `access` admits, `other` would admit as well. Kinds of token are not compared: neither has more rights. */
export function asksAsMuch(access: Access, other: Access, userPools: readonly string[]): boolean {
  if (other === 'public') return true
  if (access === 'public') return false
  if (other === 'authenticated') return true
  const rule: Partial<Rule> = access === 'authenticated' ? {} : access
  return (
    (other.userPool === undefined || userPools.length === 1 || rule.userPool === other.userPool) &&
    coversMembership(rule.groups, other.groups) &&
    coversMembership(rule.scopes, other.scopes) &&
    Object.entries(other.claims ?? {}).every(([name, allowed]) => {
      const given = rule.claims?.[name]
      return given !== undefined && isWithin([given].flat(), [allowed].flat())
    })
  )
}

function coversMembership(rule: Membership = {}, other: Membership = {}): boolean {
  const { anyOf, allOf = [], noneOf = [] } = rule
  const all = anyOf?.length === 1 ? [...allOf, ...anyOf] : allOf
  const meetsAny =
    other.anyOf === undefined ||
    (anyOf !== undefined && isWithin(anyOf, other.anyOf)) ||
    all.some((name) => other.anyOf?.includes(name))
  return meetsAny && isWithin(other.allOf ?? [], all) && isWithin(other.noneOf ?? [], noneOf)
}

function isWithin<T>(part: readonly T[], whole: readonly T[]): boolean {
  return part.every((member) => whole.includes(member))
}
