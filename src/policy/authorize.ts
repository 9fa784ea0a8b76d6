// THE decision: route, credential or session, token, access rule. Every way into Poolgate asks here, and what is not allowed is denied.
import type { Clock } from '../base/clock.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import type { RouteTable } from '../route/route-table.ts'
import type { Found } from '../session/session-keeper.ts'
import type { SignIn } from '../session/sign-in.ts'
import { findCredential, parseCredential } from '../token/credential.ts'
import type { CredentialPlaces } from '../token/credential-places.ts'
import type { Rejected } from '../token/rejected.ts'
import { isRejected, type Verifier, type Wanted } from '../token/verifier.ts'
import { checkAuthAge } from './auth-age.ts'
import {
  type Allow,
  type Decision,
  type Deny,
  type DenyReason,
  isUpgrade,
  type Route,
  type StepUp,
  toDeny,
} from './decision.ts'
import { type Beside, besideBearer, createLogIn } from './login.ts'
import { isFromOwnOrigin, needsOrigin, ORIGIN_DENIED } from './origin.ts'
import type { Policy, PolicyRefusal } from './policy.ts'
import { decidePreflight } from './preflight.ts'
import { ofSession, takeToken } from './session-token.ts'
import type { Principal } from './principal.ts'

/** A route with its compiled access; `wanted` is undefined where access is public. */
export interface Rule {
  readonly route: Route
  readonly wanted: Wanted | undefined
  readonly policy: Policy
  /** How long ago the caller signed in at most; undefined where it does not matter. */
  readonly maxAuthAgeMs?: number | undefined
  /** What a sign-in has to prove; undefined where any will do. */
  readonly stepUp?: StepUp | undefined
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

export interface AuthorizePorts {
  readonly clock: Pick<Clock, 'now'>
  readonly verifier: Pick<Verifier<Caller>, 'verify'>
  /** By the name that routes have in `signIn`. */
  readonly signIns: ReadonlyMap<string, Pick<SignIn, 'find'>>
}

export function createAuthorize(table: RouteTable<Rule>, ports: AuthorizePorts): Authorize {
  const { clock, verifier, signIns } = ports
  const addLogin = createLogIn(verifier.verify)

  function admit(
    rule: Rule,
    facts: RequestFacts,
    matched: Route = rule.route,
  ): Eventually<Decision> {
    if (rule.wanted === undefined) return { kind: 'allow', route: rule.route, principal: undefined }
    const credential = credentialOf(rule.route, facts, matched)
    if (typeof credential === 'string') {
      const decision = prove(rule, credential, rule.wanted)
      return rule.route.loginKey === undefined
        ? decision
        : logIn(decision, credential, () => besideBearer(facts.headers))
    }
    const signIn = signIns.get(rule.route.signIn ?? '')
    if (signIn === undefined || credential.reason !== 'credential_missing') {
      return toDeny(credential, rule.route)
    }
    // A session counts where nothing was presented on purpose; the two are never put together.
    const ask = (found: Found) => admitSession(rule, rule.wanted as Wanted, found, facts, matched)
    return whenKnown(signIn.find(facts), ask)
  }

  function prove(rule: Rule, token: string, wanted: Wanted): Eventually<Decision> {
    const caller = verifier.verify(token, wanted)
    return caller instanceof Promise
      ? caller.then((settled) => decide(rule, settled, clock))
      : decide(rule, caller, clock)
  }

  function admitSession(
    rule: Rule,
    wanted: Wanted,
    found: Found,
    facts: RequestFacts,
    matched: Route,
  ): Eventually<Decision> {
    const presented = takeToken(found, rule.route, wanted, facts, matched)
    if (typeof presented !== 'string') return presented
    const { cookies = [], session } = found as Extract<Found, { kind: 'session' }>
    const { signIn } = rule.route
    const proven = prove(rule, presented, wanted)
    const decision = logIn(proven, presented, () => ({ idToken: session.tokens.id, signIn }))
    return whenKnown(decision, (settled) => ofSession(settled, cookies, signIn))
  }

  /** With the caller's ID token, where the route's upstream needs it. */
  function logIn(
    decision: Eventually<Decision>,
    token: string,
    beside: () => Beside | DenyReason,
  ): Eventually<Decision> {
    return whenKnown(decision, (settled) =>
      settled.kind === 'allow' ? addLogin(settled, token, beside) : settled,
    )
  }

  /** No weaker reading: each route that a looser reading reaches must allow the request too. */
  function admitOthers(
    first: Eventually<Decision>,
    others: readonly Rule[],
    facts: RequestFacts,
  ): Eventually<Decision> {
    return whenKnown(first, (decision) => {
      const [next, ...rest] = others
      if (decision.kind === 'deny' || next === undefined) return decision
      // It goes on in the protocol of the route that was matched, whatever the others say of that.
      return whenKnown(admit(next, facts, decision.route), (second) =>
        second.kind === 'deny' ? second : admitOthers(decision, rest, facts),
      )
    })
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

function decide(rule: Rule, caller: Caller | Rejected, clock: Pick<Clock, 'now'>): Decision {
  const { route, maxAuthAgeMs } = rule
  if (isRejected(caller)) return toDeny(caller, route)
  const { principal } = caller
  if (maxAuthAgeMs !== undefined) {
    const late = rule.policy(principal) ?? checkAuthAge(principal, maxAuthAgeMs, clock.now())
    if (late) return toRefused(rule, principal, late)
  }
  const known = caller.allows.get(route)
  if (known !== undefined) return known
  const refusal = rule.policy(principal) ?? checkIdentityBytes(principal)
  if (refusal) return toRefused(rule, principal, refusal)
  const allow: Allow = { kind: 'allow', route, principal }
  caller.allows.set(route, allow)
  return allow
}

function toRefused(
  { route, stepUp }: Rule,
  principal: Principal,
  { reason, detail, isAskable = true }: PolicyRefusal,
): Deny {
  return { kind: 'deny', route, principal, reason, detail, stepUp: isAskable ? stepUp : undefined }
}

/** At once where that is possible: a request of a known caller waits for nothing. */
function whenKnown<T, R>(value: Eventually<T>, then: (value: T) => Eventually<R>): Eventually<R> {
  return value instanceof Promise ? value.then(then) : then(value)
}

/** Identity headers are sent whole or not at all: a cut list of groups would be a wrong one. */
export function checkIdentityBytes({ identityHeaders }: Principal): ReturnType<Policy> {
  const bytes = identityHeaders.reduce((sum, text) => sum + text.length + 2, 0)
  if (bytes <= MAX_IDENTITY_BYTES) return undefined
  return { reason: 'headers_too_large', detail: `${bytes} bytes of identity headers` }
}
