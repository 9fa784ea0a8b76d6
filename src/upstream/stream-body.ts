// Sends the body of a request on an HTTP/2 stream at the upstream's pace, exactly as long as its head announces, then its trailers.
import type { ClientHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import { firstValue, type RawHeaders } from '../http/headers.ts'
import type { UpstreamRequest } from './dispatch.ts'
import type { BodyPorts } from './send-body.ts'

/** @returns lets go of the body; it is destroyed, and nothing more is called */
export function streamBody(
  body: Readable,
  stream: ClientHttp2Stream,
  { headers, trailers }: UpstreamRequest,
  { blocked, sent, failed }: BodyPorts,
): () => void {
  const announced = firstValue(headers, 'content-length')
  const length = announced === undefined ? undefined : Number(announced)
  let bytes = 0

  function stop(): void {
    stream.off('drain', onDrain)
    body.off('data', onData).off('end', onEnd).off('close', onClose)
    body.on('error', () => undefined)
    body.destroy()
  }
  function fail(detail: string): void {
    stop()
    failed(detail)
  }
  function onData(chunk: Buffer): void {
    bytes += chunk.length
    if (length !== undefined && bytes > length) fail('more body than announced')
    else if (!stream.write(chunk)) {
      body.pause()
      blocked(true)
    }
  }
  function onDrain(): void {
    blocked(false)
    body.resume()
  }
  function onEnd(): void {
    if (length !== undefined && bytes < length) {
      fail('less body than announced')
      return
    }
    stop()
    stream.end()
    sent()
  }
  function onClose(): void {
    fail(body.errored?.message ?? 'the body ended early')
  }

  function onWantTrailers(): void {
    try {
      sendTrailers(stream, trailers?.() ?? [])
    } catch (error) {
      failed(`trailers: ${(error as Error).message}`)
    }
  }

  if (trailers) stream.once('wantTrailers', onWantTrailers)
  if (body.destroyed) queueMicrotask(onClose)
  stream.on('drain', onDrain)
  body.on('error', () => undefined)
  body.on('data', onData).on('end', onEnd).on('close', onClose).resume()
  return stop
}

/** Names in lower case, values of one name together (RFC 9113 section 8.1). */
function sendTrailers(stream: ClientHttp2Stream, trailers: RawHeaders): void {
  const fields: Record<string, string[]> = {}
  for (let i = 0; i < trailers.length; i += 2) {
    const name = (trailers[i] as string).toLowerCase()
    fields[name] ??= []
    fields[name].push(trailers[i + 1] as string)
  }
  stream.sendTrailers(fields)
}
