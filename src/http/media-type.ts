// What a response is, by its Content-Type (RFC 9110 section 8.3.1).
import { firstValue, type RawHeaders } from './headers.ts'

/** Events that may go on for as long as both sides like (HTML Standard, section 9.2). */
export function isEventStream(headers: RawHeaders): boolean {
  const type = firstValue(headers, 'content-type')
  return type !== undefined && /^text\/event-stream(?:[ \t]*;|$)/i.test(type)
}

/** A call or its answer, in whatever encoding (gRPC over HTTP/2, "Requests"); not gRPC-Web, which has no trailers. */
export function isGrpc(headers: RawHeaders): boolean {
  const type = firstValue(headers, 'content-type')
  return type !== undefined && /^application\/grpc(?:[+;]|[ \t]*;|$)/i.test(type)
}
