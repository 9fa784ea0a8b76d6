// What authorize can answer. A request may be forwarded with an Allow and with nothing else.
import type { Login } from '../aws/login.ts'
import type { HeaderEdits } from '../http/header-edits.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import type { CredentialPlaces } from '../token/credential-places.ts'
import type { Rejected } from '../token/rejected.ts'
import type { Cors } from './cors.ts'
import type { Principal } from './principal.ts'

/** Every reason for which Poolgate answers by itself; the same word stands in body, log and metric. */
export const DENY_REASONS = [
  'target_ambiguous',
  'request_malformed',
  'aws_request_refused',
  'credential_ambiguous',
  'credential_missing',
  'credential_malformed',
  'token_malformed',
  'token_algorithm',
  'token_key_unknown',
  'token_signature',
  'token_issuer',
  'token_client',
  'token_use',
  'token_expired',
  'token_not_yet_valid',
  'token_revoked',
  'session_ended',
  'insufficient_user_authentication',
  'id_token_required',
  'origin_denied',
  'cors_denied',
  'group_missing',
  'scope_missing',
  'provider_denied',
  'claim_mismatch',
  'policy_denied',
  'credentials_denied',
  'decision_untrusted_peer',
  'route_not_found',
  'body_too_large',
  'target_too_long',
  'headers_too_large',
  'request_timeout',
  'length_required',
  'method_not_allowed',
  'expectation_failed',
  'upstream_unreachable',
  'upstream_protocol',
  'upstream_timeout',
  'keys_unavailable',
  'sessions_unavailable',
  'credentials_unavailable',
  'overloaded',
  'draining',
  'loop_detected',
  'internal_error',
] as const

export type DenyReason = (typeof DENY_REASONS)[number]

/** How long an upstream may take, in milliseconds; Infinity for as long as it likes. */
export interface UpstreamTimeouts {
  /** Until the response's headers. */
  readonly responseMs: number
  /** Between bytes of the response's body. */
  readonly idleMs: number
  /** From dispatch to the end of the response, the request's body included. */
  readonly totalMs: number
}

/** One configured route as the request path sees it. */
export interface Route {
  readonly name: string
  /** The route's number in telemetry. */
  readonly index: number
  /** Undefined where nothing is forwarded: the route is for decisions alone. */
  readonly upstream: string | undefined
  readonly forwardToken: boolean
  /** The session that browsers sign in with; undefined where they do not. */
  readonly signIn?: string | undefined
  /** The key by which the upstream's identity pool knows ID tokens of the caller's user pool; undefined where none is needed. */
  readonly loginKey?: string | undefined
  /** Bytes; Infinity for none. */
  readonly maxBody: number
  /** Where a token may stand beside Authorization; undefined for nowhere else. */
  readonly places?: CredentialPlaces | undefined
  /** Protocols that its callers may go on with, in lower case. */
  readonly upgrades?: readonly string[] | undefined
  /** Whether an open stream ends with the token that it was opened with. */
  readonly endsAtExpiry?: boolean | undefined
  /** Undefined where the upstream's own hold. */
  readonly timeouts?: UpstreamTimeouts | undefined
  /** How the path is changed for the upstream; undefined for not at all. */
  readonly rewrite?: Rewrite | undefined
  readonly requestEdits?: HeaderEdits | undefined
  readonly responseEdits?: HeaderEdits | undefined
  /** What pages of other origins may do; undefined where they are not spoken of. */
  readonly cors?: Cors | undefined
}

export interface Rewrite {
  /** Segments that the path loses, from its beginning. */
  readonly strip: number
  /** What stands before the rest: '', or a path without a last slash. */
  readonly add: string
}

export interface Allow {
  readonly kind: 'allow'
  readonly route: Route
  /** The verified caller; undefined on a public route. */
  readonly principal: Principal | undefined
  /** The caller's ID token, for an upstream that needs it. */
  readonly login?: Login | undefined
  /** Set-Cookie values of the answer: a session that has been renewed. */
  readonly cookies?: readonly string[] | undefined
}

/** What a sign-in has to prove (RFC 9470). */
export interface StepUp {
  readonly acrValues?: readonly string[] | undefined
  readonly maxAgeSeconds?: number | undefined
}

export interface Deny {
  readonly kind: 'deny'
  readonly reason: DenyReason
  /** For the log alone. */
  readonly detail: string
  readonly route: Route | undefined
  /** Who was refused, when the token was good. */
  readonly principal?: Principal | undefined
  readonly retryAfterSeconds?: number | undefined
  /** The session that a browser may sign in with, and be asked again; undefined where that changes nothing. */
  readonly signIn?: string | undefined
  readonly stepUp?: StepUp | undefined
  /** Set-Cookie values of the answer: a session that is over, or has been renewed. */
  readonly cookies?: readonly string[] | undefined
}

/** A page may ask what its browser asks about; the answer is made here. */
export interface Preflight {
  readonly kind: 'preflight'
  readonly route: Route
  readonly principal?: undefined
  readonly fields: Readonly<Record<string, string>>
}

export type Decision = Allow | Deny | Preflight

/** Whether the request would go on in another protocol on this route; what an ingress forwards is not asked what the route allows. */
export function isUpgrade(
  { upgrades }: Route,
  { upgrade, forwardedElsewhere }: RequestFacts,
): boolean {
  if (upgrade === undefined) return false
  return forwardedElsewhere === true || upgrades?.includes(upgrade) === true
}

export function toDeny(
  cause: {
    readonly reason: DenyReason
    readonly detail: string
    readonly retryAfterSeconds?: Rejected['retryAfterSeconds']
  },
  route: Route | undefined,
): Deny {
  const { reason, detail, retryAfterSeconds } = cause
  return { kind: 'deny', reason, detail, route, retryAfterSeconds }
}
