// What an ingress has to do to the header fields of a request that it may forward, so that nothing a client sent passes for Poolgate's.
import { normaliseFieldName, valuesOf } from '../http/headers.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import type { Allow } from '../policy/decision.ts'
import type { Principal } from '../policy/principal.ts'
import type { Ruleset } from '../proxy/ruleset.ts'
import { forwardedCookies } from '../proxy/upstream-headers.ts'

type Owned = Pick<Ruleset, 'identityHeaders' | 'ownerOf'>
type Cookies = Pick<Ruleset, 'isOwnCookie'>

/**
 * Every identity header, in order: name, value, name, value … Empty where the caller has no such claim, or nobody was asked for a token:
 * an ingress that copies them overwrites what the client sent (CVE-2026-30851).
 */
export function toIdentityFields(
  { identityHeaders: names }: Owned,
  principal: Principal | undefined,
): string[] {
  const held = principal?.identityHeaders ?? []
  const fields: string[] = []
  let next = 0
  for (const name of names) {
    const isHeld = held[next] === name
    fields.push(name, isHeld ? (held[next + 1] as string) : '')
    if (isHeld) next += 2
  }
  return fields
}

/** Envoy over HTTP shows several fields as one: behind such a comma a cookie of the gateway's would pass for a part of another. */
const JOINED = /, *(?=__Host-)/

/**
 * The Cookie field that a service gets in the place of the client's: without the gateway's own, which whoever reads it there could take to
 * another service. Said of every request, empty where nothing is left or was there: an ingress can always copy it.
 */
export function toCookieFields(
  { headers }: Pick<RequestFacts, 'headers'>,
  { route }: Pick<Allow, 'route'>,
  { isOwnCookie }: Cookies,
): readonly [name: string, value: string] {
  const lines = valuesOf(headers, 'cookie').flatMap((line) => line.split(JOINED))
  const kept = lines.map((line) => forwardedCookies(line, route, isOwnCookie))
  return ['cookie', kept.filter((line) => line !== '').join('; ')]
}

/** The same for who leaves fields as they are unless told otherwise: nothing where it is what the client sent. */
export function toChangedCookieFields(
  facts: Pick<RequestFacts, 'headers'>,
  allow: Pick<Allow, 'route'>,
  rules: Cookies,
): readonly string[] {
  const fields = toCookieFields(facts, allow, rules)
  return fields[1] === valuesOf(facts.headers, 'cookie').join('; ') ? [] : fields
}

/** Names of fields, in lower case, that are to be removed: none of those that the other two have a value for. */
export function namesToRemove(
  facts: Pick<RequestFacts, 'headers'>,
  { route, principal }: Allow,
  rules: Owned & Cookies,
): string[] {
  const { headers } = facts
  const { identityHeaders, ownerOf } = rules
  const held = principal?.identityHeaders ?? []
  const isHeld = (name: string) => held.some((other, i) => i % 2 === 0 && other === name)
  const names = new Set(identityHeaders.filter((name) => !isHeld(name)))
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    const owner = ownerOf(normaliseFieldName(name))
    // Many services read `_` as `-`, some decode `%`: such a name could be any other.
    const isOwned = owner === 'always' || owner === 'never' || /[_%]/.test(name)
    if (isOwned && !isHeld(name)) names.add(name)
  }
  if (!route.forwardToken) names.add('authorization')
  const [, cookie] = toChangedCookieFields(facts, { route }, rules)
  if (cookie === '') names.add('cookie')
  return [...names]
}
