// What a response is, by its Content-Type (RFC 9110 section 8.3.1).
import { firstValue, type RawHeaders } from './headers.ts'

/** Events that may go on for as long as both sides like (HTML Standard, section 9.2). */
export function isEventStream(headers: RawHeaders): boolean {
  const type = firstValue(headers, 'content-type')
  return type !== undefined && /^text\/event-stream(?:[ \t]*;|$)/i.test(type)
}
