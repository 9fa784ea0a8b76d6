// A request that came in HTTP/2 frames (RFC 9113 section 8), read as one of HTTP/1.1 is: its field list begins with the Host.
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { firstValue, type RawHeaders } from '../http/headers.ts'
import { isGrpc } from '../http/media-type.ts'
import type { ClientRequest, ClientSocket, Http2Traits } from './client-side.ts'

/** The colon, the space and the line end that HTTP/1.1 would write: a head counts alike in both. */
const FIELD_ENDS = 4

/** Whose stream this is; ends the stream, never the connection, which others share. */
class StreamSocket implements ClientSocket {
  readonly remoteAddress: string | undefined
  readonly encrypted: boolean
  private readonly stream: ServerHttp2Stream

  constructor(stream: ServerHttp2Stream, peer: Peer) {
    this.stream = stream
    this.remoteAddress = peer.remoteAddress
    this.encrypted = peer.encrypted
  }

  get destroyed(): boolean {
    return this.stream.destroyed
  }

  get readableEnded(): boolean {
    return this.stream.readableEnded
  }

  get writableEnded(): boolean {
    return this.stream.writableEnded
  }

  destroy(): void {
    if (!this.stream.destroyed) this.stream.destroy(new Error('broken off'))
  }

  destroySoon(): void {
    this.destroy()
  }

  resetAndDestroy(): void {
    this.destroy()
  }
}

export interface Peer {
  readonly remoteAddress: string | undefined
  readonly encrypted: boolean
}

export class Http2ClientRequest implements ClientRequest {
  readonly method: string
  readonly url: string
  readonly httpVersion = '2.0'
  readonly rawHeaders: string[]
  rawTrailers: string[] = []
  readonly socket: ClientSocket
  readonly http2: Http2Traits
  /** `100-continue`, or what else the client expects. */
  readonly expects: string | undefined
  private readonly stream: ServerHttp2Stream
  private isWhole: boolean

  /** @param headerBytes largest head, as HTTP/1.1 would write it */
  constructor(
    stream: ServerHttp2Stream,
    raw: RawHeaders,
    hasBody: boolean,
    peer: Peer,
    headerBytes: number,
  ) {
    const { pseudo, headers, bytes } = readFields(raw)
    this.stream = stream
    this.method = pseudo.get(':method') ?? ''
    this.url = pseudo.get(':path') ?? ''
    this.rawHeaders = headers
    this.socket = new StreamSocket(stream, peer)
    // What came along with the head has been pushed already.
    this.isWhole = !hasBody || (!stream.closed && stream.state.remoteClose === 1)
    this.expects = firstValue(headers, 'expect')
    this.http2 = {
      hasBody,
      takesTrailers: firstValue(headers, 'te') === 'trailers',
      isOversized: bytes > headerBytes,
      isGrpc: isGrpc(headers),
    }
    if (!this.isWhole) this.watchEnd(stream)
    stream.on('trailers', (_: IncomingHttpHeaders, _flags: number, trailers: string[]) => {
      this.rawTrailers = trailers
    })
  }

  get complete(): boolean {
    return this.isWhole
  }

  get readableEnded(): boolean {
    return !this.http2.hasBody || this.stream.readableEnded
  }

  on(event: string, listener: (chunk: Buffer) => void): void {
    this.stream.on(event, listener)
  }

  pipe<T extends NodeJS.WritableStream>(destination: T): T {
    return this.stream.pipe(destination)
  }

  unpipe(destination?: NodeJS.WritableStream): void {
    this.stream.unpipe(destination)
  }

  resume(): void {
    this.stream.resume()
  }

  /** `push(null)` comes for END_STREAM and for a reset alike, but behind a reset the stream is closed already. */
  private watchEnd(stream: Duplex & { readonly closed: boolean }): void {
    const push = stream.push.bind(stream)
    stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
      if (chunk === null && !stream.closed) this.isWhole = true
      return push(chunk, encoding)
    }
  }
}

interface Fields {
  readonly pseudo: ReadonlyMap<string, string>
  readonly headers: string[]
  readonly bytes: number
}

/**
 * `:authority` is the Host (section 8.3.1); where a Host field says otherwise there are two. The crumbs of a cookie are one field again
 * (section 8.2.3).
 */
function readFields(raw: RawHeaders): Fields {
  const pseudo = new Map<string, string>()
  const headers: string[] = []
  let bytes = 0
  let cookie = -1
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    bytes += name.length + value.length + FIELD_ENDS
    if (name.startsWith(':')) {
      pseudo.set(name, value)
      if (name === ':authority') headers.unshift('host', value)
    } else if (name === 'cookie' && cookie !== -1) headers[cookie] += `; ${value}`
    else if (name !== 'host' || !isSame(value, pseudo.get(':authority'))) {
      headers.push(name, value)
      if (name === 'cookie') cookie = headers.length - 1
    }
  }
  return { pseudo, headers, bytes }
}

function isSame(host: string, authority: string | undefined): boolean {
  return authority !== undefined && host.toLowerCase() === authority.toLowerCase()
}
