// HTTP/2 from clients: a connection becomes a session here, and each of its streams a request. What a session may cost is bounded.
import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Server, Socket } from 'node:net'
import { Server as TlsServer, type TLSSocket } from 'node:tls'
import type { Clock, Timer } from '../base/clock.ts'
import type { DenyReason } from '../policy/decision.ts'
import type { ClientSocket } from './client-side.ts'
import { Http2ClientRequest, type Peer } from './http2-client-request.ts'
import { Http2ClientResponse } from './http2-client-response.ts'
import { readPreface } from './http2-preface.ts'
import type { ProxyHandler } from './proxy-handler.ts'

export interface Http2Settings {
  readonly headerBytes: number
  readonly requestsPerConnection: number
  readonly headersMs: number
  /** For a whole request, body included; 0 for as long as it moves. */
  readonly requestMs: number
  readonly idleMs: number
  readonly keepAliveMs: number
}

export interface Http2Ports {
  readonly clock: Pick<Clock, 'after'>
  readonly handle: ProxyHandler
  /** No byte has moved on this stream for `idleMs`; true cuts it. */
  readonly stalled: (socket: ClientSocket) => boolean
  /** The rest of its request is not waited for any more. */
  readonly unreadable: (socket: ClientSocket, reason: DenyReason, detail: string) => boolean
}

export interface Http2Listener {
  /** Takes no further request; each session ends with its last stream. */
  close(): void
}

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_FLAG_END_STREAM, NGHTTP2_NO_ERROR } = constants
const MAX_STREAMS = 128
/** Streams that a client may reset before they are answered; beyond it, no more than are answered (CVE-2023-44487). */
const MAX_RESETS = 100
const LAST_WORD_MS = 1_000

/** Takes the connections of a server of HTTP/1.1 that speak HTTP/2; the others go to that server as before. */
export function createHttp2Listener(
  server: Server,
  settings: Http2Settings,
  ports: Http2Ports,
): Http2Listener {
  const sessions = new Set<Session>()
  const undecided = new Set<() => void>()
  const event = server instanceof TlsServer ? 'secureConnection' : 'connection'
  const [toHttp1] = server.listeners(event) as ((socket: Socket) => void)[]
  const http1 = (socket: Socket) => toHttp1?.call(server, socket)
  const http2 = (socket: Socket) => {
    const session = new Session(socket, settings, ports)
    sessions.add(session)
    socket.on('close', () => {
      session.stop()
      sessions.delete(session)
    })
  }
  function decide(socket: Socket): void {
    const cut = readPreface(socket, settings.headersMs, {
      clock: ports.clock,
      http1: (socket) => {
        undecided.delete(cut)
        http1(socket)
      },
      http2: (socket) => {
        undecided.delete(cut)
        http2(socket)
      },
    })
    undecided.add(cut)
    socket.on('close', () => undecided.delete(cut))
  }
  server.removeAllListeners(event)
  if (event === 'connection') server.on(event, decide)
  else {
    server.on(event, (socket: TLSSocket) => {
      if (socket.alpnProtocol === 'h2') http2(socket)
      else http1(socket)
    })
  }
  return {
    close() {
      for (const cut of undecided) cut()
      for (const session of sessions) session.retire()
    },
  }
}

class Session {
  private readonly settings: Http2Settings
  private readonly ports: Http2Ports
  private readonly session: ServerHttp2Session
  private readonly socket: Socket
  private readonly peer: Peer
  private waiting: Timer
  private open = 0
  private taken = 0
  private resets = 0
  private answers = 0

  constructor(socket: Socket, settings: Http2Settings, ports: Http2Ports) {
    const { remoteAddress } = socket
    this.socket = socket
    this.settings = settings
    this.ports = ports
    this.peer = { remoteAddress, encrypted: (socket as TLSSocket).encrypted === true }
    this.session = performServerHandshake(socket, toOptions(settings))
    // The server of HTTP/1.1 lets its sockets stand half open.
    socket.on('end', () => socket.destroySoon())
    // Its GOAWAY says what was wrong.
    this.session.on('error', () => this.cutSoon())
    // Its own end leaves the socket's to us.
    this.session.on('close', () => socket.destroySoon())
    this.session.on('stream', (stream, _, flags, raw?: string[]) => this.begin(stream, flags, raw))
    this.waiting = ports.clock.after(settings.headersMs, () => this.retire())
  }

  stop(): void {
    this.waiting.cancel()
  }

  retire(): void {
    this.waiting.cancel()
    if (!this.session.closed && !this.session.destroyed) this.session.close()
    if (this.open === 0) this.cutSoon()
  }

  /** For a last GOAWAY to be taken; nothing waits for a peer that takes nothing. */
  private cutSoon(): void {
    this.ports.clock.after(LAST_WORD_MS, () => this.socket.destroy())
  }

  private begin(stream: ServerHttp2Stream, flags: number, raw: readonly string[] = []): void {
    // An error is told with the close.
    stream.on('error', () => undefined)
    stream.on('close', () => this.ended(stream))
    this.waiting.cancel()
    this.open += 1
    if (++this.taken >= this.settings.requestsPerConnection) this.retire()
    const hasBody = (flags & NGHTTP2_FLAG_END_STREAM) === 0
    const { headerBytes } = this.settings
    const request = new Http2ClientRequest(stream, raw, hasBody, this.peer, headerBytes)
    const response = new Http2ClientResponse(stream, request)
    this.watch(stream, request)
    this.ports.handle(request, response, request.expects?.toLowerCase() === '100-continue')
  }

  private watch(stream: ServerHttp2Stream, request: Http2ClientRequest): void {
    const { idleMs, requestMs } = this.settings
    const stalled = () => {
      if (this.ports.stalled(request.socket)) request.socket.destroy()
      else stream.setTimeout(idleMs, stalled)
    }
    stream.setTimeout(idleMs, stalled)
    if (requestMs === 0 || request.complete) return
    const timer = this.ports.clock.after(requestMs, () => {
      if (request.complete) return
      this.ports.unreadable(request.socket, 'request_timeout', 'not whole in timeouts.request')
    })
    stream.on('close', () => timer.cancel())
  }

  private ended(stream: ServerHttp2Stream): void {
    const { settings, ports, session } = this
    this.open -= 1
    if (this.socket.destroyed) return
    const isReset = stream.rstCode !== NGHTTP2_NO_ERROR && !stream.headersSent
    if (isReset) this.resets += 1
    else this.answers += 1
    if (this.resets > MAX_RESETS && this.resets > this.answers && !session.destroyed) {
      session.destroy(NGHTTP2_ENHANCE_YOUR_CALM as never)
    } else if (this.open === 0 && session.closed) {
      this.cutSoon()
    } else if (this.open === 0) {
      this.waiting = ports.clock.after(settings.keepAliveMs, () => this.retire())
    }
  }
}

function toOptions({ headerBytes }: Http2Settings): Parameters<typeof performServerHandshake>[1] {
  return {
    settings: {
      enablePush: false,
      maxConcurrentStreams: MAX_STREAMS,
      // What is somewhat too large is answered; what is more, reset.
      maxHeaderListSize: 2 * headerBytes,
    },
    // Each counts 32 bytes at least, so that the size is what binds.
    maxHeaderListPairs: Math.ceil((2 * headerBytes) / 32),
    maxSessionInvalidFrames: 100,
    streamResetBurst: 2 * MAX_RESETS,
    streamResetRate: 33,
    // Upstreams say some of them twice, and their responses are passed on as they are.
    strictSingleValueFields: false,
  }
}
