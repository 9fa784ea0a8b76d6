// THE decision: route, credential, token, access rule. Every way into Poolgate asks here, and what is not allowed is denied.
import type { RequestFacts } from '../http/request-facts.ts'
import type { RouteTable } from '../route/route-table.ts'
import { findCredential, parseCredential } from '../token/credential.ts'
import type { CredentialPlaces } from '../token/credential-places.ts'
import type { Rejected } from '../token/rejected.ts'
import { isRejected, type Verifier, type Wanted } from '../token/verifier.ts'
import { type Allow, type Decision, type Deny, isUpgrade, type Route, toDeny } from './decision.ts'
import { isFromOwnOrigin, needsOrigin } from './origin.ts'
import type { Policy, PolicyRefusal } from './policy.ts'
import { decidePreflight } from './preflight.ts'
import type { Principal } from './principal.ts'

/** A route with its compiled access; `wanted` is undefined where access is public. */
export interface Rule {
  readonly route: Route
  readonly wanted: Wanted | undefined
  readonly policy: Policy
}

/** A verified caller with the decisions already made; dropped with the token and with the configuration. */
export interface Caller {
  readonly principal: Principal
  readonly allows: Map<Route, Allow>
}

export function toCaller(principal: Principal): Caller {
  return { principal, allows: new Map() }
}

/** At once for a known token. Never throws on anything that a request holds. */
export type Authorize = (facts: RequestFacts) => Decision | Promise<Decision>

type Eventually<T> = T | Promise<T>

/** Bytes of identity headers that an upstream with the usual 16 KiB limit still takes beside the rest. */
const MAX_IDENTITY_BYTES = 14 * 1024

const NO_ROUTE: Deny = {
  kind: 'deny',
  reason: 'route_not_found',
  detail: 'no route matches',
  route: undefined,
}

const ORIGIN_DENIED: PolicyRefusal = {
  reason: 'origin_denied',
  detail: 'a cookie, and no Origin of this host or of one that the route names',
}

export function createAuthorize(
  table: RouteTable<Rule>,
  verifier: Pick<Verifier<Caller>, 'verify'>,
): Authorize {
  function admit(
    rule: Rule,
    facts: RequestFacts,
    matched: Route = rule.route,
  ): Eventually<Decision> {
    if (rule.wanted === undefined) return { kind: 'allow', route: rule.route, principal: undefined }
    const credential = credentialOf(rule.route, facts, matched)
    if (typeof credential === 'object') return toDeny(credential, rule.route)
    const outcome = verifier.verify(credential, rule.wanted)
    return outcome instanceof Promise
      ? outcome.then((settled) => decide(rule, settled))
      : decide(rule, outcome)
  }

  /** No weaker reading: each route that a looser reading reaches must allow the request too. */
  function admitOthers(
    first: Eventually<Decision>,
    others: readonly Rule[],
    facts: RequestFacts,
  ): Eventually<Decision> {
    if (first instanceof Promise) return first.then((d) => admitOthers(d, others, facts))
    const [next, ...rest] = others
    if (first.kind === 'deny' || next === undefined) return first
    // It goes on in the protocol of the route that was matched, whatever the others say of that.
    const second = admit(next, facts, first.route)
    const join = (decision: Decision) =>
      decision.kind === 'deny' ? decision : admitOthers(first, rest, facts)
    return second instanceof Promise ? second.then(join) : join(second)
  }

  const hasCors = table.inOrder.some(({ route }) => route.cors !== undefined)
  return (facts) => {
    if (hasCors && facts.method === 'OPTIONS') {
      const preflight = decidePreflight(facts, table)
      if (preflight !== undefined) return preflight
    }
    const match = table.match(facts.method, facts.host.name, facts.target)
    if (match === undefined) return NO_ROUTE
    if ('refused' in match) return toDeny(match, undefined)
    const decision = admit(match.route, facts)
    return match.others.length === 0 ? decision : admitOthers(decision, match.others, facts)
  }
}

/** The token that the request comes with. @param matched the route whose protocol it would go on in */
export function credentialOf(
  { places }: Route,
  facts: RequestFacts,
  matched: Route,
): string | Rejected | PolicyRefusal {
  return places === undefined
    ? parseCredential(facts.authorization)
    : judge(places, facts, isUpgrade(matched, facts))
}

/** The token of a route with further places, where the request may come with it as it does. */
function judge(
  places: CredentialPlaces,
  facts: RequestFacts,
  isUpgraded: boolean,
): string | Rejected | PolicyRefusal {
  const presented = findCredential(facts, places)
  if (isRejected(presented)) return presented
  const { token, isAmbient } = presented
  if (!isAmbient || !needsOrigin(facts, isUpgraded)) return token
  return isFromOwnOrigin(facts, places.origins ?? []) ? token : ORIGIN_DENIED
}

function decide(rule: Rule, caller: Caller | Rejected): Decision {
  const { route } = rule
  if (isRejected(caller)) return toDeny(caller, route)
  const known = caller.allows.get(route)
  if (known !== undefined) return known
  const { principal } = caller
  const refusal = rule.policy(principal) ?? checkIdentityBytes(principal)
  if (refusal) return { kind: 'deny', route, principal, ...refusal }
  const allow: Allow = { kind: 'allow', route, principal }
  caller.allows.set(route, allow)
  return allow
}

/** Identity headers are sent whole or not at all: a cut list of groups would be a wrong one. */
export function checkIdentityBytes({ identityHeaders }: Principal): ReturnType<Policy> {
  const bytes = identityHeaders.reduce((sum, text) => sum + text.length + 2, 0)
  if (bytes <= MAX_IDENTITY_BYTES) return undefined
  return { reason: 'headers_too_large', detail: `${bytes} bytes of identity headers` }
}
