// Settings of the listeners and of the client's side of a connection.
import { z } from 'zod'
import { parseCidr } from './cidr.ts'
import {
  count,
  duration,
  durationOrNone,
  expected,
  flag,
  parsedText,
  size,
  sizeOrNone,
  text,
} from './fields.ts'
import { type ListenAddress, parseListenAddress } from './listen-address.ts'

const HOUR_MS = 3_600_000

export interface Listen {
  readonly address: ListenAddress
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

export interface ClientListen extends Listen {
  /** HTTP/2 beside HTTP/1.1. */
  readonly http2: boolean
}

const address = text('an address such as 127.0.0.1:8080 or unix:/path')
  .transform((value, context): ListenAddress => {
    const parsed = parseListenAddress(value)
    if (!('problem' in parsed)) return parsed
    context.issues.push({ code: 'custom', message: parsed.problem, input: value })
    return z.NEVER
  })
  .meta({ title: 'address' })

const tls = z.strictObject({
  cert: text('the path of a PEM file').describe(
    'Path of a PEM file with the certificate, followed by its intermediates.',
  ),
  key: text('the path of a PEM file').describe('Path of a PEM file with the private key.'),
})

const listener = z
  .strictObject({
    address: address.describe('`host:port`, `[ipv6]:port` or `unix:/path`.'),
    tls: tls.exactOptional().describe('Serve TLS with this certificate. Default: plain HTTP.'),
  })
  .meta({ id: 'listener', description: 'A listener with more than an address.' })

const clientListener = listener
  .extend({
    http2: flag()
      .exactOptional()
      .describe(
        'HTTP/2 beside HTTP/1.1: offered by ALPN with `tls`, with prior knowledge on the same port without. Default: true with `tls`, false without.',
      ),
  })
  .meta({ id: 'clientListener', description: 'A listener for requests with more than an address.' })

const listenError = {
  error: expected('an address such as 127.0.0.1:8080, or a mapping with address'),
}

function toListen(value: ListenAddress | z.output<typeof listener>): Listen {
  return 'kind' in value ? { address: value } : value
}

function toClientListen(value: ListenAddress | z.output<typeof clientListener>): ClientListen {
  if ('kind' in value) return { address: value, http2: false }
  return { ...value, http2: value.http2 ?? value.tls !== undefined }
}

export const listen = z
  .union([address, clientListener], listenError)
  .transform(toClientListen)
  .prefault('127.0.0.1:8080')
  .describe('Where requests come in: `host:port`, `unix:/path`, or a mapping with TLS.')

const listenOrNone = z
  .union([z.literal('none'), address, listener], listenError)
  .transform((value) => (value === 'none' ? value : toListen(value)))

export const admin = listenOrNone
  .prefault('127.0.0.1:9090')
  .describe(
    'Where health and metrics are served, never on the data listener; `none` switches it off.',
  )

export const extAuthz = listenOrNone
  .prefault('none')
  .describe(
    "Where Envoy's gRPC external authorization (`envoy.service.auth.v3.Authorization`) is answered: `host:port`, `unix:/path`, or a mapping with TLS. Default: nowhere.",
  )

const peer = parsedText(
  'an address, a CIDR such as 10.0.0.0/8, or unix',
  /^(?:unix|[0-9A-Fa-f:./]+)$/,
  (value) => (value === 'unix' ? value : parseCidr(value)),
).meta({ title: 'address or CIDR' })

export const trustedProxies = z
  .array(peer, { error: expected('a list of addresses and CIDRs') })
  .prefault([])
  .describe(
    'Peers whose `X-Forwarded-*` fields are believed, and who may ask for decisions; `unix` for whoever comes through a unix socket. Nobody by default.',
  )

export const limits = z
  .strictObject({
    headerBytes: size(1024, 1024 ** 2)
      .prefault('32KiB')
      .describe('Largest request head (request line and fields together); beyond it 431.'),
    headerFields: count(1, 10_000)
      .prefault(128)
      .describe('Most header fields of one request; beyond it 431.'),
    target: size(64, 1024 ** 2)
      .prefault('8KiB')
      .describe('Longest request target (path and query); beyond it 414.'),
    body: sizeOrNone()
      .prefault('none')
      .describe('Largest request body; beyond it 413. Bodies stream, so `none` costs no memory.'),
    connections: count(1, 1_000_000)
      .prefault(10_000)
      .describe('Most client connections at once; more are closed at once.'),
    requestsPerConnection: count(1, 1_000_000_000)
      .prefault(10_000)
      .describe('Requests on one client connection before it is closed.'),
  })
  .transform(({ target, ...rest }) => ({ ...rest, targetBytes: target }))
  .prefault({})
  .describe('Sizes and counts that a client may not exceed.')

export const timeouts = z
  .strictObject({
    headers: duration(10, HOUR_MS)
      .prefault('10s')
      .describe('For a request head to arrive, from its first byte.'),
    request: durationOrNone(10, 24 * HOUR_MS)
      .prefault('none')
      .describe(
        'For a whole request to arrive, body included; more than `headers`. `none` leaves long uploads alone.',
      ),
    idle: duration(10, 24 * HOUR_MS)
      .prefault('60s')
      .describe('Without a byte in either direction while a request is under way.'),
    keepAlive: duration(10, HOUR_MS)
      .prefault('65s')
      .describe(
        'Between requests on one connection. Must be longer than the idle time-out of a load balancer in front.',
      ),
    drain: duration(0, HOUR_MS)
      .prefault('30s')
      .describe('For requests under way to end at shutdown, before they are cut off.'),
    tlsHandshake: duration(10, HOUR_MS).prefault('10s').describe('For a TLS handshake to end.'),
    checkInterval: duration(10, 60_000)
      .prefault('2s')
      .describe('How often connections are checked against `headers` and `request`.'),
  })
  .transform(toTimeouts)
  .prefault({})
  .describe("Time-outs of the client's side.")

interface TimeoutsInMs {
  headers: number
  request: number | 'none'
  idle: number
  keepAlive: number
  drain: number
  tlsHandshake: number
  checkInterval: number
}

export interface Timeouts {
  readonly headersMs: number
  /** Absent where a request may take as long as it likes. */
  readonly requestMs?: number
  readonly idleMs: number
  readonly keepAliveMs: number
  readonly drainMs: number
  readonly tlsHandshakeMs: number
  readonly checkIntervalMs: number
}

function toTimeouts(given: TimeoutsInMs): Timeouts {
  return {
    headersMs: given.headers,
    ...(given.request !== 'none' && { requestMs: given.request }),
    idleMs: given.idle,
    keepAliveMs: given.keepAlive,
    drainMs: given.drain,
    tlsHandshakeMs: given.tlsHandshake,
    checkIntervalMs: given.checkInterval,
  }
}
