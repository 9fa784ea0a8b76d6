// The request that a CheckRequest is about, as the facts that the proxy would have of it: by the proxy's own reading, of what Envoy says.
import type { RawHeaders } from '../http/headers.ts'
import { toMalformed } from '../http/refusal.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import type { ClientRequest } from '../proxy/client-side.ts'
import type { ReadingRules } from '../proxy/decision-endpoint.ts'
import { checkUnparsed, toRequestFacts, type Unreadable } from '../proxy/to-request-facts.ts'
import type { CheckRequest, HttpAttributes } from './check-messages.ts'
import { forwardedElsewhere } from './original-facts.ts'
import { compileOriginalFields } from './original-fields.ts'

export type ReadCheck = (check: CheckRequest, rules: ReadingRules) => RequestFacts | Unreadable

export function createCheckReader(): ReadCheck {
  const readFields = compileOriginalFields([], 'removed')
  return ({ attributes }, { config, limits, isTrusted }) => {
    const http = attributes?.request?.http
    if (!http) return toMalformed('no HTTP request in the check')
    const { method, host, path, scheme } = http
    const headers = toHeaders(http)
    if (headers === undefined) return toMalformed('headers and header_map in one check')
    const confusing = readFields(headers)
    if ('refused' in confusing) return confusing
    const rawHeaders = withHost(headers, host)
    const isOversized = headBytes(http, rawHeaders) > config.limits.headerBytes
    const unparsed = checkUnparsed(method, rawHeaders, isOversized)
    if (unparsed !== undefined) return unparsed
    const remoteAddress = attributes?.source?.address?.socketAddress?.address ?? ''
    const request = {
      method,
      url: path,
      rawHeaders,
      httpVersion: '1.1',
      socket: { remoteAddress, encrypted: scheme === 'https' },
    }
    const facts = toRequestFacts(request as unknown as ClientRequest, limits, isTrusted)
    return 'refused' in facts ? facts : forwardedElsewhere(facts)
  }
}

/** As HTTP/1.1 would write it: a colon and a space or a line end behind each text. */
function headBytes({ method, path }: HttpAttributes, headers: RawHeaders): number {
  return headers.reduce((sum, text) => sum + text.length + 2, method.length + path.length)
}

/** Envoy has the Host field as `host` alone. A further one that says something else makes two, which nobody can tell apart. */
function withHost(headers: RawHeaders, host: string): string[] {
  const others = headers.filter((_, i) => {
    const [name, value] = [headers[i - (i % 2)] as string, headers[i - (i % 2) + 1]]
    return name.toLowerCase() !== 'host' || value !== host
  })
  return [...others, 'host', host]
}

/** Without pseudo-header fields, which Envoy sends along. Undefined where the fields come in both forms, and could differ. */
function toHeaders({ headers, headerMap }: HttpAttributes): RawHeaders | undefined {
  const joined = Object.entries(headers)
  if (joined.length > 0 && headerMap) return undefined
  const fields = headerMap
    ? headerMap.headers.map(({ key, value, rawValue }): [string, string] => [
        key,
        value || Buffer.from(rawValue ?? []).toString('latin1'),
      ])
    : joined
  return fields.filter(([name]) => !name.startsWith(':')).flat()
}
