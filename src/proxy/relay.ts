// Carries an upstream's response to the client as it comes, with the client's pace as the brake. A broken response ends in a
// broken connection, never in a clean end.
import type { PutOff } from '../base/turn-end.ts'
import { editHeaders, type HeaderEdits, withoutFields } from '../http/header-edits.ts'
import { firstValue, type RawHeaders } from '../http/headers.ts'
import { isEventStream } from '../http/media-type.ts'
import type { DenyReason } from '../policy/decision.ts'
import type { ResponseSink, UpstreamCall } from '../upstream/dispatch.ts'
import type { UpstreamFailure } from '../upstream/failure.ts'
import type { BuildClientHeaders } from './client-headers.ts'
import type { Exchange } from './exchange.ts'
import type { Deny } from './own-answers.ts'
import type { RequestBody } from './request-body.ts'

const REASONS: Readonly<Record<UpstreamFailure['kind'], DenyReason>> = {
  unreachable: 'upstream_unreachable',
  protocol: 'upstream_protocol',
  timeout: 'upstream_timeout',
  overloaded: 'overloaded',
  login: 'id_token_required',
  denied: 'credentials_denied',
  credentials: 'credentials_unavailable',
  refused: 'aws_request_refused',
  length: 'length_required',
  too_large: 'body_too_large',
}

/** Interim responses that are passed on for one request; nothing brakes them. */
const MAX_INFORMED = 16

/** Bytes of a chunk that are copied; a longer one is kept until the client has taken it. */
const MAX_COPIED = 4096

const NEVER = Number.POSITIVE_INFINITY

export interface RelayPorts {
  /** Answers in the upstream's place; only before its response has begun. */
  readonly deny: Deny
  /** Has `run` called at the end of this turn. */
  readonly putOff: (item: PutOff) => void
  /** Whether connections are to end after their present response. */
  readonly draining: () => boolean
}

/** A class because there is one for each request: its methods are shared, where closures would be made anew. */
export class Relay implements ResponseSink, PutOff {
  /** What the route changes in the answer. */
  edits: HeaderEdits | undefined
  private readonly exchange: Exchange
  private readonly ports: RelayPorts
  private readonly buildHeaders: BuildClientHeaders
  private readonly body: RequestBody | undefined
  private readonly expiresAtMs: number
  private call: UpstreamCall | undefined
  private announced = -1
  private written: (() => void) | undefined
  private informs = 0
  /** The last of the body, as text; it leaves at the end of the turn. */
  private last: string | undefined
  private isPutOff = false
  private isBroken = false

  /** @param expiresAtMs when a stream has to end; Infinity for never */
  constructor(
    exchange: Exchange,
    ports: RelayPorts,
    buildHeaders: BuildClientHeaders,
    body: RequestBody | undefined,
    expiresAtMs: number,
  ) {
    this.exchange = exchange
    this.ports = ports
    this.buildHeaders = buildHeaders
    this.body = body
    this.expiresAtMs = expiresAtMs
  }

  /** The call that this relay serves; its pace follows the client's. */
  attach(call: UpstreamCall): void {
    this.call = call
  }

  informed(status: number, headers: RawHeaders): void {
    const { request, response } = this.exchange
    if (request.httpVersion === '1.0' || this.informs++ >= MAX_INFORMED) return
    try {
      response.writeInformation(status, this.build(headers))
    } catch {
      // What Node cannot write is left out; it is no reason to lose the response that follows.
      // TypeError too: an older Node has no writeInformation.
    }
  }

  head(status: number, headers: RawHeaders): void {
    const { exchange } = this
    const lines = this.buildHead(headers)
    if (this.ports.draining()) lines.push('connection', 'close')
    exchange.answered()
    const length = firstValue(lines, 'content-length')
    this.announced = length === undefined ? -1 : Number(length)
    exchange.response.writeHead(status, lines)
    this.putOff()
    // What announces its length is a download, and may be taken whole. The end of a stream looks clean: its client asks again, and is
    // judged anew.
    if (this.announced === -1 && this.expiresAtMs !== NEVER && isEventStream(lines)) {
      exchange.endsAt(this.expiresAtMs, () => {
        this.call?.abort()
        exchange.response.end()
      })
    }
  }

  data(chunk: Buffer): boolean {
    const { exchange } = this
    const { response } = exchange
    exchange.responseBytes += chunk.length
    const isLast = exchange.responseBytes === this.announced
    const isShort = chunk.length <= MAX_COPIED
    if (isLast && isShort) {
      this.last = chunk.toString('latin1')
      this.putOff()
      return true
    }
    if (isShort) return response.write(chunk.toString('latin1'), 'latin1', this.whenWritten())
    if (isLast) response.end(chunk, () => this.call?.resume())
    else response.write(chunk, this.whenWritten())
    return false
  }

  run(): void {
    this.isPutOff = false
    const { response, responseBytes } = this.exchange
    if (response.destroyed || response.writableEnded) return
    // As text it goes in one piece with the head.
    if (this.last !== undefined) response.end(this.last, 'latin1')
    // A body may be long in coming (events, polling): where none came with the head, the head goes ahead.
    else if (responseBytes === 0) response.flushHeaders()
    // Behind what came before the break.
    if (this.isBroken) breakOff(this.exchange)
  }

  ended(trailers: RawHeaders): void {
    const { response } = this.exchange
    if (response.writableEnded || this.last !== undefined) return
    if (trailers.length > 0) response.addTrailers(toPairs(this.build(trailers)))
    response.end()
  }

  failed({ kind, detail, retryAfterSeconds }: UpstreamFailure): void {
    const { exchange } = this
    if (exchange.response.destroyed) return
    if (exchange.response.headersSent) {
      exchange.outcome = 'upstream_truncated'
      exchange.detail = detail
      this.isBroken = true
      this.putOff()
    } else if (this.body?.tooLarge()) this.ports.deny(exchange, 'body_too_large', detail)
    else this.ports.deny(exchange, REASONS[kind], detail, { retryAfterSeconds })
  }

  /** The fields of the answer itself. */
  protected buildHead(headers: RawHeaders): string[] {
    const lines = this.buildHeaders(headers)
    return this.edits === undefined ? lines : editHeaders(lines, this.edits)
  }

  /** Of anything but the head itself: there nothing is added. */
  private build(headers: RawHeaders): string[] {
    const lines = this.buildHeaders(headers)
    return this.edits === undefined ? lines : withoutFields(lines, this.edits)
  }

  private putOff(): void {
    if (this.isPutOff) return
    this.isPutOff = true
    this.ports.putOff(this)
  }

  /** Called behind each part but the last; only when nothing is left is all that was lent free again. */
  private whenWritten(): () => void {
    const { response } = this.exchange
    this.written ??= () => {
      if (response.writableLength === 0) this.call?.resume()
    }
    return this.written
  }
}

/** Where the end of the connection is the end of the body, only a reset tells that there was more; TCP alone has one. */
function breakOff({ request, response }: Exchange): void {
  const { socket, httpVersion } = request
  const isTcp = socket.remoteAddress !== undefined && !('encrypted' in socket)
  // Node never closes a socket that is reset while its end is on its way.
  if (httpVersion === '1.0' && isTcp && !socket.writableEnded) socket.resetAndDestroy()
  response.destroy()
}

function toPairs(headers: RawHeaders): [string, string][] {
  const pairs: [string, string][] = []
  for (let i = 0; i < headers.length; i += 2) pairs.push([headers[i] ?? '', headers[i + 1] ?? ''])
  return pairs
}
