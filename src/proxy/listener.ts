// The client's side: a socket becomes a request here, and what is malformed, oversized or slow is refused before any of our logic.
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ListenAddress, listenOn } from '../base/listen.ts'
import type { DenyReason } from '../policy/decision.ts'
import { toDenialResponse } from './denial-response.ts'
import type { ProxyHandler } from './proxy-handler.ts'

export interface ListenerSettings {
  readonly address: ListenAddress
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
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
  readonly handle: ProxyHandler
  readonly nextId: () => string
  /** Refused before it became a request. */
  readonly refused: (refusal: EarlyRefusal) => void
  /** No byte has moved on this connection for `idleMs`; true cuts it. */
  readonly stalled: (socket: Socket) => boolean
  /** Whether a response is under way on this connection. */
  readonly busy: (socket: Duplex) => boolean
  /** What comes next on this connection cannot be read; true when an exchange under way sees to its end. */
  readonly unreadable: (socket: Duplex, reason: DenyReason, detail: string) => boolean
  readonly connected: (delta: 1 | -1) => void
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
  /** Cuts every connection. */
  destroy(): void
}

const TLS_ERROR = /^ERR_(TLS|SSL)_/

export function createListener(settings: ListenerSettings, ports: ListenerPorts): Listener {
  const server = createHttpServer(settings)
  server.maxHeadersCount = 0
  server.maxConnections = settings.connections
  server.maxRequestsPerSocket = settings.requestsPerConnection
  server.timeout = settings.idleMs
  server.on('request', (request, response) => ports.handle(request, response, false))
  server.on('checkContinue', (request, response) => ports.handle(request, response, true))
  // Not the response's socket: behind a request that is under way it has none yet.
  server.on('checkExpectation', (request) => refuse('expectation_failed', request.socket))
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
    const [reason, detail] = [reasonOf(error), error.code ?? error.message]
    const isAlive = socket.writable && detail !== 'ECONNRESET'
    if (isAlive && ports.unreadable(socket, reason, detail)) return
    refuse(reason, socket as Socket, detail)
  })
  server.on('timeout', (socket: Socket) => {
    if (ports.stalled(socket)) socket.destroy()
    else socket.setTimeout(settings.idleMs)
  })
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
    ports.refused({ id, reason, detail, status, address: socket.remoteAddress ?? '' })
  }

  return {
    listen: () => listenOn(server, settings.address),
    closeIdle: () => server.closeIdleConnections(),
    close: () => new Promise((resolve) => server.close(() => resolve())),
    // Also what has never become HTTP, such as a TLS handshake that stalls.
    destroy() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

function createHttpServer(settings: ListenerSettings): Server {
  const options = {
    maxHeaderSize: settings.headerBytes,
    headersTimeout: settings.headersMs,
    requestTimeout: settings.requestMs,
    keepAliveTimeout: settings.keepAliveMs,
    connectionsCheckingInterval: settings.checkIntervalMs,
    insecureHTTPParser: false,
    // A missing Host is answered by ourselves, with a reason.
    requireHostHeader: false,
  }
  const { tls } = settings
  if (tls === undefined) return createServer(options)
  return createTlsServer({
    ...options,
    cert: readFileSync(tls.cert),
    key: readFileSync(tls.key),
    minVersion: 'TLSv1.2',
    handshakeTimeout: settings.tlsHandshakeMs,
    ALPNProtocols: ['http/1.1'],
  })
}

/** What Node's parser and timers found wrong. */
function reasonOf({ code }: { code?: string }): DenyReason {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large'
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout'
  return 'request_malformed'
}
