// One line for each reason that says what to change, in the configuration, the caller or the ingress. For whoever runs the gateway, never
// for its callers.
import type { Config } from '../config/schema.ts'
import { isLoopbackHost } from '../config/web-address.ts'
import { firstValue } from '../http/headers.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import type { DenyReason } from '../policy/decision.ts'
import { FOR_DECISIONS, RESERVED } from '../proxy/obstacle.ts'
import { adviseClaim, adviseGroup, adviseScope } from './advise-rules.ts'
import type { Miss } from './explain-route.ts'
import { isOwnPage, signInOriginAt } from './explain-sign-in.ts'
import type { Situation } from './situation.ts'

type Advise = (situation: Situation) => string

const RETRY =
  'nothing in the configuration: it comes from the load or the state of a running gateway'
const UPSTREAM = 'look at the upstream: the request was allowed'

const ADVICE: Readonly<Record<DenyReason, Advise>> = {
  target_ambiguous: ({ detail }) =>
    `send the path in one spelling: no . or .. segments, no //, no encoded slash, no broken % (here: ${detail})`,
  request_malformed: ({ detail }) => `send a well-formed request (here: ${detail})`,
  credential_ambiguous: () =>
    'send the token once: one Authorization line, or one of the places that the route names',
  credential_missing: adviseMissing,
  credential_malformed: () =>
    'write `Bearer`, one space and the token alone into Authorization; a file holds the token and nothing else',
  token_malformed: ({ detail }) =>
    `this is no token of Cognito's as it was issued; copy it whole, or get a new one (here: ${detail})`,
  token_algorithm: () => 'use a token that Cognito issued: those are signed with RS256',
  token_key_unknown: ({ config, userPool = '' }) =>
    `get a new token of user pool ${userPool}; if it is new, ${config.userPools[userPool]?.jwksUri} has another pool's keys: set jwksUri or userPoolId right`,
  token_signature: () =>
    'copy the token again, whole, or get a new one: this one was changed or cut after it was signed',
  token_issuer: adviseIssuer,
  token_client: adviseClient,
  token_use: adviseUse,
  token_expired: () => 'get a new token: sign in again, or use the refresh token',
  token_not_yet_valid: () =>
    'set the clock of this machine right; clockTolerance of the user pool takes up to 60s',
  token_revoked: () => 'sign in again: the token was revoked',
  session_ended: () => 'sign in again',
  insufficient_user_authentication: ({ route, detail }) =>
    `sign in again as route ${route?.name} asks (${detail}); Cognito's Lite plan knows no acr_values and no max_age`,
  origin_denied: (situation) =>
    `add ${fieldOf(situation, 'origin') ?? "the page's origin"} to credentials.origins of route ${situation.route?.name}, or send the token in Authorization`,
  cors_denied: (situation) => {
    const asked = ['origin', 'access-control-request-method', 'access-control-request-headers']
    const words = asked.flatMap((name) => fieldOf(situation, name) ?? []).join(', ')
    return `change cors of route ${situation.route?.name}: ${situation.detail} (asked for: ${words})`
  },
  group_missing: adviseGroup,
  scope_missing: adviseScope,
  claim_mismatch: adviseClaim,
  provider_denied: ({ route, detail }) =>
    `change access.providers of route ${route?.name}, or sign in with another provider (${detail})`,
  policy_denied: ({ route, detail }) =>
    `route ${route?.name} refuses this on purpose: change the caller's groups or scopes, or its noneOf (${detail})`,
  id_token_required: ({ detail }) =>
    `send the ID token (sign-in gives both) in Authorization where the route takes tokenUse: any or id, or beside the access token of the same user in X-Poolgate-Id-Token (${detail})`,
  credentials_denied: ({ detail }) =>
    `look at the identity pool: its authentication providers, role mapping and trust policies, and identityPools (${detail})`,
  aws_request_refused: ({ detail }) => `send it in another form (${detail})`,
  decision_untrusted_peer: advisePeer,
  route_not_found: adviseRoute,
  length_required: () => 'send Content-Length: S3 takes no body of unknown length',
  body_too_large: ({ route }) => `raise maxBody of route ${route?.name}, or limits.body`,
  target_too_long: () => 'shorten the URL, or raise limits.target',
  headers_too_large: ({ detail }) =>
    /identity/.test(detail)
      ? `give the caller fewer groups, or take headers out of identityHeaders: upstreams take about 16 KiB (here: ${detail})`
      : `send fewer or smaller header fields, or raise limits.headerFields and limits.headerBytes (here: ${detail})`,
  request_timeout: () => RETRY,
  method_not_allowed: () => 'use another method: TRACE and CONNECT are never taken',
  expectation_failed: () => 'send no Expect but 100-continue',
  upstream_unreachable: () => UPSTREAM,
  upstream_protocol: () => UPSTREAM,
  upstream_timeout: () => UPSTREAM,
  keys_unavailable: ({ userPool = '', config, keyProblem }) => {
    const { jwksUri = 'its jwksUri' } = config.userPools[userPool] ?? {}
    return `make ${jwksUri} reachable from here (${keyProblem ?? 'it gave no keys'}): look at network, DNS and proxy, or set userPoolId or jwksUri of userPools.${userPool} right`
  },
  sessions_unavailable: () =>
    'look at the session store and at the token endpoint of the managed login',
  credentials_unavailable: ({ detail }) =>
    `look at the identity pool, its quotas and the network to it (${detail})`,
  overloaded: () => RETRY,
  draining: () => RETRY,
  loop_detected: () => 'point the upstream at the service: it leads back to this gateway',
  internal_error: () => 'this is a defect of Poolgate: report it with the error log',
}

export function adviseOn(reason: DenyReason, situation: Situation): string {
  return ADVICE[reason](situation)
}

function fieldOf({ facts }: Situation, name: string): string | undefined {
  return facts && firstValue(facts.headers, name)
}

function adviseMissing({ route, facts, config }: Situation): string {
  const { cookie, query, webSocketProtocol } = route?.credentials ?? {}
  const places = [
    cookie && `cookie ${cookie}`,
    query && `query parameter ${query}`,
    webSocketProtocol && 'subprotocol bearer.<token> of a WebSocket',
  ].filter(Boolean)
  const others = places.length === 0 ? '' : ` (or the ${places.join(', ')})`
  const bearer = `send the field Authorization: Bearer <token>${others}; to ask about one here, add --token-file FILE, or - for standard input`
  if (route?.signIn === undefined || facts === undefined) return bearer
  return `${adviseSignIn(config, route.signIn, facts)}; or ${bearer}`
}

function adviseSignIn(config: Config, name: string, facts: RequestFacts): string {
  const origin = signInOriginAt(config, name, facts)
  if (origin !== undefined) {
    return `sign in with a browser at ${origin}${config.pathPrefix}/sign-in?session=${name}`
  }
  const { host } = facts
  const [seen, known] = [
    `${isLoopbackHost(host.name) ? 'http' : 'https'}://${host.authority}`,
    config.sessions[name]?.origins.join(', '),
  ]
  return `to sign in at this host, add ${seen} to sessions.${name}.origins, which has ${known}, and to the callback URLs of its app client`
}

function advisePeer({ config, detail }: Situation): string {
  const [, who = '', entry = ''] = /^(.*) asks .*: add (.*)$/.exec(detail) ?? []
  const entries = [...config.trustedProxies, entry].join(', ')
  const subnet = entry === 'unix' ? '' : ', or its whole subnet'
  return `if ${who} is your ingress, write trustedProxies: [${entries}]${subnet}`
}

function adviseIssuer({ config, claims, route }: Situation): string {
  const named = Object.entries(config.userPools).find(([, { issuer }]) =>
    issuer.some((each) => each === claims?.iss),
  )
  if (named !== undefined) {
    return `get a token of the user pool that the route wants, or set access.userPool of route ${route?.name} to ${named[0]}`
  }
  const iss = typeof claims?.iss === 'string' ? claims.iss : 'no issuer that can be read'
  const id = /([\w-]+_\w+)$/.exec(iss)?.[1] ?? iss
  const pools = Object.values(config.userPools).map(({ userPoolId }) => userPoolId)
  return `the token is of ${id} and userPools has ${pools.join(', ')}: get a token of that pool, or add ${id} to userPools with its clientIds`
}

function adviseClient({ config, claims, detail, userPool = '' }: Situation): string {
  const client = claims?.token_use === 'id' ? claims.aud : claims?.client_id
  const { clientIds = [], resource } = config.userPools[userPool] ?? {}
  if (/resource/.test(detail)) {
    return `get a token for the resource ${resource?.join(' or ')}, or change userPools.${userPool}.resource (${detail})`
  }
  if (typeof client !== 'string') return `use a token as Cognito issued it (${detail})`
  const known = clientIds === 'any' ? 'any' : clientIds.join(' or ')
  return `add ${JSON.stringify(client)} to userPools.${userPool}.clientIds, or get a token for the app client ${known}`
}

function adviseUse({ route, claims, detail }: Situation): string {
  if (detail.startsWith('of the ID token'))
    return 'put the ID token into X-Poolgate-Id-Token, and no other'
  const given = claims?.token_use
  if (given !== 'access' && given !== 'id') return "use an access or ID token of Cognito's"
  const wanted = given === 'id' ? 'access' : 'ID'
  // Never a whole access to be pasted: it would take the place of the rules that are there.
  const change =
    typeof route?.access === 'object'
      ? `add tokenUse: ${given} to access of route ${route.name}`
      : `write access: {tokenUse: ${given}} for route ${route?.name}`
  return `send the ${wanted} token in its place (sign-in gives both), or ${change}`
}

function adviseRoute({ nearest, facts, detail, config }: Situation): string {
  const path = facts?.target.path ?? ''
  if (detail === RESERVED.detail && facts !== undefined && isOwnPage(config, facts)) {
    return `have the ingress pass ${path} on to the gateway without asking: it is one of Poolgate's own pages`
  }
  if (detail === RESERVED.detail) {
    return `choose another path: what lies below ${config.pathPrefix} is the gateway's own; pathPrefix renames it`
  }
  if (detail === FOR_DECISIONS.detail) {
    return 'ask as an ingress does (--via auth-request, forward-auth or ext-authz), or give the route an upstream'
  }
  if (nearest === undefined) {
    return `add a route whose match takes it, such as path: ${path} alone, or path: /* for every path that no other route has`
  }
  return `${CHANGES[nearest.kind](nearest.name, facts)} (route ${nearest.name}: ${nearest.why})`
}

const CHANGES: Readonly<
  Record<Miss['kind'], (name: string, facts: RequestFacts | undefined) => string>
> = {
  method: (name, facts) =>
    `add ${facts?.method} to match.methods of route ${name}, or use a method that it takes`,
  host: (name, facts) =>
    `add ${facts?.host.name} to match.hosts of route ${name}, or send it to a host that it takes`,
  'letter case': () =>
    'send the path in the letter case of the route, or add a route for this spelling',
  'last slash': () =>
    '/a/* is all below /a/ and not /a itself: send the path as the route has it, or add a route for this one',
  spelling: () => 'correct the path, of the request or of the route, or add a route',
  path: () => 'add a route for this path',
}
