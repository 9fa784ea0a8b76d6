// Reads a received request into RequestFacts, or says why it cannot be read in one way only. Nothing behind it looks at the raw request.
import { METHODS } from 'node:http'
import { clientAddress, toPlainAddress } from '../http/client-address.ts'
import { checkFraming, firstValue, hasBody, listValue, singleValue } from '../http/headers.ts'
import { parseHost } from '../http/host.ts'
import { toMalformed } from '../http/refusal.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import { parseRequestTarget } from '../http/request-target.ts'
import { requestedUpgrade } from '../http/upgrade.ts'
import type { DenyReason } from '../policy/decision.ts'
import type { ClientRequest } from './client-side.ts'

export interface RequestLimits {
  /** Field lines of a request. */
  readonly headerFields: number
  /** Characters of the request target. */
  readonly target: number
}

export interface Unreadable {
  readonly refused: true
  readonly reason: DenyReason
  readonly detail: string
  /** `OPTIONS *`, well formed otherwise: it asks about the gateway itself (RFC 9110 section 9.3.7). */
  readonly serverWide?: boolean
}

/** Trace would echo credentials; Connect would tunnel past every decision. */
const REFUSED_METHODS: readonly string[] = ['TRACE', 'CONNECT']

/**
 * @param isUpgradable whether its connection is free to speak another protocol
 * @param url the target, where it is not the whole of what stands in the request line
 */
export function toRequestFacts(
  request: ClientRequest,
  limits: RequestLimits,
  isTrusted: (address: string) => boolean,
  isUpgradable = false,
  url = request.url ?? '',
): RequestFacts | Unreadable {
  const { method = '', rawHeaders: headers, http2 } = request
  const problem = http2 && checkUnparsed(method, headers, http2.isOversized)
  if (problem !== undefined) return problem
  if (headers.length > limits.headerFields * 2)
    return unreadable('headers_too_large', 'header fields')
  if (url.length > limits.target) return unreadable('target_too_long', 'target')
  if (isRefusedMethod(method)) return unreadable('method_not_allowed', method)
  const framing = checkFraming(headers, http2 === undefined ? request.httpVersion : '1.1')
  if ('refused' in framing) return framing
  const authorization = singleValue(headers, 'authorization')
  if (authorization === null) return unreadable('credential_ambiguous', 'two Authorization fields')
  const hostField = singleValue(headers, 'host')
  if (hostField === null) return unreadable('request_malformed', 'two Host fields')
  const host = parseHost(hostField)
  if ('refused' in host) return host
  const target = parseRequestTarget(url, host.authority)
  if ('refused' in target) {
    return url === '*' && method === 'OPTIONS' ? { ...target, serverWide: true } : target
  }
  const { remoteAddress = '' } = request.socket
  const peerAddress = toPlainAddress(remoteAddress) ?? remoteAddress
  const peerTrusted = isTrusted(peerAddress)
  return {
    method,
    host,
    target,
    headers,
    authorization,
    upgrade: isUpgradable ? requestedUpgrade(method, request.httpVersion, headers) : undefined,
    peerAddress,
    peerTrusted,
    clientAddress: peerTrusted
      ? clientAddress(peerAddress, listValue(headers, 'x-forwarded-for'), isTrusted)
      : peerAddress,
    secure: request.socket.encrypted === true,
    hasBody: http2 === undefined ? hasBody(framing) : http2.hasBody,
    contentLength: framing.contentLength,
  }
}

export function isRefusedMethod(method: string): boolean {
  return REFUSED_METHODS.includes(method)
}

/** What nobody has seen to yet where the request has not been through the parser of HTTP/1.1. */
export function checkUnparsed(
  method: string,
  headers: readonly string[],
  isOversized: boolean,
): Unreadable | undefined {
  const unknown = checkMethod(method)
  if (unknown !== undefined) return unknown
  if (isOversized) return unreadable('headers_too_large', 'bytes of header fields')
  const expect = firstValue(headers, 'expect')
  if (expect === undefined || expect.toLowerCase() === '100-continue') return undefined
  return unreadable('expectation_failed', expect)
}

/** No other spelling either: `get` is another method, which some upstreams take for the same. */
export function checkMethod(method: string): Unreadable | undefined {
  return METHODS.includes(method) ? undefined : toMalformed('the method is none of HTTP')
}

export function unreadable(reason: DenyReason, detail: string): Unreadable {
  return { refused: true, reason, detail }
}
