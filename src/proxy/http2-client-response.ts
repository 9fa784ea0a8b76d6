// The response to a request in HTTP/2 frames, written as one of HTTP/1.1 is. A response that is broken off ends with RST_STREAM, never with
// END_STREAM.
import { constants, type ServerHttp2Stream } from 'node:http2'
import { firstValue, valuesByName } from '../http/headers.ts'
import type { ClientResponse } from './client-side.ts'
import type { Http2ClientRequest } from './http2-client-request.ts'

const { NGHTTP2_NO_ERROR } = constants

/** HTTP/2 knows no such fields (RFC 9113 section 8.2.2). */
const OF_CONNECTIONS: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]

export class Http2ClientResponse implements ClientResponse {
  readonly req: Http2ClientRequest
  statusCode = 200
  shouldKeepAlive = true
  private readonly stream: ServerHttp2Stream
  /** Until it is sent, with what comes behind it. */
  private head: string[] | undefined
  private hasHead = false
  private isEnded = false
  /** What ends it comes behind the body. */
  private hasTrailers = false
  private trailers: Record<string, string[]> = {}

  constructor(stream: ServerHttp2Stream, request: Http2ClientRequest) {
    this.stream = stream
    this.req = request
    stream.on('finish', () => {
      if (!this.hasTrailers) this.leave()
    })
    stream.on('wantTrailers', () => {
      this.attempt(() => stream.sendTrailers(this.trailers))
      this.leave()
    })
  }

  get socket(): Http2ClientRequest['socket'] {
    return this.req.socket
  }

  get headersSent(): boolean {
    return this.hasHead
  }

  get destroyed(): boolean {
    return this.stream.destroyed || (this.stream.closed && !this.stream.writableFinished)
  }

  get writableEnded(): boolean {
    return this.isEnded
  }

  get writableFinished(): boolean {
    return this.isEnded && this.stream.writableFinished
  }

  get writableLength(): number {
    return this.stream.writableLength
  }

  writeContinue(): void {
    if (this.isOpen()) this.stream.additionalHeaders({ ':status': 100 })
  }

  writeInformation(status: number, headers: string[]): void {
    if (!this.isOpen() || this.hasHead) return
    this.stream.additionalHeaders({ ':status': status, ...valuesByName(toHttp2Lines(headers)) })
  }

  writeHead(status: number, headers: string[] | Readonly<Record<string, string | string[]>>): this {
    const lines = Array.isArray(headers)
      ? headers
      : Object.entries(headers).flatMap(([name, value]) =>
          [value].flat().flatMap((each) => [name, each]),
        )
    this.statusCode = status
    this.hasHead = true
    this.head = [':status', String(status), ...toHttp2Lines(lines)]
    return this
  }

  flushHeaders(): void {
    this.sendHead(false)
  }

  write(chunk: Buffer | string, ...rest: ['latin1', () => void] | [() => void]): boolean {
    this.sendHead(false)
    const { stream } = this
    if (!this.isOpen() || stream.writableEnded) return false
    const [encoding, written] = rest.length === 2 ? rest : (['latin1', ...rest] as const)
    return stream.write(chunk, encoding, () => written())
  }

  end(chunk?: Buffer | string, written?: 'latin1' | (() => void)): void {
    if (this.isEnded) return
    this.isEnded = true
    const isEmpty = chunk === undefined || chunk.length === 0
    this.sendHead(isEmpty && Object.keys(this.trailers).length === 0)
    const { stream } = this
    if (!this.isOpen() || stream.writableEnded) return
    if (typeof written === 'function') stream.once('finish', written)
    if (isEmpty) stream.end()
    else stream.end(chunk, 'latin1')
  }

  addTrailers(trailers: readonly [string, string][]): void {
    this.trailers = valuesByName(toHttp2Lines(trailers.flat()))
  }

  /** INTERNAL_ERROR, whatever of it the client has. */
  destroy(): void {
    this.socket.destroy()
  }

  on(event: 'close' | 'finish', listener: () => void): void {
    this.stream.on(event, listener)
  }

  private isOpen(): boolean {
    return !this.stream.destroyed && !this.stream.closed
  }

  private sendHead(isAll: boolean): void {
    const { head, stream } = this
    this.head = undefined
    if (head === undefined || !this.isOpen()) return
    // A body of known length has no trailers, and needs no frame of its own to end.
    this.hasTrailers =
      !isAll && this.req.method !== 'HEAD' && firstValue(head, 'content-length') === undefined
    const waitForTrailers = this.hasTrailers
    this.attempt(() => stream.respond(head as never, { endStream: isAll, waitForTrailers }))
  }

  /** What an upstream says and HTTP/2 cannot (a status of 999, say) breaks its response off, and nothing else. */
  private attempt(send: () => void): void {
    try {
      send()
    } catch {
      this.destroy()
    }
  }

  /** Nobody needs the rest of a request that was answered (RFC 9113 section 8.1). A turn later: a reset must not overtake the answer's end. */
  private leave(): void {
    const { req, stream } = this
    setImmediate(() => {
      if (req.complete || stream.destroyed) return
      stream.close(NGHTTP2_NO_ERROR)
      stream.resume()
    })
  }
}

/** Names in lower case, and none of HTTP/1.1's connections. */
function toHttp2Lines(lines: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < lines.length; i += 2) {
    const name = (lines[i] as string).toLowerCase()
    if (!OF_CONNECTIONS.includes(name)) kept.push(name, lines[i + 1] as string)
  }
  return kept
}
