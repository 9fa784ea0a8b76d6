// The answers that Poolgate makes itself: one table from reason to status. A body names the reason, never what was expected.
import type { PutOff } from '../base/turn-end.ts'
import type { DenyReason, StepUp } from '../policy/decision.ts'
import type { ClientResponse } from './client-side.ts'

export interface Denial {
  readonly status: number
  /** Human wording for `error_description` and for readers of the table. */
  readonly text: string
}

const DENIALS: Readonly<Record<DenyReason, Denial>> = {
  target_ambiguous: { status: 400, text: 'The request target can be read in two ways' },
  request_malformed: { status: 400, text: 'The request is malformed' },
  aws_request_refused: { status: 400, text: 'It asks AWS for what is not signed here' },
  credential_ambiguous: { status: 400, text: 'The request has more than one credential' },
  credential_missing: { status: 401, text: 'A bearer token is required' },
  credential_malformed: { status: 401, text: 'The Authorization field is not a bearer token' },
  token_malformed: { status: 401, text: 'The token is malformed' },
  token_algorithm: { status: 401, text: 'The token is not signed with RS256' },
  token_key_unknown: { status: 401, text: 'The token is signed with an unknown key' },
  token_signature: { status: 401, text: 'The signature of the token is wrong' },
  token_issuer: { status: 401, text: 'The token is from another issuer' },
  token_client: { status: 401, text: 'The token is for another app client' },
  token_use: { status: 401, text: 'The token is of the wrong use: access or ID' },
  token_expired: { status: 401, text: 'The token has expired' },
  token_not_yet_valid: { status: 401, text: 'The token is not valid yet' },
  token_revoked: { status: 401, text: 'The token has been revoked' },
  session_ended: { status: 401, text: 'The session is over' },
  insufficient_user_authentication: {
    status: 401,
    text: 'A stronger or a more recent sign-in is required',
  },
  id_token_required: { status: 401, text: 'An ID token of the same user is required' },
  origin_denied: { status: 403, text: 'A page of another origin asks with a cookie' },
  cors_denied: { status: 403, text: 'Pages of this origin may not ask for it' },
  group_missing: { status: 403, text: 'A group is missing' },
  scope_missing: { status: 403, text: 'A scope is missing' },
  provider_denied: { status: 403, text: 'Users of another identity provider are required' },
  claim_mismatch: { status: 403, text: 'A claim does not match' },
  policy_denied: { status: 403, text: 'The policy denies it' },
  credentials_denied: {
    status: 403,
    text: 'AWS gives this caller no credentials, or no right to it',
  },
  decision_untrusted_peer: { status: 403, text: 'The asking peer is not trusted' },
  route_not_found: { status: 404, text: 'No route matches' },
  method_not_allowed: { status: 405, text: 'The method is not allowed' },
  request_timeout: { status: 408, text: 'The request took too long' },
  length_required: { status: 411, text: 'The length of the body has to be given' },
  body_too_large: { status: 413, text: 'The body is too large' },
  target_too_long: { status: 414, text: 'The request target is too long' },
  expectation_failed: { status: 417, text: 'The expectation cannot be met' },
  headers_too_large: { status: 431, text: 'The header fields are too large' },
  internal_error: { status: 500, text: 'Something went wrong here' },
  upstream_unreachable: { status: 502, text: 'The upstream cannot be reached' },
  upstream_protocol: { status: 502, text: 'The upstream answered wrongly' },
  keys_unavailable: { status: 503, text: 'The keys that verify tokens are unavailable' },
  sessions_unavailable: { status: 503, text: 'Sessions cannot be looked up or renewed' },
  credentials_unavailable: { status: 503, text: 'The identity pool cannot be asked' },
  overloaded: { status: 503, text: 'Too many requests are under way' },
  draining: { status: 503, text: 'The gateway is stopping' },
  upstream_timeout: { status: 504, text: 'The upstream took too long' },
  loop_detected: { status: 508, text: 'The request goes round in a circle' },
}

/** What `Allow` lists (RFC 9110 section 10.2.1); routes may take more, and decide. */
export const ALLOWED_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'

export interface DenialResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: string
}

/** What an answer tells beside its reason. */
export interface DenialExtras {
  readonly retryAfterSeconds?: number | undefined
  /** What another sign-in has to prove. */
  readonly stepUp?: StepUp | undefined
  /** Where a browser can sign in. */
  readonly signInUrl?: string | undefined
  /** The same for the browser that has asked for a page, where somebody else has to send it there. */
  readonly signInRedirect?: string | undefined
}

export function toDenialResponse(
  reason: DenyReason,
  requestId: string,
  { retryAfterSeconds, stepUp, signInUrl }: DenialExtras = {},
): DenialResponse {
  const { status } = DENIALS[reason]
  const content = { error: errorOf(status), reason, request_id: requestId, sign_in: signInUrl }
  const body = `${JSON.stringify(content)}\n`
  const challenge = challengeOf(reason, stepUp)
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      'cache-control': 'no-store',
      'x-request-id': requestId,
      ...(status === 405 && { allow: ALLOWED_METHODS }),
      ...(challenge !== undefined && { 'www-authenticate': challenge }),
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    },
    body,
  }
}

/** The same with further fields. */
export function withFields(
  denial: DenialResponse,
  fields: DenialResponse['headers'] | undefined,
): DenialResponse {
  return fields === undefined ? denial : { ...denial, headers: { ...denial.headers, ...fields } }
}

/** The status and the wording of a reason, for answers in another form. */
export function toDenial(reason: DenyReason): Denial {
  return DENIALS[reason]
}

/** Answers a request that has not been answered. `close` also ends the connection. */
export function respondDenied(
  response: ClientResponse,
  denial: DenialResponse,
  close: boolean,
  putOff: (item: PutOff) => void,
): void {
  response.writeHead(
    denial.status,
    close ? { ...denial.headers, connection: 'close' } : denial.headers,
  )
  const body = response.req.method === 'HEAD' ? undefined : denial.body
  // In Latin-1 it goes in one piece with the head; all of it is ASCII.
  const end = () => void (response.destroyed || response.end(body, 'latin1'))
  // As long as more of the request may come, something in it may end the connection before the turn ends.
  if (response.req.readableEnded) putOff({ run: end })
  else end()
}

/** RFC 6750 section 3: no error code where no token was presented; insufficient_scope only for scopes. RFC 9470 section 3. */
function challengeOf(reason: DenyReason, stepUp: StepUp = {}): string | undefined {
  const { status, text } = DENIALS[reason]
  const describe = (error: string) => `${REALM}, error="${error}", error_description="${text}"`
  if (reason === 'credential_missing' || reason === 'session_ended') return REALM
  if (reason === 'scope_missing') return describe('insufficient_scope')
  if (status !== 401) return undefined
  if (reason !== 'insufficient_user_authentication') return describe('invalid_token')
  const { acrValues, maxAgeSeconds } = stepUp
  const acr = acrValues === undefined ? '' : `, acr_values="${acrValues.join(' ')}"`
  const age = maxAgeSeconds === undefined ? '' : `, max_age="${maxAgeSeconds}"`
  return describe(reason) + acr + age
}

const REALM = 'Bearer realm="poolgate"'

function errorOf(status: number): string {
  const names: Readonly<Record<number, string>> = {
    400: 'bad_request',
    401: 'unauthorized',
    403: 'forbidden',
    404: 'not_found',
    405: 'method_not_allowed',
    408: 'request_timeout',
    411: 'length_required',
    413: 'content_too_large',
    414: 'uri_too_long',
    417: 'expectation_failed',
    431: 'request_header_fields_too_large',
    502: 'bad_gateway',
    503: 'service_unavailable',
    504: 'gateway_timeout',
    508: 'loop_detected',
  }
  return names[status] ?? 'internal_server_error'
}
