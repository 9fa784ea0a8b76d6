// The client's side: a socket becomes a request here, and what is malformed, oversized or slow is refused before any of our logic.
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../base/clock.ts'
import { type ListenAddress, listenOn } from '../base/listen.ts'
import { toPlainAddress } from '../http/client-address.ts'
import { requestedUpgrade } from '../http/upgrade.ts'
import type { DenyReason } from '../policy/decision.ts'
import type { ClientSocket } from './client-side.ts'
import { toDenialResponse } from './denial-response.ts'
import { EarlyBytes } from './early-bytes.ts'
import { createHttp2Listener } from './http2-listener.ts'
import type { ProxyHandler } from './proxy-handler.ts'

export interface ListenerSettings {
  readonly address: ListenAddress
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  /** Beside HTTP/1.1: by ALPN where there is TLS, with prior knowledge where there is none. */
  readonly http2: boolean
  readonly headerBytes: number
  readonly connections: number
  readonly requestsPerConnection: number
  readonly headersMs: number
  /** For a whole request, body included; 0 for as long as it moves. */
  readonly requestMs: number
  readonly idleMs: number
  readonly keepAliveMs: number
  readonly tlsHandshakeMs: number
  readonly checkIntervalMs: number
}

export interface ListenerPorts {
  readonly clock: Pick<Clock, 'after'>
  readonly handle: ProxyHandler
  readonly nextId: () => string
  /** Refused before it became a request. */
  readonly refused: (refusal: EarlyRefusal) => void
  /** No byte has moved on this connection, or stream of one, for `idleMs`; true cuts it. */
  readonly stalled: (socket: ClientSocket) => boolean
  /** Whether a response is under way on this connection. */
  readonly busy: (socket: ClientSocket) => boolean
  /** What comes next on this connection cannot be read; true when an exchange under way sees to its end. */
  readonly unreadable: (socket: ClientSocket, reason: DenyReason, detail: string) => boolean
  readonly connected: (delta: 1 | -1) => void
  /** Whether some route may go on with this protocol. */
  readonly takesUpgrade: (protocol: string) => boolean
}

/** What was answered before there was a request to hand on. */
export interface EarlyRefusal {
  readonly id: string
  readonly reason: DenyReason
  readonly detail: string
  readonly status: number
  readonly address: string
}

export interface Listener {
  /** Resolves with the address that clients use: `host:port`, or `unix:` and the path. */
  listen(): Promise<string>
  /** Takes no new connection and closes the idle ones; resolves once all are closed. */
  close(): Promise<void>
  closeIdle(): void
  /** Takes no further request on this connection: an answer that ends it is under way. */
  takeNoMore(socket: ClientSocket): void
  /** Cuts every connection. */
  destroy(): void
}

const TLS_ERROR = /^ERR_(TLS|SSL)_/

export function createListener(settings: ListenerSettings, ports: ListenerPorts): Listener {
  const server = createHttpServer(settings, (request) => {
    const { method = '', httpVersion, rawHeaders, socket } = request
    const protocol = requestedUpgrade(method, httpVersion, rawHeaders)
    if (protocol === undefined || !ports.takesUpgrade(protocol)) return false
    return !ended.has(socket) && !ports.busy(socket)
  })
  const http2 = settings.http2 ? createHttp2Listener(server, settings, ports) : undefined
  server.maxHeadersCount = 0
  server.maxConnections = settings.connections
  server.maxRequestsPerSocket = settings.requestsPerConnection
  server.timeout = settings.idleMs
  const ended = createEnded()
  const take = (request: IncomingMessage, response: ServerResponse, waits: boolean) => {
    if (ended.has(request.socket)) return ignore(request)
    if (isLast(request, response)) {
      ended.add(request.socket)
      response.shouldKeepAlive = false
    }
    ports.handle(request, response, waits)
  }
  server.on('request', (request, response) => take(request, response, false))
  server.on('checkContinue', (request, response) => take(request, response, true))
  server.on('checkExpectation', (request) => {
    // Not the response's socket: behind a request that is under way it has none yet.
    if (ended.has(request.socket)) ignore(request)
    else breakOff('expectation_failed', request.socket)
  })
  // Its bare 503 stands behind the last answer, which ends the connection.
  server.on('dropRequest', ignore)
  server.on('upgrade', (request: IncomingMessage, duplex: Duplex, head: Buffer) => {
    const socket = duplex as Socket
    // Node has taken its own listeners off.
    socket.on('error', () => socket.destroy())
    socket.on('timeout', () => timedOut(socket))
    if (ended.has(socket) || ports.busy(socket)) return void socket.destroy()
    ended.add(socket)
    const response = new ServerResponse(request)
    response.assignSocket(socket)
    response.shouldKeepAlive = false
    response.on('finish', () => socket.destroySoon())
    ports.handle(request, response, false, new EarlyBytes(socket, head))
  })
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    refuse('method_not_allowed', socket as Socket, request.method)
  })
  const unreadable = new WeakSet<Duplex>()
  server.on('clientError', (error: Error & { code?: string }, socket) => {
    // Nothing can be said without a handshake, and an end would wait for it.
    if (TLS_ERROR.test(error.code ?? '')) return void socket.destroy()
    // The parser tells it again with every further byte.
    if (unreadable.has(socket)) return
    unreadable.add(socket)
    breakOff(reasonOf(error), socket as Socket, error.code ?? error.message)
  })
  server.on('drop', (data) => {
    const [id, detail] = [ports.nextId(), 'more connections than limits.connections']
    ports.refused({ id, reason: 'overloaded', detail, status: 0, address: addressOf(data ?? {}) })
  })
  server.on('timeout', timedOut)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    ports.connected(1)
    socket.setNoDelay(true).setKeepAlive(true, 30_000)
    socket.on('close', () => {
      sockets.delete(socket)
      ports.connected(-1)
    })
  })

  function timedOut(socket: Socket): void {
    if (ports.stalled(socket)) socket.destroy()
    else socket.setTimeout(settings.idleMs)
  }

  /** What comes next cannot be taken: what is under way is still answered, and nothing after it. */
  function breakOff(reason: DenyReason, socket: Socket, detail = ''): void {
    ended.add(socket)
    const isAlive = socket.writable && detail !== 'ECONNRESET'
    if (isAlive && ports.unreadable(socket, reason, detail)) return
    refuse(reason, socket, detail)
  }

  function refuse(reason: DenyReason, socket: Socket, detail = ''): void {
    // A second response must never be written into one that is under way.
    if (!socket.writable || ports.busy(socket) || detail === 'ECONNRESET') {
      socket.destroy()
      return
    }
    const id = ports.nextId()
    const denial = toDenialResponse(reason, id)
    const lines = Object.entries({ ...denial.headers, connection: 'close' })
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    socket.end(`HTTP/1.1 ${denial.status} Refused\r\n${head}\r\n${denial.body}`)
    socket.on('finish', () => socket.destroySoon())
    const { status } = denial
    ports.refused({ id, reason, detail, status, address: addressOf(socket) })
  }

  return {
    listen: () => listenOn(server, settings.address),
    closeIdle: () => server.closeIdleConnections(),
    takeNoMore: (socket) => ended.add(socket as Socket),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        http2?.close()
      }),
    // Also what has never become HTTP, such as a TLS handshake that stalls.
    destroy() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

interface Ended {
  add(socket: Duplex): void
  has(socket: Duplex): boolean
}

/**
 * Connections that have had their last request. Whatever still comes there is none: it would be forwarded and never answered,
 * and behind an Upgrade nobody knows where it begins.
 */
function createEnded(): Ended {
  const ended = new Set<Duplex>()
  return {
    add(socket) {
      if (socket.destroyed || ended.has(socket)) return
      ended.add(socket)
      socket.on('close', () => ended.delete(socket))
    },
    has: (socket) => !socket.writable || (ended.size > 0 && ended.has(socket)),
  }
}

/**
 * Node takes an Upgrade for granted (RFC 9110 section 7.8): it drops what came along with it, and what comes next it parses as a
 * request, from the middle of whatever that is. Behind the last of `requestsPerConnection` it answers 503 by itself.
 */
function isLast({ headers }: IncomingMessage, response: CountedResponse): boolean {
  return headers.upgrade !== undefined || response.maxRequestsOnConnectionReached === true
}

/** Node's own flag on the last response that `maxRequestsPerSocket` allows; it says `close` there, but waits for the client. */
type CountedResponse = ServerResponse & { readonly maxRequestsOnConnectionReached?: boolean }

/** From here on nothing is parsed on its connection; it is read so that the client's leaving is seen. */
function ignore(request: IncomingMessage): void {
  request.resume()
  request.socket.removeAllListeners('data')
  request.socket.on('data', () => {})
}

/** In its one spelling; '' for a Unix socket. */
function addressOf({ remoteAddress = '' }: { remoteAddress?: string | undefined }): string {
  return toPlainAddress(remoteAddress) ?? remoteAddress
}

function createHttpServer(
  settings: ListenerSettings,
  shouldUpgradeCallback: (request: IncomingMessage) => boolean,
): Server {
  const options = {
    maxHeaderSize: settings.headerBytes,
    headersTimeout: settings.headersMs,
    requestTimeout: settings.requestMs,
    keepAliveTimeout: settings.keepAliveMs,
    connectionsCheckingInterval: settings.checkIntervalMs,
    insecureHTTPParser: false,
    // A client that is gone without a word is asked for after 30 s of silence, where the system would wait for two hours.
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    shouldUpgradeCallback,
    // A missing Host is answered by ourselves, with a reason.
    requireHostHeader: false,
    // What announces no body gets none of a stream's events.
    optimizeEmptyRequests: true,
  }
  const { tls } = settings
  if (tls === undefined) return createServer(options)
  return createTlsServer({
    ...options,
    cert: readFileSync(tls.cert),
    key: readFileSync(tls.key),
    minVersion: 'TLSv1.2',
    handshakeTimeout: settings.tlsHandshakeMs,
    ALPNProtocols: settings.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
  })
}

/** What Node's parser and timers found wrong. */
function reasonOf({ code }: { code?: string }): DenyReason {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large'
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout'
  return 'request_malformed'
}
