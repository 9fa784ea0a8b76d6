// One line for each reason that says what to change, in the configuration, the caller or the ingress. For whoever runs the gateway, never
// for its callers.
import type { Config } from '../config/schema.ts'
import type { DenyReason } from '../policy/decision.ts'
import type { Principal } from '../policy/principal.ts'
import type { Claims } from '../token/claims.ts'

export interface Situation {
  readonly config: Config
  readonly detail: string
  /** The settings of the route that denies. */
  readonly route: Config['routes'][number] | undefined
  /** Name of the user pool that the token was looked for in. */
  readonly userPool: string | undefined
  readonly claims: Claims | undefined
  readonly principal: Principal | undefined
  /** The route that lies nearest, and why it does not match. */
  readonly nearest: string | undefined
  /** Why keys could not be fetched. */
  readonly keyProblem: string | undefined
}

type Advise = (situation: Situation) => string

const RETRY =
  'nothing in the configuration: it comes from the load or the state of a running gateway'
const UPSTREAM = 'look at the upstream: the request was allowed'

const ADVICE: Readonly<Record<DenyReason, Advise>> = {
  target_ambiguous: ({ detail }) =>
    `send the path in one spelling: plain segments, no . or .., no //, no encoded slash (here: ${detail})`,
  request_malformed: ({ detail }) => `send a well-formed request (here: ${detail})`,
  credential_ambiguous: () =>
    'send the token once: one Authorization line, or one of the places that the route names',
  credential_missing: () =>
    'send `Authorization: Bearer <token>`; here: --token-file FILE, or - for standard input',
  credential_malformed: () => 'write `Bearer`, one space and the token alone into Authorization',
  token_malformed: ({ detail }) =>
    `this is no token of Cognito's as it was issued; copy it whole, or get a new one (here: ${detail})`,
  token_algorithm: () => 'use a token that Cognito issued: those are signed with RS256',
  token_key_unknown: (situation) =>
    `get a new token of ${poolOf(situation)}; if it is new, jwksUri names another pool's keys or old ones`,
  token_signature: () => 'get a new token: this one was changed or cut after it was signed',
  token_issuer: adviseIssuer,
  token_client: adviseClient,
  token_use: adviseUse,
  token_expired: () => 'get a new token: sign in again, or use the refresh token',
  token_not_yet_valid: () =>
    'set the clock of this machine right; clockTolerance of the user pool takes up to 60s',
  token_revoked: () => 'sign in again: the token was revoked',
  origin_denied: ({ route }) =>
    `add the page's origin to routes.${route?.name}.credentials.origins, or send the token in Authorization`,
  cors_denied: ({ route, detail }) => `change cors of route ${route?.name}: ${detail}`,
  group_missing: (situation) => adviseGroup(situation),
  scope_missing: ({ detail }) =>
    `let the app client ask for the scope (in Cognito: app client, custom scopes) and get a new token, or change the route's scopes (${detail})`,
  claim_mismatch: ({ detail }) =>
    `change the user's attribute and get a new token, or the route's claims; values are compared by type too (${detail})`,
  policy_denied: ({ detail }) => `the route refuses this on purpose: ${detail}`,
  decision_untrusted_peer: ({ detail }) =>
    `add the ingress to trustedProxies, best its whole subnet (${detail.replace(/^.*: add /, 'trustedProxies: [')}])`,
  route_not_found: adviseRoute,
  body_too_large: () => "raise the route's maxBody, or limits.body",
  target_too_long: () => 'shorten the URL, or raise limits.target',
  headers_too_large: () =>
    'send fewer or smaller header fields; limits.headerFields and limits.headerBytes bound them',
  request_timeout: () => RETRY,
  method_not_allowed: () => 'use another method: TRACE and CONNECT are never taken',
  expectation_failed: () => 'send no Expect but 100-continue',
  upstream_unreachable: () => UPSTREAM,
  upstream_protocol: () => UPSTREAM,
  upstream_timeout: () => UPSTREAM,
  keys_unavailable: ({ userPool, config, keyProblem }) => {
    const { jwksUri = 'its jwksUri' } = config.userPools[userPool ?? ''] ?? {}
    return `make ${jwksUri} reachable from here (${keyProblem ?? 'it gave no keys'}): network, DNS, a VPC endpoint, or userPoolId and jwksUri`
  },
  overloaded: () => RETRY,
  draining: () => RETRY,
  loop_detected: () => 'point the upstream at the service: it leads back to this gateway',
  internal_error: () => 'this is a defect of Poolgate: report it with the error log',
}

export function adviseOn(reason: DenyReason, situation: Situation): string {
  return ADVICE[reason](situation)
}

function poolOf({ userPool }: Situation): string {
  return userPool === undefined ? 'a configured user pool' : `user pool ${userPool}`
}

function adviseIssuer({ config, claims, route }: Situation): string {
  const named = Object.entries(config.userPools).find(([, { issuer }]) =>
    issuer.some((each) => each === claims?.iss),
  )
  if (named !== undefined) {
    return `set access.userPool of route ${route?.name} to ${named[0]}, or get a token of the pool that the route wants`
  }
  const id = /([\w-]+_\w+)$/.exec(String(claims?.iss))?.[1]
  const pools = Object.values(config.userPools).map(({ userPoolId }) => userPoolId)
  return `the token is of ${id ?? JSON.stringify(claims?.iss)}, and ${pools.join(', ')} is configured: get a token of that pool, or add the other to userPools`
}

function adviseClient({ config, claims, userPool = '' }: Situation): string {
  const client = claims?.client_id ?? claims?.aud
  const { clientIds = [] } = config.userPools[userPool] ?? {}
  const known = clientIds === 'any' ? 'any' : clientIds.join(', ')
  return `add ${JSON.stringify(client)} to userPools.${userPool}.clientIds, or get a token for ${known}`
}

function adviseUse({ route, claims }: Situation): string {
  const given = claims?.token_use
  const wanted = typeof route?.access === 'string' ? 'access' : route?.access.tokenUse
  if (given !== 'access' && given !== 'id') return "use an access or ID token of Cognito's"
  return `send the ${wanted} token in its place (sign-in gives both), or set access.tokenUse: ${given} on route ${route?.name}`
}

function adviseGroup({ route, principal, detail }: Situation): string {
  const { groups = {} } = typeof route?.access === 'object' ? route.access : {}
  const wanted = [...(groups.anyOf ?? []), ...(groups.allOf ?? [])]
  const held = principal?.groups ?? []
  const missing = wanted.filter((name) => !held.includes(name))
  const twin = missing.flatMap((name) => {
    const other = held.find((group) => group.toLowerCase() === name.toLowerCase())
    return other === undefined
      ? []
      : [
          `the user is in ${other} and the route wants ${name}: names are compared letter by letter, so change one of them`,
        ]
  })[0]
  if (twin !== undefined) return twin
  if (missing.length === 0) return `change the groups of route ${route?.name} (${detail})`
  const one = groups.anyOf === undefined ? missing.join(' and ') : missing.join(' or ')
  return `add the user to the group ${one} and get a new token (groups stand in the token from sign-in on), or change groups of route ${route?.name}`
}

function adviseRoute({ nearest, detail }: Situation): string {
  if (/reserved/.test(detail))
    return "choose another path: what lies below pathPrefix is the gateway's own"
  if (/upstream: none/.test(detail))
    return 'ask through the ingress (--via auth-request, forward-auth or ext-authz), or give the route an upstream'
  return nearest === undefined
    ? 'add a route whose match takes this host, method and path (/admin/* is all below /admin/, and not /admin itself)'
    : `change that route or the request (${nearest}), or add a route`
}
