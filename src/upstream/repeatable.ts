// Which requests may be sent a second time when no answer has come: only those that do the same when done twice.
import type { UpstreamRequest } from './dispatch.ts'

/** RFC 9110 section 9.2.2. */
const IDEMPOTENT: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']

/** A body is streamed, so it is gone once it was sent. */
export function isRepeatable({ method, body }: UpstreamRequest): boolean {
  return body === null && IDEMPOTENT.includes(method)
}
