// Which header names may carry a claim to the upstream. Never one that framing, routing or credentials depend on.
import { isHopByHop } from '../http/headers.ts'

/** An RFC 9110 token without "_" (servers read "_" as "-"). */
export const HEADER_NAME_PATTERN = /^[A-Za-z0-9!#$%&'*+.^`|~-]{1,64}$/
export const HEADER_NAME = 'a header name: letters, digits and "-", without "_"'
export const CLAIM = 'the name of a claim'

const TAKEN = new Set([
  ...['host', 'range', 'date', 'via', 'forwarded', 'x-real-ip', 'origin', 'referer'],
  ...['authorization', 'www-authenticate', 'cookie', 'set-cookie'],
  ...['x-request-id', 'traceparent', 'tracestate'],
])
const TAKEN_PREFIXES = ['content-', 'accept', 'if-', 'sec-', 'x-forwarded-', 'access-control-']

/** Whether a name has a meaning of its own, so that a claim must not stand there. @param name normalised */
export function isTakenHeaderName(name: string): boolean {
  return (
    isHopByHop(name) || TAKEN.has(name) || TAKEN_PREFIXES.some((prefix) => name.startsWith(prefix))
  )
}
