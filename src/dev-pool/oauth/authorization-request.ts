// Reads the parameters that every page of the managed login carries. Sends nobody to a callback that is not the client's.
import type { AppClient, Clients } from '../clients.ts'
import { allScopes, parseScopes } from './scopes.ts'
import type { Directory } from '../user.ts'

export interface AuthorizationRequest {
  readonly client: AppClient
  /** As the client wrote it. */
  readonly redirectUri: string
  /** The same as a browser reads it. */
  readonly callback: string
  readonly scopes: readonly string[]
  readonly state?: string | undefined
  readonly nonce?: string | undefined
  readonly codeChallenge?: string | undefined
  readonly provider?: string | undefined
  readonly loginHint?: string | undefined
  readonly prompts: readonly string[]
  readonly resource?: string | undefined
  readonly acrValues: readonly string[]
  readonly maxAgeSeconds?: number | undefined
  /** What came, to be carried from page to page. */
  readonly query: string
}

export type ParsedRequest =
  | { readonly kind: 'request'; readonly request: AuthorizationRequest }
  /** For a page: the callback cannot be trusted. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** For the client: its callback with an error. */
  | { readonly kind: 'error'; readonly location: string }

export interface RequestRules {
  readonly clients: Clients
  readonly directory: Directory
  /** The provider that the name, or the identifier of an organisation, stands for. */
  readonly findProvider: (name: string) => string | undefined
}

type OAuthError =
  | 'invalid_request'
  | 'invalid_scope'
  | 'unauthorized_client'
  | 'unsupported_response_type'
  | 'login_required'
  | 'interaction_required'
  | 'access_denied'

const PROMPTS = ['none', 'login', 'select_account', 'consent']
const NAMES =
  `client_id redirect_uri response_type state scope nonce code_challenge code_challenge_method identity_provider
  idp_identifier lang login_hint prompt resource acr_values max_age`.split(/\s+/)

export function parseAuthorizationRequest(
  query: URLSearchParams,
  rules: RequestRules,
): ParsedRequest {
  const repeated = NAMES.find((name) => query.getAll(name).length > 1)
  const client = rules.clients.find(query.get('client_id') ?? '')
  const redirectUri = query.get('redirect_uri') ?? ''
  const callback = rules.clients.toCallback(redirectUri)
  if (repeated === 'client_id' || client === undefined) {
    return { kind: 'refused', detail: 'Client does not exist.' }
  }
  if (repeated === 'redirect_uri' || callback === undefined) {
    return { kind: 'refused', detail: 'redirect_mismatch' }
  }
  const read = readParameters(query, client, rules)
  const state = query.get('state') ?? undefined
  const fault = repeated === undefined ? read : fail('invalid_request', `${repeated} is repeated`)
  if ('error' in fault) {
    return { kind: 'error', location: toErrorLocation({ callback, state }, ...fault.error) }
  }
  const request = { ...fault, client, redirectUri, callback, state, query: query.toString() }
  return { kind: 'request', request }
}

/** A callback with an error in its query (RFC 6749 section 4.1.2.1). */
export function toErrorLocation(
  { callback, state }: Pick<AuthorizationRequest, 'callback' | 'state'>,
  error: OAuthError,
  description: string,
): string {
  return withParameters(callback, { error_description: description, error, state })
}

export function withParameters(
  url: string,
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  const target = new URL(url)
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) target.searchParams.set(name, value)
  }
  return target.href
}

type Fault = { readonly error: readonly [OAuthError, string] }
type Parameters = Omit<
  AuthorizationRequest,
  'client' | 'redirectUri' | 'callback' | 'state' | 'query'
>

function fail(error: OAuthError, description: string): Fault {
  return { error: [error, description] }
}

function readParameters(
  query: URLSearchParams,
  client: AppClient,
  rules: RequestRules,
): Parameters | Fault {
  const get = (name: string) => query.get(name) || undefined
  const refusal = checkResponseType(get('response_type'), client) ?? checkChallenge(query)
  if (refusal !== undefined) return refusal
  const parsed = parseScopes(get('scope'), allScopes(rules.directory))
  if ('unknown' in parsed) return fail('invalid_scope', toUnknownScope(parsed.unknown))
  const prompts = (get('prompt') ?? '').split(' ').filter(Boolean)
  const arePrompts = prompts.every((prompt) => PROMPTS.includes(prompt))
  if (!arePrompts || (prompts.includes('none') && prompts.length > 1)) {
    return fail('invalid_request', `prompt is one of ${PROMPTS.join(', ')}`)
  }
  const asked = get('identity_provider') ?? get('idp_identifier')
  const provider = asked === undefined ? undefined : rules.findProvider(asked)
  if (asked !== undefined && provider === undefined) {
    return fail('invalid_request', 'the identity provider does not exist')
  }
  const maxAge = get('max_age')
  if (!/^\d{1,9}$/.test(maxAge ?? '0')) return fail('invalid_request', 'max_age is in seconds')
  const resource = get('resource')
  if (!isResource(resource)) return fail('invalid_request', 'resource is an absolute URL')
  return {
    scopes: parsed.scopes,
    prompts,
    provider,
    resource,
    nonce: get('nonce'),
    codeChallenge: get('code_challenge'),
    loginHint: get('login_hint'),
    acrValues: (get('acr_values') ?? '').split(' ').filter(Boolean),
    maxAgeSeconds: maxAge === undefined ? undefined : Number(maxAge),
  }
}

/** Names it only where it is a scope (RFC 6749 section 3.3): the description goes into logs and onto pages. */
function toUnknownScope(scope: string): string {
  const name = /^[!#-[\]-~]{1,100}$/.test(scope) ? `the scope ${scope}` : 'a scope'
  return `${name} is unknown: the users file can give it to a user`
}

function checkResponseType(type: string | undefined, client: AppClient): Fault | undefined {
  if (type === undefined) return fail('invalid_request', 'response_type is missing')
  if (type !== 'code' && type !== 'token') {
    return fail('unsupported_response_type', 'response_type is code')
  }
  // Implicit grants (`token`) put tokens into URLs: no client here has them.
  const isAllowed = type === 'code' && client.grantTypes.includes('authorization_code')
  return isAllowed ? undefined : fail('unauthorized_client', 'the client may not ask for this')
}

/** RFC 7636 section 4.3, with S256 alone: a SHA-256 in base64url has 43 characters. */
function checkChallenge(query: URLSearchParams): Fault | undefined {
  const challenge = query.get('code_challenge')
  const method = query.get('code_challenge_method')
  if (challenge === null && method === null) return undefined
  if (method !== 'S256') return fail('invalid_request', 'code_challenge_method is S256')
  const isDigest = /^[\w-]{43}$/.test(challenge ?? '')
  return isDigest ? undefined : fail('invalid_request', 'code_challenge has 43 characters')
}

function isResource(resource: string | undefined): boolean {
  return resource === undefined || (URL.canParse(resource) && !resource.includes('#'))
}
