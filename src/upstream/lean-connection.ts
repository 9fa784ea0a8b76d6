// One connection to a plain-http upstream, with at most one request under way. What it reads is lent to the sink: the memory is
// used again only when the sink has let go of it. Bytes that nobody asked for end the connection, and so does any doubt.
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import type { PutOff } from '../base/turn-end.ts'
import type { RawHeaders } from '../http/headers.ts'
import type { EngineSettings } from './engine.ts'
import type { UpstreamFailure } from './failure.ts'
import type { LeanCall } from './lean-call.ts'
import { toRequestHead } from './request-head.ts'
import type { ResponseHead } from './response-head.ts'
import { type ResponseEvents, ResponseReader } from './response-reader.ts'
import { sendBody } from './send-body.ts'
import { NEVER, type Waiting } from './sweep.ts'

export interface ConnectionOwner {
  readonly address: NetConnectOpts
  readonly settings: EngineSettings
  /** Ready for its first request. */
  connected(connection: LeanConnection): void
  /** The upstream ended it after so many ticks without a request; NEVER where it outlasted all the time that it is kept for here. */
  idled(ticks: number): void
  /** Ready for another request. */
  freed(connection: LeanConnection): void
  /** Gone for good; `unreachable` says why where it never was connected. */
  closed(connection: LeanConnection, unreachable: string | undefined): void
  /** Nothing of it was sent, so another connection may have it. */
  returned(call: LeanCall): void
  /** Its kept connection ended before a byte of the answer came. True when a new connection is to have it. */
  unanswered(call: LeanCall): boolean
  /** Has `run` called at the end of this turn. */
  putOff(connection: LeanConnection): void
  /** The number of the tick by which so many milliseconds have passed for sure. */
  dueTick(ms: number): number
  /** A buffer for a long body; given back when nothing reads into it any more. */
  takeBuffer(): Buffer
  giveBuffer(buffer: Buffer): void
}

/**
 * `chosen`: it has a request of which nothing has left yet; what it hears now is about the time before. `over`: the response has
 * come whole, but the sink still holds the last of it.
 */
type Phase = 'connecting' | 'idle' | 'chosen' | 'asked' | 'over' | 'closed'

/** Holds any usual head with a small body. */
const SMALL_BUFFER = 8 * 1024
/** An upstream that is about to close an idle connection must not be sent a request at that moment. */
const KEEP_ALIVE_MARGIN_MS = 1000

export class LeanConnection implements ResponseEvents, PutOff, Waiting {
  /** The tick at which it has waited too long for whatever it waits for. */
  due: number
  /** Whether it has carried a request already: the upstream may be about to close it. */
  isKept = false
  private readonly owner: ConnectionOwner
  private readonly socket: Socket
  private readonly reader = new ResponseReader(this)
  private readonly small = Buffer.allocUnsafeSlow(SMALL_BUFFER)
  private large: Buffer | undefined
  private phase: Phase = 'connecting'
  private call: LeanCall | undefined
  /** Those of the request under way. */
  private times: Pick<EngineSettings, 'responseMs' | 'idleMs'>
  private stopBody: (() => void) | undefined
  /** The head of a request without a body; it leaves at the end of the turn. */
  private unsent = ''
  private isLent = false
  private isReusable = false
  /** Whether anything has come since its present request was sent. */
  private isHeard = false
  private trailers: RawHeaders = []
  private keepAliveMs: number
  private problem = 'the upstream closed the connection'

  constructor(owner: ConnectionOwner) {
    const { address, settings } = owner
    this.owner = owner
    this.times = settings
    this.keepAliveMs = settings.keepAliveMs
    this.due = owner.dueTick(settings.connectMs)
    const onread = {
      buffer: () => this.nextBuffer(),
      callback: (size: number, buffer: Uint8Array) => this.received(size, buffer as Buffer),
    }
    this.socket = connect({ ...address, onread })
    this.socket.on('connect', () => this.connected())
    this.socket.on('end', () => this.ended())
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.problem = error.message || String(error.code)
    })
    this.socket.on('close', () => this.lost(this.problem))
  }

  /** Ticks since its last request was over; only while there is none. */
  get restTicks(): number {
    return this.owner.dueTick(this.keepAliveMs) - this.due
  }

  begin(call: LeanCall): void {
    const { request } = call
    const head = toRequestHead(request)
    call.connection = this
    this.call = call
    this.times = request.timeouts ?? this.owner.settings
    if (request.body === null) {
      this.phase = 'chosen'
      this.unsent = head.text
      this.owner.putOff(this)
      return
    }
    this.phase = 'asked'
    this.reader.expect(request.method)
    // While the client is the one to be waited for, the upstream cannot be late.
    this.waitFor(NEVER)
    this.stopBody = sendBody(request.body, this.socket, head, {
      blocked: (isBlocked) => this.waitForHead(isBlocked ? this.times.responseMs : NEVER),
      sent: () => {
        this.stopBody = undefined
        this.waitForHead(this.times.responseMs)
      },
      failed: (detail) => this.fail({ kind: 'protocol', detail }),
    })
  }

  run(): void {
    const { call } = this
    if (this.phase !== 'chosen' || call === undefined) return
    this.phase = 'asked'
    this.isHeard = false
    this.reader.expect(call.request.method)
    this.waitFor(this.times.responseMs)
    this.socket.write(this.unsent, 'latin1')
  }

  /** The sink has let go of what it was lent. */
  resume(): void {
    if (!this.isLent) return
    this.isLent = false
    this.socket.resume()
    if (this.phase === 'over') this.finish()
    else this.waitFor(this.times.idleMs)
  }

  /** It has waited too long. */
  expire(): void {
    const { connectMs } = this.owner.settings
    const { responseMs, idleMs } = this.times
    if (this.phase === 'idle') this.owner.idled(NEVER)
    if (this.phase !== 'asked') this.close(`no connection within ${connectMs} ms`)
    else if (this.reader.awaitsHead) {
      this.fail({ kind: 'timeout', detail: `no response within ${responseMs} ms` })
    } else this.fail({ kind: 'timeout', detail: `nothing of the body within ${idleMs} ms` })
  }

  /** Ends it, and the request under way if there is one. */
  fail(failure: UpstreamFailure): void {
    const { call } = this
    this.close(failure.detail)
    call?.fail(failure)
  }

  /** Ends it without a word to the request under way. */
  close(why: string): void {
    if (this.phase === 'closed') return
    const unreachable = this.phase === 'connecting' ? why : undefined
    const unsent = this.phase === 'chosen' ? this.call : undefined
    this.phase = 'closed'
    this.call = undefined
    this.reader.stop()
    this.stopBody?.()
    this.socket.destroy()
    this.owner.closed(this, unreachable)
    if (unsent) this.owner.returned(unsent)
  }

  informed(head: ResponseHead): void {
    this.call?.sink.informed(head.status, head.headers)
  }

  head(head: ResponseHead): void {
    const { keepAliveMs } = this.owner.settings
    this.keepAliveMs = Math.min(keepAliveMs, head.keepAliveMs - KEEP_ALIVE_MARGIN_MS)
    this.waitFor(this.times.idleMs)
    this.call?.sink.head(head.status, head.headers)
  }

  data(bytes: Buffer, from: number, to: number): void {
    this.waitFor(this.times.idleMs)
    const isFree = this.call?.sink.data(bytes.subarray(from, to))
    if (isFree !== false || this.call === undefined) return
    this.isLent = true
    this.waitFor(NEVER)
  }

  complete(trailers: RawHeaders, reusable: boolean): void {
    this.phase = 'over'
    this.trailers = trailers
    this.isReusable = reusable && this.stopBody === undefined && this.keepAliveMs > 0
    if (!this.isLent) this.finish()
  }

  malformed(what: string): void {
    this.fail({ kind: 'protocol', detail: `malformed response: ${what}` })
  }

  private waitFor(ms: number): void {
    this.due = this.owner.dueTick(ms)
  }

  private waitForHead(ms: number): void {
    if (this.reader.awaitsHead) this.waitFor(ms)
  }

  /** Asked behind every read; what it returns is read into next. A large buffer that is no longer needed goes back only here. */
  private nextBuffer(): Buffer {
    const { large } = this
    if (large === undefined) return this.small
    if (this.phase === 'asked' || this.phase === 'over') return large
    this.large = undefined
    this.owner.giveBuffer(large)
    return this.small
  }

  /** False stops reading. Nothing that an upstream sends may throw past here. */
  private received(size: number, buffer: Buffer): boolean {
    this.isHeard = true
    try {
      if (this.phase === 'chosen') this.close('bytes that nobody asked for')
      else this.reader.read(buffer, size)
    } catch (error) {
      this.malformed((error as Error).message)
    }
    // A body that fills what is read into is worth fewer and larger reads.
    if (size === SMALL_BUFFER && this.phase === 'asked') this.large ??= this.owner.takeBuffer()
    return !this.isLent
  }

  private connected(): void {
    if (this.phase === 'closed') return
    this.rest()
    this.owner.connected(this)
  }

  private rest(): void {
    this.phase = 'idle'
    this.waitFor(this.keepAliveMs)
  }

  private finish(): void {
    const { call, trailers } = this
    this.call = undefined
    const isHeard = call?.end()
    if (this.isReusable) {
      this.isKept = true
      this.rest()
      this.owner.freed(this)
    } else this.close('not to be used again')
    if (isHeard) call?.sink.ended(trailers)
  }

  /** The upstream sends nothing more. */
  private ended(): void {
    if (this.phase === 'over') this.isReusable = false
    else if (!this.reader.end())
      this.lost('the upstream closed the connection before its response was whole')
    else if (this.phase !== 'asked') this.lost('closed by the upstream')
  }

  private lost(detail: string): void {
    const isResting = this.phase === 'idle' || this.phase === 'chosen'
    if (isResting && this.isKept) this.owner.idled(this.restTicks)
    if (this.phase === 'over') this.isReusable = false
    else if (this.phase === 'asked' && !this.isResent()) this.fail({ kind: 'protocol', detail })
    else this.close(detail)
  }

  /** An upstream may close a kept connection at the very moment at which a request is sent (RFC 9112 section 9.3.1). */
  private isResent(): boolean {
    const { call } = this
    return this.isKept && !this.isHeard && call !== undefined && this.owner.unanswered(call)
  }
}
