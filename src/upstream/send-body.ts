// Sends a request with a body to an upstream at the upstream's pace, framed as its head announces, never more and never less.
// The head goes with the first bytes of the body: a request whose body turns out to be malformed at once is never sent.
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { RequestHead } from './request-head.ts'

export interface BodyPorts {
  /** Whether the next byte now waits for the upstream, and not for the client. */
  readonly blocked: (isBlocked: boolean) => void
  readonly sent: () => void
  readonly failed: (detail: string) => void
}

/** @returns lets go of both sides; the body is destroyed, and nothing more is called */
export function sendBody(
  body: Readable,
  socket: Socket,
  { text: head, contentLength }: RequestHead,
  { blocked, sent, failed }: BodyPorts,
): () => void {
  let bytes = 0
  let isBegun = false

  function stop(): void {
    socket.off('drain', onDrain)
    body.off('data', onData).off('end', onEnd).off('close', onClose)
    body.on('error', () => undefined)
    body.destroy()
  }
  function fail(detail: string): void {
    stop()
    failed(detail)
  }
  /** False when the socket holds back. No chunk is the end of a chunked body. */
  function write(chunk: Buffer | undefined): boolean {
    if (chunk?.length === 0) return true
    const size = contentLength === undefined ? `${(chunk?.length ?? 0).toString(16)}\r\n` : ''
    const before = isBegun ? size : head + size
    isBegun = true
    socket.cork()
    if (before !== '') socket.write(before, 'latin1')
    if (chunk) socket.write(chunk)
    const flowing = contentLength === undefined ? socket.write('\r\n') : !socket.writableNeedDrain
    socket.uncork()
    return flowing
  }
  function onData(chunk: Buffer): void {
    bytes += chunk.length
    if (contentLength !== undefined && bytes > contentLength) fail('more body than announced')
    else if (!write(chunk)) {
      body.pause()
      blocked(true)
    }
  }
  function onDrain(): void {
    blocked(false)
    body.resume()
  }
  function onEnd(): void {
    if (contentLength !== undefined && bytes < contentLength) fail('less body than announced')
    else {
      if (contentLength === undefined || !isBegun) write(undefined)
      stop()
      sent()
    }
  }
  function onClose(): void {
    fail(body.errored?.message ?? 'the body ended early')
  }

  if (body.destroyed) queueMicrotask(onClose)
  socket.on('drain', onDrain)
  body.on('error', () => undefined)
  body.on('data', onData).on('end', onEnd).on('close', onClose).resume()
  return stop
}
