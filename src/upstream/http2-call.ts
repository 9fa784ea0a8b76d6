// One request on its way through the HTTP/2 engine: waiting for a session, on a stream of one, or over. It is over exactly once, and
// whole only where the upstream said so: a stream that was reset has an end too.
import { type ClientHttp2Stream, constants } from 'node:http2'
import type { RawHeaders } from '../http/headers.ts'
import type { ResponseSink, UpstreamCall, UpstreamRequest } from './dispatch.ts'
import type { EngineSettings } from './engine.ts'
import type { UpstreamFailure } from './failure.ts'
import { toResponseFields } from './http2-fields.ts'
import { NEVER, type Waiting } from './sweep.ts'
import { Upload } from './upload.ts'

/** What carries a call. */
export interface CallSession {
  /** Something came from the upstream. */
  heard(): void
  /** Whether the upstream said that it did not process this stream and all later ones (RFC 9113 section 6.8). */
  refuses(stream: ClientHttp2Stream): boolean
  /** Whether any request got an answer on it. */
  readonly hasServed: boolean
  /** Why the session ended, where it did. */
  readonly problem: string | undefined
  left(call: Http2Call): void
}

export interface CallOwner {
  readonly settings: EngineSettings
  dueTick(ms: number): number
  /** It is over, and takes no place any more. */
  ended(call: Http2Call): void
  /** It has waited for a stream as long as it may. */
  waitedLong(call: Http2Call): void
  /** The upstream did not process it, so another session may have it. */
  returned(call: Http2Call): void
}

const { NGHTTP2_CANCEL, NGHTTP2_FLAG_END_STREAM, NGHTTP2_REFUSED_STREAM } = constants
const CONTINUE = 100
/** A busy connection that ends after so many requests leaves others unprocessed, time and again. */
const SERVED_OTHERS = 1 / 16

export class Http2Call implements UpstreamCall, Waiting {
  readonly request: UpstreamRequest
  due = NEVER
  /** Sessions that took it and did not process it; those that processed others count for little. */
  lostSessions = 0
  over = false
  /** Resets the stream of a request whose body is not over: `close` would end the body first, as if it were whole. */
  readonly cutting: AbortController | undefined = undefined
  private readonly sink: ResponseSink
  private readonly release: () => void
  private readonly owner: CallOwner
  private readonly times: Pick<EngineSettings, 'responseMs' | 'idleMs'>
  private session: CallSession | undefined
  private stream: ClientHttp2Stream | undefined
  private readonly upload: Upload | undefined = undefined
  private isHeard = false
  private isInformed = false
  private isWhole = false
  /** The sink holds the last chunk; `isRead` then says that there is nothing behind it. */
  private isHeld = false
  private isRead = false
  private problem: string | undefined
  private trailers: RawHeaders = []

  constructor(request: UpstreamRequest, sink: ResponseSink, release: () => void, owner: CallOwner) {
    this.request = request
    this.sink = sink
    this.release = release
    this.owner = owner
    this.times = request.timeouts ?? owner.settings
    if (request.body === null) return
    this.cutting = new AbortController()
    this.upload = this.createUpload(request.body)
  }

  begin(session: CallSession, stream: ClientHttp2Stream): void {
    this.session = session
    this.stream = stream
    stream.on('headers', (_, flags, raw) => this.informed(flags, raw as RawHeaders))
    stream.on('response', (_, flags, raw) => this.head(flags, raw as RawHeaders))
    stream.on('trailers', (_, _flags, raw) => this.trailed(raw as RawHeaders))
    stream.on('data', (chunk: Buffer) => this.data(chunk))
    stream.on('end', () => this.ended())
    stream.on('error', (error) => {
      this.problem = error.message
    })
    stream.on('close', () => this.closed(stream))
    this.watchEnd(stream)
    this.waitFor(this.upload ? NEVER : this.times.responseMs)
    this.upload?.begin(stream)
  }

  abort(): void {
    if (this.end()) this.reset()
  }

  resume(): void {
    if (!this.isHeld) return
    this.isHeld = false
    this.waitFor(this.times.idleMs)
    if (this.isRead) this.ended()
    else this.stream?.resume()
  }

  /** There is no stream for it yet. */
  wait(): void {
    this.waitFor(this.owner.settings.queueMs)
  }

  expire(): void {
    if (this.stream === undefined) {
      this.owner.waitedLong(this)
      return
    }
    const { responseMs, idleMs } = this.times
    const what = this.isHeard ? 'nothing of the body' : 'no response'
    this.fail({
      kind: 'timeout',
      detail: `${what} within ${this.isHeard ? idleMs : responseMs} ms`,
    })
  }

  fail(failure: UpstreamFailure): void {
    if (!this.end()) return
    this.reset()
    this.sink.failed(failure)
  }

  /** The stream's `push(null)` comes for END_STREAM and for a reset alike, but behind a reset the stream is closed already. */
  private watchEnd(stream: ClientHttp2Stream): void {
    const push = stream.push.bind(stream)
    stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
      if (chunk === null && !stream.closed) this.isWhole = true
      return push(chunk, encoding)
    }
  }

  private createUpload(body: NonNullable<UpstreamRequest['body']>): Upload {
    const { responseMs } = this.times
    // While the client is the one to be waited for, the upstream cannot be late.
    return new Upload(body, this.request, {
      blocked: (isBlocked) => this.waitForHead(isBlocked ? responseMs : NEVER),
      sent: () => this.waitForHead(responseMs),
      failed: (detail) => this.fail({ kind: 'protocol', detail }),
    })
  }

  private informed(flags: number, raw: RawHeaders): void {
    const status = toStatus(raw)
    const headers = toResponseFields(raw)
    this.session?.heard()
    if (this.over || status === CONTINUE || (flags & NGHTTP2_FLAG_END_STREAM) !== 0) return
    if (headers === undefined) this.malformed('too long a head')
    else {
      this.isInformed = true
      this.sink.informed(status, headers)
    }
  }

  private head(flags: number, raw: RawHeaders): void {
    const headers = toResponseFields(raw)
    this.session?.heard()
    if (this.over) return
    if (headers === undefined) {
      this.malformed('too long a head')
      return
    }
    this.isHeard = true
    this.upload?.forget()
    if ((flags & NGHTTP2_FLAG_END_STREAM) !== 0) this.isWhole = true
    this.waitFor(this.times.idleMs)
    this.sink.head(toStatus(raw), headers)
  }

  private data(chunk: Buffer): void {
    this.session?.heard()
    if (this.over) return
    this.waitFor(this.times.idleMs)
    if (this.sink.data(chunk) || this.over) return
    this.isHeld = true
    this.waitFor(NEVER)
    this.stream?.pause()
  }

  private trailed(raw: RawHeaders): void {
    const trailers = toResponseFields(raw)
    if (trailers === undefined) this.malformed('trailers')
    else this.trailers = trailers
  }

  private ended(): void {
    if (!this.isHeard || !this.isWhole) return
    this.isRead = true
    if (this.isHeld) return
    const isUploading = this.upload?.isSent === false
    if (!this.end()) return
    if (isUploading) this.reset()
    this.sink.ended(this.trailers)
  }

  /** Always the last that is heard of a stream. */
  private closed(stream: ClientHttp2Stream): void {
    const { session, upload } = this
    this.session = undefined
    session?.left(this)
    if (this.over || this.isRead) return
    const code = stream.rstCode ?? 0
    const isEnding = session?.refuses(stream) === true
    const isRefused = isEnding || code === NGHTTP2_REFUSED_STREAM
    const isUnprocessed = isRefused && !this.isHeard && !this.isInformed
    const detail = session?.problem ?? this.problem ?? `the upstream reset the stream (${code})`
    if (isUnprocessed && upload?.isRepeatable !== false) {
      upload?.leave()
      this.stream = undefined
      this.due = NEVER
      this.lostSessions += isEnding && session.hasServed ? SERVED_OTHERS : 1
      this.owner.returned(this)
    } else this.fail({ kind: isUnprocessed ? 'unreachable' : 'protocol', detail, resetCode: code })
  }

  private reset(): void {
    if (this.cutting && this.stream?.writableEnded === false) this.cutting.abort()
    else this.stream?.close(NGHTTP2_CANCEL)
  }

  private malformed(what: string): void {
    this.fail({ kind: 'protocol', detail: `malformed response: ${what}` })
  }

  private waitFor(ms: number): void {
    this.due = this.owner.dueTick(ms)
  }

  private waitForHead(ms: number): void {
    if (!this.isHeard) this.waitFor(ms)
  }

  /** True when the sink is still to hear how it ended. */
  private end(): boolean {
    if (this.over) return false
    this.over = true
    this.due = NEVER
    this.upload?.stop()
    this.owner.ended(this)
    this.release()
    return true
  }
}

function toStatus(raw: RawHeaders): number {
  return Number(raw[raw.indexOf(':status') + 1])
}
