// What a session has for a route: the token that its access rule is asked of, or why there is none and whether signing in again helps.
import type { RequestFacts } from '../http/request-facts.ts'
import type { Found } from '../session/session-keeper.ts'
import type { Wanted } from '../token/verifier.ts'
import {
  type Decision,
  type Deny,
  type DenyReason,
  isUpgrade,
  type Route,
  toDeny,
} from './decision.ts'
import { isFromOwnOrigin, needsOrigin, ORIGIN_DENIED } from './origin.ts'
import type { PolicyRefusal } from './policy.ts'

const NO_SESSION: PolicyRefusal = {
  reason: 'credential_missing',
  detail: 'no Authorization field, and no session',
}

/**
 * The token that a session has for a route, or why it has none.
 * @param matched the route whose protocol the request would go on in
 */
export function takeToken(
  found: Found,
  route: Route,
  { tokenUse }: Wanted,
  facts: RequestFacts,
  matched: Route,
): string | Deny {
  const { signIn } = route
  if (found.kind === 'none') return { ...toDeny(NO_SESSION, route), signIn }
  if (found.kind === 'unavailable') {
    return toDeny({ ...found, reason: 'sessions_unavailable' }, route)
  }
  if (found.kind === 'ended')
    return { ...sessionEnded(route, found.detail), cookies: found.cookies }
  const { access, id } = found.session.tokens
  const token = tokenUse === 'id' ? id : (access ?? (tokenUse === 'any' ? id : undefined))
  if (token === undefined) return sessionEnded(route, `the session holds no ${tokenUse} token`)
  const isOwn =
    !needsOrigin(facts, isUpgrade(matched, facts)) ||
    isFromOwnOrigin(facts, route.places?.origins ?? [])
  return isOwn ? token : toDeny(ORIGIN_DENIED, route)
}

function sessionEnded(route: Route, detail: string): Deny {
  return { ...toDeny({ reason: 'session_ended', detail }, route), signIn: route.signIn }
}

/** Refusals that another sign-in may cure. */
const CURED_BY_SIGN_IN: ReadonlySet<DenyReason> = new Set<DenyReason>([
  'token_expired',
  'token_revoked',
  'token_key_unknown',
  'token_signature',
  'token_issuer',
  'token_client',
])

export function ofSession(
  decision: Decision,
  cookies: readonly string[],
  signIn: string | undefined,
): Decision {
  const isCured = decision.kind === 'deny' && isCuredBySignIn(decision)
  // An allow may be a kept one, which is everybody's.
  if (cookies.length === 0 && !isCured) return decision
  return { ...decision, cookies, ...(isCured && { signIn }) } as Decision
}

function isCuredBySignIn({ reason, stepUp }: Deny): boolean {
  if (reason === 'insufficient_user_authentication') return stepUp !== undefined
  return CURED_BY_SIGN_IN.has(reason)
}
