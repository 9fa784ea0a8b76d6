// One HTTP/2 connection to an upstream and the requests on it (RFC 9113). It is used once the upstream has sent its SETTINGS: until then
// nobody knows that it speaks HTTP/2. A session that says nothing for long is asked whether it is still there.
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { EngineSettings } from './engine.ts'
import { MAX_RESPONSE_FIELDS, MAX_RESPONSE_HEAD } from './engine.ts'
import type { UpstreamFailure } from './failure.ts'
import type { CallSession, Http2Call } from './http2-call.ts'
import { toHttp2Fields } from './http2-fields.ts'
import { NEVER, type Waiting } from './sweep.ts'

export interface SessionOwner {
  readonly settings: EngineSettings
  readonly scheme: string
  connect(): Socket
  dueTick(ms: number): number
  /** It may have room for requests now. */
  freed(): void
  /** Takes no more requests; those under way may still end. */
  retired(): void
  /** Gone for good; `failure` says why where it never was open. */
  closed(session: Http2Session, failure: UpstreamFailure | undefined): void
}

type Phase = 'connecting' | 'open' | 'retired' | 'closed'

/** Requests at once on one session, however many more its upstream would take. */
export const MAX_STREAMS = 256
const STREAM_WINDOW = 256 * 1024
const SESSION_WINDOW = 4 * 1024 * 1024
const SESSION_MEMORY_MB = 64
/** HTTP/2 counts 32 bytes more for each field (RFC 9113 section 6.5.2). */
const FIELD_OVERHEAD = 32
/** A session with requests under way that says nothing for so long is sent a PING. */
const QUIET_MS = 10_000
/** gRPC servers end connections with more PINGs than one in five minutes that stand between no data. */
const QUIET_AFTER_PING_MS = 300_000

const SESSION_OPTIONS = {
  // The pseudo-field of the status beside.
  maxHeaderListPairs: MAX_RESPONSE_FIELDS + 1,
  maxSessionMemory: SESSION_MEMORY_MB,
  maxReservedRemoteStreams: 0,
  // What a field that stands twice means is for the upstream to say, as with HTTP/1.1.
  strictSingleValueFields: false,
  settings: {
    enablePush: false,
    initialWindowSize: STREAM_WINDOW,
    maxHeaderListSize: MAX_RESPONSE_HEAD + MAX_RESPONSE_FIELDS * FIELD_OVERHEAD,
  },
}

export class Http2Session implements CallSession, Waiting {
  due: number
  problem: string | undefined
  hasServed = false
  private readonly owner: SessionOwner
  private readonly socket: Socket
  private readonly calls = new Set<Http2Call>()
  private phase: Phase = 'connecting'
  private session: ClientHttp2Session | undefined
  private mostStreams = 0
  private isPinged = false
  /** Streams behind this one were not processed. */
  private lastStream = NEVER

  constructor(owner: SessionOwner) {
    this.owner = owner
    this.due = owner.dueTick(owner.settings.connectMs)
    this.socket = owner.connect()
    const isTls = 'encrypted' in this.socket
    this.socket.once(isTls ? 'secureConnect' : 'connect', () => this.connected())
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.problem ??= error.message || String(error.code)
      if (error.code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL') this.refused()
    })
    this.socket.on('close', () => this.lost())
  }

  get connecting(): boolean {
    return this.phase === 'connecting'
  }

  get hasRoom(): boolean {
    if (this.phase !== 'open' || this.calls.size >= this.mostStreams) return false
    // Its end is heard of a little later.
    return this.session?.closed === false && !this.session.destroyed
  }

  begin(call: Http2Call): void {
    const session = this.session as ClientHttp2Session
    const { request } = call
    const options = {
      endStream: request.body === null,
      waitForTrailers: request.trailers !== undefined,
      ...(call.cutting && { signal: call.cutting.signal }),
    }
    let stream: ClientHttp2Stream
    try {
      stream = session.request(toHttp2Fields(request, this.owner.scheme), options)
    } catch (error) {
      call.fail({ kind: 'protocol', detail: (error as Error).message })
      return
    }
    if (this.calls.size === 0) this.beQuiet()
    this.calls.add(call)
    call.begin(this, stream)
  }

  heard(): void {
    this.hasServed = true
    this.beQuiet()
  }

  private beQuiet(): void {
    this.isPinged = false
    this.due = this.owner.dueTick(QUIET_MS)
  }

  refuses({ id }: ClientHttp2Stream): boolean {
    return id === undefined || id > this.lastStream
  }

  left(call: Http2Call): void {
    this.calls.delete(call)
    if (this.phase === 'closed') return
    if (this.calls.size > 0) this.owner.freed()
    else if (this.phase === 'retired') this.close('not to be used again')
    else {
      this.due = this.owner.dueTick(this.owner.settings.keepAliveMs)
      this.owner.freed()
    }
  }

  /** It has waited too long. */
  expire(): void {
    const { connectMs } = this.owner.settings
    if (this.phase === 'connecting') this.end(`no connection within ${connectMs} ms`)
    else if (this.calls.size === 0) this.close('not used for long')
    else if (this.isPinged) {
      const detail = `no answer to a PING within ${connectMs} ms`
      this.problem = detail
      for (const call of [...this.calls]) call.fail({ kind: 'timeout', detail })
      this.close(detail)
    } else this.ping(connectMs)
  }

  /** No more requests; it closes once those under way have ended. */
  retire(): void {
    if (this.phase === 'connecting') this.close('the upstream is no longer in use')
    else if (this.phase === 'open') {
      this.phase = 'retired'
      this.owner.retired()
      if (this.calls.size === 0) this.close('not to be used again')
    }
  }

  /** Ends it and whatever is under way. */
  fail(failure: UpstreamFailure): void {
    for (const call of [...this.calls]) call.fail(failure)
    this.close(failure.detail)
  }

  private close(why: string): void {
    this.problem ??= why
    this.end(why)
  }

  private end(why: string, kind: UpstreamFailure['kind'] = 'unreachable'): void {
    if (this.phase === 'closed') return
    const failure = this.phase === 'connecting' ? { kind, detail: why } : undefined
    this.phase = 'closed'
    this.due = NEVER
    this.session?.destroy()
    this.socket.destroy()
    this.owner.closed(this, failure)
  }

  private connected(): void {
    if (this.phase === 'closed') return
    const isTls = 'encrypted' in this.socket
    if (isTls && (this.socket as TLSSocket).alpnProtocol !== 'h2') this.refused()
    else this.speak()
  }

  private refused(): void {
    this.end('the target does not choose HTTP/2 (ALPN h2)', 'protocol')
  }

  private speak(): void {
    const session = connectHttp2('http://upstream', {
      ...SESSION_OPTIONS,
      createConnection: () => this.socket,
    })
    this.session = session
    session.on('connect', () => session.setLocalWindowSize(SESSION_WINDOW))
    session.on('remoteSettings', (settings) => this.agreed(settings.maxConcurrentStreams))
    session.on('goaway', (code, lastStream) => {
      this.problem ??= `the upstream ends the connection (GOAWAY ${code})`
      this.lastStream = lastStream
      this.retire()
    })
    session.on('error', (error) => {
      this.problem ??= error.message
    })
    session.on('close', () => this.lost())
  }

  private agreed(mostStreams = MAX_STREAMS): void {
    this.mostStreams = Math.min(mostStreams, MAX_STREAMS)
    if (this.phase !== 'connecting') {
      if (this.hasRoom) this.owner.freed()
      return
    }
    this.phase = 'open'
    this.due = this.owner.dueTick(this.owner.settings.keepAliveMs)
    this.owner.freed()
  }

  private ping(answerMs: number): void {
    if (this.session?.destroyed !== false) return
    this.isPinged = true
    this.due = this.owner.dueTick(answerMs)
    this.session.ping((error) => {
      if (error !== null || !this.isPinged) return
      this.isPinged = false
      this.due = this.owner.dueTick(
        this.calls.size > 0 ? QUIET_AFTER_PING_MS : this.owner.settings.keepAliveMs,
      )
    })
  }

  private lost(): void {
    this.problem ??= 'the upstream closed the connection'
    if (this.session === undefined) this.end(this.problem)
    else this.end(`the target does not speak HTTP/2: ${this.problem}`, 'protocol')
  }
}
