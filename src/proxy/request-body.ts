// A request's body on its way to the upstream: counted, bounded, and kept apart from the client's socket, so that neither
// side's failure silently ends the other.
import { Transform } from 'node:stream'
import type { Clock } from '../base/clock.ts'
import type { ClientRequest } from './client-side.ts'

export interface RequestBody {
  readonly stream: Transform
  bytes(): number
  /** True once the body has grown past its limit; the stream has then failed. */
  tooLarge(): boolean
}

/** Bytes that wait here before the client is held back; nearly every read is one such, and both sockets hold some of their own. */
const MAX_WAITING = 16 * 1024

/** `maxBytes` may be Infinity. The stream fails when the client goes away before its end. */
export function createRequestBody(
  request: ClientRequest,
  maxBytes: number,
  clock: Pick<Clock, 'after'>,
): RequestBody {
  let bytes = 0
  const stream = new Transform({
    highWaterMark: MAX_WAITING,
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > maxBytes) done(new Error('body over its limit'))
      else done(null, chunk)
    },
  })
  const gone = () => {
    if (!request.complete) stream.destroy(new Error('the client went away before its body ended'))
  }
  // Whoever reads the stream hears of its failure; without a reader there is nobody to tell.
  stream.on('error', () => request.unpipe(stream))
  request.on('error', gone)
  request.on('close', gone)
  // HTTP/2 is read on anyway, and of TLS Node keeps such a failure to itself.
  if (request.http2 === undefined && !request.socket.encrypted)
    probeWhileHeld(request, stream, clock)
  request.pipe(stream)
  return { stream, bytes: () => bytes, tooLarge: () => bytes > maxBytes }
}

const PROBE_MS = 50

/** Nobody reads from a client whose body is held back, and its reset is then seen in a write alone: one of nothing sends nothing. */
function probeWhileHeld(
  request: ClientRequest,
  stream: Transform,
  clock: Pick<Clock, 'after'>,
): void {
  const { socket } = request
  let isWatched = false
  const probe = () => {
    isWatched = false
    if (!stream.writableNeedDrain || socket.writableEnded) return
    // What waits to be written tells as well.
    if (!socket.writableLength) socket.write?.('')
    watch()
  }
  const watch = () => {
    if (isWatched) return
    isWatched = true
    clock.after(PROBE_MS, probe)
  }
  request.on('pause', watch)
}

const MAX_UNREAD_BYTES = 64 * 1024
const MAX_UNREAD_MS = 1_000

/**
 * Reads and drops what is left of a request that was answered early, so that the answer is not lost in a reset
 * (RFC 9112 section 9.6); after 64 KiB or one second the connection is cut. HTTP/2 holds it back, and resets the stream behind the answer.
 */
export function discardBody(request: ClientRequest, clock: Clock): void {
  if (request.complete || request.readableEnded || request.socket.destroyed) return
  if (request.http2 !== undefined) return
  let bytes = 0
  const cut = () => request.socket.destroy()
  const timer = clock.after(MAX_UNREAD_MS, cut)
  request.unpipe()
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_UNREAD_BYTES) cut()
  })
  request.on('close', () => timer.cancel())
  request.on('end', () => timer.cancel())
  request.resume()
}
