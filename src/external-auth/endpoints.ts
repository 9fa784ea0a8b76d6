// The decision endpoints on the data listener: nginx's auth_request, Traefik's and Caddy's forward auth, NGINX Gateway Fabric's and
// Envoy's external authorization over HTTP. Each reads its own protocol's header fields, and only from peers that are trusted to say them.
import { toPlainAddress } from '../http/client-address.ts'
import { singleValue } from '../http/headers.ts'
import { toMalformed } from '../http/refusal.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import type { Allow, DenyReason } from '../policy/decision.ts'
import type { ClientRequest } from '../proxy/client-side.ts'
import type { DecisionEndpoint, EndpointAt, ReadingRules } from '../proxy/decision-endpoint.ts'
import { type DenialExtras, type DenialResponse, withFields } from '../proxy/denial-response.ts'
import type { Ruleset } from '../proxy/ruleset.ts'
import { toRequestFacts, type Unreadable } from '../proxy/to-request-facts.ts'
import { checkAsker, forwardedElsewhere, type Original, toOriginalFacts } from './original-facts.ts'
import { compileOriginalFields, type ReadOriginalFields } from './original-fields.ts'
import {
  namesToRemove,
  toChangedCookieFields,
  toCookieFields,
  toIdentityFields,
} from './verdict-fields.ts'

const EXT_AUTHZ = '/ext-authz'

/** In each of them whoever asks takes 401 and 403 for what they are, and may take any other status for a fault (F-09). */
const IN_TWO_STATUSES = {
  answersPreflights: false,
  redirects: false,
  toFields: (facts: RequestFacts, allow: Allow, rules: Ruleset) => [
    ...toIdentityFields(rules, allow.principal),
    ...toCookieFields(facts, allow, rules),
  ],
  toDenial: (denial: DenialResponse, reason: DenyReason, { signInRedirect }: DenialExtras = {}) => {
    const said = withReason({ ...denial, status: denial.status === 401 ? 401 : 403 }, reason)
    if (signInRedirect === undefined) return said
    return withFields(said, { 'x-poolgate-sign-in': signInRedirect })
  },
}

export function createDecisionEndpoints(): EndpointAt {
  const authRequest = createNamingEndpoint(
    'auth-request',
    compileOriginalFields(['x-original-url', 'x-original-method'], 'stays'),
    ([url = '', method = '']) => {
      const [, scheme = '', authority = '', target = ''] = ABSOLUTE.exec(url) ?? []
      return { method, scheme: scheme.toLowerCase(), authority, target }
    },
  )
  // Traefik and Caddy pass every answer but 2xx on to the browser.
  const naming = createNamingEndpoint(
    'forward-auth',
    compileOriginalFields(
      ['x-forwarded-method', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-uri'],
      'stays',
    ),
    ([method = '', scheme = '', authority = '', target = '']) => ({
      method,
      scheme: scheme.toLowerCase(),
      authority,
      target,
    }),
  )
  const forwardAuth = { ...naming, redirects: true }
  // It sends none of a client's own fields but those that it was told to.
  const nginxGatewayFabric = createNamingEndpoint(
    'nginx-gateway-fabric',
    compileOriginalFields(['path', 'method', 'host'], 'stays'),
    ([target = '', method = '', authority = '']) => ({ method, scheme: 'http', authority, target }),
  )
  const named = new Map(
    [authRequest, forwardAuth, nginxGatewayFabric].map(
      (each) => [`/${each.name}`, each] as [string, DecisionEndpoint],
    ),
  )
  const extAuthz = createExtAuthz()
  return (url, { config: { pathPrefix } }) => {
    if (!url.startsWith(pathPrefix)) return undefined
    const rest = url.slice(pathPrefix.length)
    if (rest.startsWith(`${EXT_AUTHZ}/`)) return extAuthz
    const query = rest.indexOf('?')
    return named.get(query === -1 ? rest : rest.slice(0, query))
  }
}

/** What nginx puts together of Host and target: with `Host: a?` the target would be a query, so a path has to follow (no `?` ends it). */
const ABSOLUTE = /^(https?):\/\/([^/]*)(\/.*)$/is

/** An endpoint that is asked with the method and the target of a request in header fields. */
function createNamingEndpoint(
  name: string,
  readFields: ReadOriginalFields,
  toOriginal: (values: readonly string[]) => Original,
): DecisionEndpoint {
  return {
    name,
    ...IN_TWO_STATUSES,
    read(request, rules) {
      const asked = readAsked(request, rules)
      if ('refused' in asked) return asked
      const values = readFields(asked.headers)
      if ('refused' in values) return values
      return toOriginalFacts(asked, toOriginal(values), rules.limits)
    },
  }
}

/** It is asked with the request itself, below a prefix; a denial goes to the client as it is. */
function createExtAuthz(): DecisionEndpoint {
  const readFields = compileOriginalFields([], 'removed')
  return {
    name: 'ext-authz',
    answersPreflights: true,
    redirects: true,
    read(request, rules) {
      const { url = '' } = request
      const prefix = rules.config.pathPrefix.length + EXT_AUTHZ.length
      const asked = readAsked(request, rules, url.slice(prefix))
      if ('refused' in asked) return asked
      const values = readFields(asked.headers)
      if ('refused' in values) return values
      const scheme = singleValue(asked.headers, 'x-forwarded-proto')
      if (scheme === null) return toMalformed('x-forwarded-proto twice')
      const secure = scheme === undefined ? asked.secure : scheme.toLowerCase() === 'https'
      return forwardedElsewhere({ ...asked, secure })
    },
    toFields(facts, allow, rules) {
      const fields = toIdentityFields(rules, allow.principal)
      // Envoy leaves what it is not told of, and would set an empty one.
      fields.push(...toChangedCookieFields(facts, allow, rules))
      fields.push('x-envoy-auth-headers-to-remove', namesToRemove(facts, allow, rules).join(','))
      return fields
    },
    toDenial: withReason,
  }
}

/** The request that asks, if it is a trusted peer's. */
function readAsked(
  request: ClientRequest,
  { limits, isTrusted }: ReadingRules,
  url?: string,
): RequestFacts | Unreadable {
  const { remoteAddress = '' } = request.socket
  const untrusted = checkAsker(toPlainAddress(remoteAddress) ?? remoteAddress, isTrusted)
  return untrusted ?? toRequestFacts(request, limits, isTrusted, false, url)
}

/** For whoever drops the body. */
function withReason(denial: DenialResponse, reason: DenyReason): DenialResponse {
  return { ...denial, headers: { ...denial.headers, 'x-poolgate-reason': reason } }
}
