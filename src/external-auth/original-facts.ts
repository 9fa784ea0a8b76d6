// The request that an ingress asks about, as the facts that the proxy would have of it. What the ingress says of it is parsed by the
// proxy's own rules, and no more loosely.
import { firstValue, type RawHeaders } from '../http/headers.ts'
import { parseHost } from '../http/host.ts'
import { toMalformed } from '../http/refusal.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import { parseRequestTarget } from '../http/request-target.ts'
import { WEB_SOCKET } from '../http/upgrade.ts'
import {
  checkMethod,
  isRefusedMethod,
  type RequestLimits,
  type Unreadable,
  unreadable,
} from '../proxy/to-request-facts.ts'

/** A request as an ingress names it. */
export interface Original {
  readonly method: string
  /** `http` or `https`, or what browsers call the same for WebSockets. */
  readonly scheme: string
  readonly authority: string
  readonly target: string
}

const SCHEMES: ReadonlyMap<string, boolean> = new Map([
  ['http', false],
  ['https', true],
  ['ws', false],
  ['wss', true],
])

/** @param asked the facts of the request that asks, whose header fields are those of the one that it asks about */
export function toOriginalFacts(
  asked: RequestFacts,
  { method, scheme, authority, target: url }: Original,
  limits: RequestLimits,
): RequestFacts | Unreadable {
  const unknown = checkMethod(method)
  if (unknown !== undefined) return unknown
  if (isRefusedMethod(method)) return unreadable('method_not_allowed', method)
  const secure = SCHEMES.get(scheme)
  if (secure === undefined) return toMalformed('the scheme is neither http nor https')
  const host = parseHost(authority)
  if ('refused' in host) return host
  if (url.length > limits.target) return unreadable('target_too_long', 'target')
  const target = parseRequestTarget(url, host.authority)
  if ('refused' in target) return target
  return forwardedElsewhere({ ...asked, method, host, target, secure })
}

/** Facts of a request that is not forwarded from here. */
export function forwardedElsewhere(facts: RequestFacts): RequestFacts {
  return { ...facts, forwardedElsewhere: true, upgrade: upgradeOf(facts.headers) }
}

/** Any sign of one counts: whether the connection goes on in another protocol is for the ingress to decide. */
function upgradeOf(headers: RawHeaders): string | undefined {
  if (firstValue(headers, 'sec-websocket-key') !== undefined) return WEB_SOCKET
  return firstValue(headers, 'upgrade')?.toLowerCase()
}

/** Whether the peer may ask at all; what an endpoint tells anybody else. */
export function checkAsker(
  address: string,
  isTrusted: (address: string) => boolean,
): Unreadable | undefined {
  if (isTrusted(address)) return undefined
  const [who, entry] =
    address === ''
      ? ['a peer on a unix socket', 'unix']
      : [address, `${address}/${address.includes(':') ? 128 : 32}`]
  return unreadable(
    'decision_untrusted_peer',
    `${who} asks for decisions and is not in trustedProxies: add ${entry}`,
  )
}
