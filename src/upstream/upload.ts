// Sends the body of a request on an HTTP/2 stream at the upstream's pace, exactly as long as its head announces, then its trailers. What
// has been sent is kept while it is little and nothing was heard: an upstream may still say that it did not process it.
import type { ClientHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import { firstValue, valuesByName } from '../http/headers.ts'
import type { UpstreamRequest } from './dispatch.ts'
import type { BodyPorts } from './send-body.ts'

const MAX_KEPT = 64 * 1024

export class Upload {
  private readonly body: Readable
  private readonly request: UpstreamRequest
  private readonly ports: BodyPorts
  private readonly length: number
  private stream: ClientHttp2Stream | undefined
  private kept: Buffer[] | undefined = []
  private bytes = 0
  private isEnded = false
  private readonly onDrain = () => this.drained()
  private readonly onData = (chunk: Buffer) => this.received(chunk)
  private readonly onEnd = () => this.ended()
  private readonly onClose = () => this.closed()

  constructor(body: Readable, request: UpstreamRequest, ports: BodyPorts) {
    this.body = body
    this.request = request
    this.ports = ports
    this.length = Number(firstValue(request.headers, 'content-length') ?? -1)
    body.on('error', () => undefined)
    body.on('data', this.onData).on('end', this.onEnd).on('close', this.onClose).pause()
    if (body.destroyed) queueMicrotask(this.onClose)
  }

  /** Whether all of it can be sent once more. */
  get isRepeatable(): boolean {
    return this.kept !== undefined
  }

  /** Whether all of it was sent. */
  get isSent(): boolean {
    return this.isEnded
  }

  /** Sends it on this stream, from its beginning. */
  begin(stream: ClientHttp2Stream): void {
    this.stream = stream
    stream.on('drain', this.onDrain)
    if (this.request.trailers) stream.once('wantTrailers', () => this.sendTrailers(stream))
    for (const chunk of this.kept ?? []) stream.write(chunk)
    if (this.isEnded) this.finish(stream)
    else if (stream.writableNeedDrain) this.ports.blocked(true)
    else this.body.resume()
  }

  /** The stream is gone; another one may follow. */
  leave(): void {
    this.stream?.off('drain', this.onDrain)
    this.stream = undefined
    this.body.pause()
  }

  /** There is an answer: it will not be asked for again. */
  forget(): void {
    this.kept = undefined
  }

  /** Lets go of the body; it is destroyed, and nothing more is called. */
  stop(): void {
    this.leave()
    this.kept = undefined
    this.body.off('data', this.onData).off('end', this.onEnd).off('close', this.onClose)
    this.body.destroy()
  }

  private fail(detail: string): void {
    this.stop()
    this.ports.failed(detail)
  }

  private received(chunk: Buffer): void {
    this.bytes += chunk.length
    if (this.length >= 0 && this.bytes > this.length) {
      this.fail('more body than announced')
      return
    }
    if (this.bytes > MAX_KEPT) this.kept = undefined
    this.kept?.push(chunk)
    if (this.stream?.write(chunk) !== false) return
    this.body.pause()
    this.ports.blocked(true)
  }

  private drained(): void {
    if (this.isEnded) return
    this.ports.blocked(false)
    this.body.resume()
  }

  private ended(): void {
    if (this.bytes < this.length) {
      this.fail('less body than announced')
      return
    }
    this.isEnded = true
    if (this.stream) this.finish(this.stream)
  }

  private finish(stream: ClientHttp2Stream): void {
    stream.end()
    this.ports.sent()
  }

  private closed(): void {
    if (!this.isEnded) this.fail(this.body.errored?.message ?? 'the body ended early')
  }

  private sendTrailers(stream: ClientHttp2Stream): void {
    try {
      stream.sendTrailers(valuesByName(this.request.trailers?.() ?? []))
    } catch (error) {
      this.fail(`trailers: ${(error as Error).message}`)
    }
  }
}
