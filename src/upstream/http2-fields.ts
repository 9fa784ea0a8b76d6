// Field lines between the gateway's lists and those of HTTP/2 (RFC 9113 section 8): names in lower case, the request line in fields.
import type { RawHeaders } from '../http/headers.ts'
import type { UpstreamRequest } from './dispatch.ts'
import { MAX_RESPONSE_FIELDS, MAX_RESPONSE_HEAD } from './engine.ts'

/** The colon, the space and the line end that HTTP/1.1 would write: a head counts alike in both. */
const FIELD_ENDS = 4

/** The Host that the upstream is to get goes as `:authority` (RFC 9113 section 8.3.1). */
export function toHttp2Fields(request: UpstreamRequest, scheme: string): string[] {
  const { method, target, headers, takesTrailers } = request
  const fields = [':method', method, ':scheme', scheme, ':path', target]
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    fields.push(name === 'host' ? ':authority' : name, headers[i + 1] as string)
  }
  if (takesTrailers === true) fields.push('te', 'trailers')
  return fields
}

/** Without `:status`; undefined when it is more than a response may have. What ends at each hop was refused by the HTTP/2 library. */
export function toResponseFields(raw: RawHeaders): RawHeaders | undefined {
  const fields: string[] = []
  let bytes = 0
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    bytes += name.length + value.length + FIELD_ENDS
    if (!name.startsWith(':')) fields.push(name, value)
  }
  const isBounded = fields.length <= 2 * MAX_RESPONSE_FIELDS && bytes <= MAX_RESPONSE_HEAD
  return isBounded ? fields : undefined
}
