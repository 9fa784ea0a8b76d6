// A request that somebody asks about, and the facts that a gateway would have of it: by the gateway's own reading, in whatever way it
// comes. Sends nothing.
import { isUnix } from '../config/listen-address.ts'
import type { Config } from '../config/schema.ts'
import { createDecisionEndpoints } from '../external-auth/endpoints.ts'
import { compileTrustedProxies } from '../http/client-address.ts'
import type { RawHeaders } from '../http/headers.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import { requestedUpgrade } from '../http/upgrade.ts'
import type { ClientRequest } from '../proxy/client-side.ts'
import type { DecisionEndpoint } from '../proxy/decision-endpoint.ts'
import { toRequestFacts, type Unreadable } from '../proxy/to-request-facts.ts'

/** Decision endpoints by which a request can be asked about. */
export const ENDPOINTS = [
  'auth-request',
  'forward-auth',
  'ext-authz',
  'nginx-gateway-fabric',
] as const

export interface Question {
  readonly method: string
  readonly scheme: string
  readonly authority: string
  /** Path and query, as written. */
  readonly target: string
  /** Name, value, name, value …, without Host. */
  readonly headers: RawHeaders
  /** The address of who sends it; '' on a unix socket. */
  readonly peer: string
  /** The endpoint that an ingress asks; undefined where the request itself comes here. */
  readonly via: (typeof ENDPOINTS)[number] | undefined
}

/** What comes over the wire when it is asked. */
export interface Message {
  readonly method: string
  readonly url: string
  /** Name, value, name, value …, Host included. */
  readonly headers: RawHeaders
}

export interface Read {
  readonly facts: RequestFacts | Unreadable
  readonly endpoint: DecisionEndpoint | undefined
}

export function toMessage(question: Question, pathPrefix: string): Message {
  const { method, scheme, authority, target, headers, via } = question
  const toAsking = (naming: readonly string[], host = 'poolgate'): Message => ({
    method: 'GET',
    url: `${pathPrefix}/${via}`,
    headers: [...headers, ...naming, 'host', host],
  })
  if (via === 'auth-request') {
    const original = `${scheme}://${authority}${target}`
    return toAsking(['x-original-url', original, 'x-original-method', method])
  }
  if (via === 'forward-auth') {
    return toAsking([
      ...['x-forwarded-method', method, 'x-forwarded-proto', scheme],
      ...['x-forwarded-host', authority, 'x-forwarded-uri', target],
    ])
  }
  if (via === 'nginx-gateway-fabric') {
    return toAsking(['path', target, 'method', method], authority)
  }
  const url = via === 'ext-authz' ? `${pathPrefix}/ext-authz${target}` : target
  return { method, url, headers: [...headers, 'host', authority] }
}

export function readQuestion(question: Question, config: Config): Read {
  const { method, url, headers } = toMessage(question, config.pathPrefix)
  const request = {
    ...{ method, url, rawHeaders: headers, httpVersion: '1.1' },
    socket: { remoteAddress: question.peer, encrypted: question.scheme === 'https' },
  } as unknown as ClientRequest
  const { headerFields, targetBytes: target } = config.limits
  const limits = { headerFields, target }
  const isTrusted = compileTrustedProxies(config.trustedProxies, isUnix(config.listen))
  const endpoint =
    question.via === undefined ? undefined : createDecisionEndpoints()(url, { config })
  if (endpoint !== undefined) {
    return { endpoint, facts: endpoint.read(request, { config, limits, isTrusted }) }
  }
  const protocol = requestedUpgrade(method, '1.1', headers)
  const isUpgradable =
    protocol !== undefined && config.routes.some(({ upgrades }) => upgrades.includes(protocol))
  return { endpoint, facts: toRequestFacts(request, limits, isTrusted, isUpgradable) }
}
