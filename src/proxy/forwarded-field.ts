// The Forwarded field (RFC 7239): what a trusted peer said there, then what Poolgate saw itself.
import { isIPv6 } from 'node:net'
import { listValue } from '../http/headers.ts'
import type { RequestFacts } from '../http/request-facts.ts'

export function toForwardedField(facts: RequestFacts): string {
  const { peerAddress, peerTrusted, host, secure, headers } = facts
  const proto = secure ? 'https' : 'http'
  const own = `for=${toNode(peerAddress)};host="${host.authority}";proto=${proto}`
  const earlier = peerTrusted ? listValue(headers, 'forwarded') : undefined
  return earlier !== undefined && isClosed(earlier) ? `${earlier}, ${own}` : own
}

/** RFC 7239 section 6; an IPv6 address stands in brackets, and so in quotes. */
function toNode(address: string): string {
  if (address === '') return 'unknown'
  return isIPv6(address) ? `"[${address}]"` : address
}

/** Whether every quote that is opened there is closed too: an open one would swallow what follows. */
function isClosed(field: string): boolean {
  return /^(?:[^"]|"(?:[^"\\]|\\.)*")*$/.test(field)
}
