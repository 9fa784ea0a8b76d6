// Carries an upstream's response to the client as it comes, with the client's pace as the brake. A broken response ends in a
// broken connection, never in a clean end.
import type { RawHeaders } from '../http/headers.ts'
import type { DenyReason } from '../policy/decision.ts'
import type { ResponseSink, UpstreamCall } from '../upstream/dispatch.ts'
import type { UpstreamFailure } from '../upstream/failure.ts'
import type { BuildClientHeaders } from './client-headers.ts'
import type { Exchange } from './exchange.ts'
import type { RequestBody } from './request-body.ts'

const REASONS: Readonly<Record<UpstreamFailure['kind'], DenyReason>> = {
  unreachable: 'upstream_unreachable',
  protocol: 'upstream_protocol',
  timeout: 'upstream_timeout',
  overloaded: 'overloaded',
}

/** Interim responses that are passed on for one request; nothing brakes them. */
const MAX_INFORMED = 16

export interface RelayPorts {
  /** Answers in the upstream's place; only before its response has begun. */
  readonly deny: (exchange: Exchange, reason: DenyReason, detail: string) => void
  /** Whether connections are to end after their present response. */
  readonly draining: () => boolean
}

/** A class because there is one for each request: its methods are shared, where closures would be made anew. */
export class Relay implements ResponseSink {
  private readonly exchange: Exchange
  private readonly ports: RelayPorts
  private readonly buildHeaders: BuildClientHeaders
  private readonly body: RequestBody | undefined
  private call: UpstreamCall | undefined
  private announced = -1
  private braked = false
  private informs = 0

  constructor(
    exchange: Exchange,
    ports: RelayPorts,
    buildHeaders: BuildClientHeaders,
    body: RequestBody | undefined,
  ) {
    this.exchange = exchange
    this.ports = ports
    this.buildHeaders = buildHeaders
    this.body = body
  }

  /** The call that this relay serves; its pace follows the client's. */
  attach(call: UpstreamCall): void {
    this.call = call
  }

  informed(status: number, headers: RawHeaders): void {
    const { request, response } = this.exchange
    if (request.httpVersion === '1.0' || this.informs++ >= MAX_INFORMED) return
    try {
      response.writeInformation(status, this.buildHeaders(headers))
    } catch {
      // What Node cannot write is left out; it is no reason to lose the response that follows.
      // TypeError too: an older Node has no writeInformation.
    }
  }

  head(status: number, headers: RawHeaders): void {
    const { exchange } = this
    const lines = this.buildHeaders(headers)
    if (this.ports.draining()) lines.push('connection', 'close')
    exchange.answered()
    const length = firstValue(lines, 'content-length')
    this.announced = length === undefined ? -1 : Number(length)
    exchange.response.writeHead(status, lines)
    process.nextTick(flushHead, exchange)
  }

  data(chunk: Buffer): boolean {
    const { response } = this.exchange
    this.exchange.responseBytes += chunk.length
    if (this.exchange.responseBytes === this.announced) {
      response.end(chunk)
      return true
    }
    const flowing = response.write(chunk)
    if (!flowing) this.brake()
    return flowing
  }

  ended(trailers: RawHeaders): void {
    const { response } = this.exchange
    if (response.writableEnded) return
    if (trailers.length > 0) response.addTrailers(toPairs(this.buildHeaders(trailers)))
    response.end()
  }

  failed({ kind, detail }: UpstreamFailure): void {
    const { exchange } = this
    if (exchange.response.destroyed) return
    if (exchange.response.headersSent) {
      exchange.outcome = 'upstream_truncated'
      exchange.detail = detail
      // Where the end of the connection is the end of the body, only a reset tells that there was more.
      if (exchange.request.httpVersion === '1.0') exchange.request.socket.resetAndDestroy()
      exchange.response.destroy()
    } else if (this.body?.tooLarge()) this.ports.deny(exchange, 'body_too_large', detail)
    else this.ports.deny(exchange, REASONS[kind], detail)
  }

  private brake(): void {
    if (this.braked) return
    this.braked = true
    this.exchange.response.on('drain', () => this.call?.resume())
  }
}

/** A body may be long in coming (events, polling): where none came with the head, the head goes ahead. */
function flushHead({ response, responseBytes }: Exchange): void {
  if (responseBytes === 0 && !response.writableEnded && !response.destroyed) response.flushHeaders()
}

function firstValue(headers: RawHeaders, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    const field = headers[i] as string
    if (field.length === name.length && field.toLowerCase() === name) return headers[i + 1]
  }
  return undefined
}

function toPairs(headers: RawHeaders): [string, string][] {
  const pairs: [string, string][] = []
  for (let i = 0; i < headers.length; i += 2) pairs.push([headers[i] ?? '', headers[i + 1] ?? ''])
  return pairs
}
