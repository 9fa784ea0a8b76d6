// What a request asks to be upgraded to (RFC 9110 section 7.8), and whether it asks for a WebSocket as RFC 6455 has it.
import { createHash } from 'node:crypto'
import { connectionNamed, firstValue, type RawHeaders, singleValue, trimBlanks } from './headers.ts'

export const WEB_SOCKET = 'websocket'

const PROTOCOL = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:\/[!#$%&'*+.^_`|~0-9A-Za-z-]+)?$/

/**
 * The one protocol, in lower case. Undefined for whatever a recipient could take in two ways: several of them, a body that would have
 * to be read first, or a Connection that does not name the field.
 */
export function requestedUpgrade(
  method: string,
  httpVersion: string,
  headers: RawHeaders,
): string | undefined {
  if (method !== 'GET' || httpVersion !== '1.1') return undefined
  const upgrade = singleValue(headers, 'upgrade')
  if (typeof upgrade !== 'string' || !PROTOCOL.test(trimBlanks(upgrade))) return undefined
  if (!connectionNamed(headers).has('upgrade')) return undefined
  const length = firstValue(headers, 'content-length') ?? '0'
  if (length !== '0' || firstValue(headers, 'transfer-encoding') !== undefined) return undefined
  return trimBlanks(upgrade).toLowerCase()
}

/** Version 13 and a key of 16 bytes (RFC 6455 section 4.2.1), each of them once. */
export function isWebSocketHandshake(headers: RawHeaders): boolean {
  const key = singleValue(headers, 'sec-websocket-key')
  if (singleValue(headers, 'sec-websocket-version') !== '13' || typeof key !== 'string')
    return false
  return Buffer.from(key, 'base64').length === 16 && /^[A-Za-z0-9+/]{22}==$/.test(key)
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Whether what asks for this protocol asks for it as the protocol has it, as far as that is known here. */
export function isSoundUpgrade(request: {
  readonly upgrade?: string | undefined
  readonly headers: RawHeaders
}): boolean {
  return request.upgrade !== WEB_SOCKET || isWebSocketHandshake(request.headers)
}

/** What only a server that has understood the request answers in Sec-WebSocket-Accept (RFC 6455 section 4.2.2). */
export function toWebSocketAccept(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64')
}
