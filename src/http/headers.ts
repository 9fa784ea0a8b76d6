// Header fields as they came over the wire, and the rules that every header list is held to (RFC 9110 sections 5 and 7.6).
import { type Refusal, toMalformed } from './refusal.ts'

/** A flat list as Node's rawHeaders: name, value, name, value … */
export type RawHeaders = readonly string[]

/** Fields that end at each hop, by normalised name; `proxy` because many programs take it for their own settings. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'http2-settings',
])

/** Lower case, every other than a letter or digit read as `-`: how the loosest upstream tells names apart. */
export function normaliseFieldName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-')
}

export function isHopByHop(normalisedName: string): boolean {
  return HOP_BY_HOP.has(normalisedName)
}

/** A Connection line that names no field: what nearly every message has. */
export function isPlainConnection(value: string): boolean {
  return value === 'keep-alive' || value === 'close' || value === 'Keep-Alive' || value === 'Close'
}

/**
 * Without the spaces and tabs around it (RFC 9110 section 5.6.3). No regular expression: one would begin anew at every blank of
 * an inner run, 30 KB of which take it most of a second.
 */
export function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (start < end && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

/** A space or a tab; not what `trim` takes, which is U+00A0 too. */
export function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** Lower-case names that the Connection lines list (RFC 9110 section 7.6.1). */
export function connectionNamed(headers: RawHeaders): ReadonlySet<string> {
  const named = new Set<string>()
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() !== 'connection') continue
    for (const option of (headers[i + 1] ?? '').split(',')) {
      const name = trimBlanks(option).toLowerCase()
      if (name !== '') named.add(name)
    }
  }
  return named
}

/**
 * Whose a field of a request is: Poolgate's alone (`always`), a trusted proxy's, nobody's (`never`: it is not forwarded), or
 * anybody's.
 */
export type Ownership = 'always' | 'unless_trusted' | 'never' | 'no'

/** What callers tell Poolgate, their ID token above all, is not for upstreams. */
const OWNED_PREFIXES = ['x-auth-', 'x-amzn-oidc-', 'x-poolgate-']
const PROXY_PREFIXES = ['x-forwarded-', 'x-envoy-', 'x-ssl-']
const PROXY_NAMES: ReadonlySet<string> = new Set(['forwarded', 'x-real-ip'])
/** With these a request could still become another one behind the decision; ordinary load balancers pass a client's copy on. */
const OVERRIDES: ReadonlySet<string> = new Set([
  'x-original-url',
  'x-original-uri',
  'x-original-method',
  'x-rewrite-url',
  'x-override-url',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
])

/** Compiles the configured identity headers into the question whose a normalised name is. */
export function compileOwnedHeaders(
  identityHeaders: readonly string[],
): (normalisedName: string) => Ownership {
  const configured = new Set(identityHeaders.map(normaliseFieldName))
  return (name) => {
    if (configured.has(name) || OWNED_PREFIXES.some((prefix) => name.startsWith(prefix)))
      return 'always'
    if (OVERRIDES.has(name)) return 'never'
    const isProxys =
      PROXY_NAMES.has(name) || PROXY_PREFIXES.some((prefix) => name.startsWith(prefix))
    return isProxys ? 'unless_trusted' : 'no'
  }
}

/** The value of every line of a field, in order. @param name in lower case */
export function valuesOf(headers: RawHeaders, name: string): string[] {
  const isOfName = (field: string) => field.length === name.length && field.toLowerCase() === name
  return headers.filter((_, i) => i % 2 === 1 && isOfName(headers[i - 1] as string))
}

/** Every line of a field, in order, as one list (RFC 9110 section 5.3). @param name in lower case */
export function listValue(headers: RawHeaders, name: string): string | undefined {
  const lines = valuesOf(headers, name)
  return lines.length === 0 ? undefined : lines.join(', ')
}

/** Names in lower case, values of one name together: how Node takes what HTTP/2 sends behind a body, or ahead of an answer. */
export function valuesByName(headers: RawHeaders): Record<string, string[]> {
  // Without a prototype: `constructor` is a name like any other.
  const values: Record<string, string[]> = Object.create(null)
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    values[name] ??= []
    values[name].push(headers[i + 1] as string)
  }
  return values
}

/** The value of a field where it first stands. `name` in lower case. */
export function firstValue(headers: RawHeaders, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    const field = headers[i] as string
    if (field.length === name.length && field.toLowerCase() === name) return headers[i + 1]
  }
  return undefined
}

/** The value of a field that may stand once: undefined when absent, null when it stands twice. `name` in lower case. */
export function singleValue(headers: RawHeaders, name: string): string | undefined | null {
  let value: string | undefined
  for (let i = 0; i < headers.length; i += 2) {
    const field = headers[i] as string
    if (field.length !== name.length || (field !== name && field.toLowerCase() !== name)) continue
    if (value !== undefined) return null
    value = headers[i + 1]
  }
  return value
}

export interface Framing {
  readonly chunked: boolean
  readonly contentLength: number | undefined
}

const CONTENT_LENGTH = 14
const TRANSFER_ENCODING = 17
const CONTENT_TYPE = 12
const UPGRADE = 7

/**
 * How the body is framed (RFC 9112 section 6), when only one way of reading it exists: one `chunked`, or one plain decimal
 * Content-Length, not both, no other name that an upstream might take for either, no change to HTTP/2, and no body where
 * another protocol is to follow.
 */
export function checkFraming(headers: RawHeaders, httpVersion: string): Framing | Refusal {
  // HTTP/0.9 has no fields and HTTP/2 no text; Node reads both as if they were HTTP/1.
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return toMalformed('the HTTP version')
  let coding: string | undefined
  let length: string | undefined
  let types = 0
  let upgrades = false
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string
    const size = name.length
    if (size === UPGRADE && name.toLowerCase() === 'upgrade') upgrades = true
    if (size !== CONTENT_LENGTH && size !== TRANSFER_ENCODING && size !== CONTENT_TYPE) continue
    const normalised = normaliseFieldName(name)
    if (normalised === 'content-type') {
      if (++types > 1) return toMalformed('two Content-Type fields')
    } else if (normalised === 'content-length') {
      if (length !== undefined || isAlias(name, normalised)) {
        return toMalformed('Content-Length twice, or an alias of it')
      }
      length = headers[i + 1] as string
    } else if (normalised === 'http2-settings') {
      // An upstream that took it would speak HTTP/2 with the client from here on, past every decision (RFC 7540 section 3.2).
      return toMalformed('an upgrade to cleartext HTTP/2')
    } else if (normalised === 'transfer-encoding') {
      if (coding !== undefined || isAlias(name, normalised)) {
        return toMalformed('Transfer-Encoding twice, or an alias of it')
      }
      coding = headers[i + 1] as string
    }
  }
  const framing = toFraming(coding, length, httpVersion)
  if (upgrades && !('refused' in framing) && hasBody(framing)) {
    return toMalformed('a body and an upgrade')
  }
  return framing
}

export function hasBody({ chunked, contentLength = 0 }: Framing): boolean {
  return chunked || contentLength > 0
}

/** `Content_Length` is not Content-Length, but some upstream reads it so. */
function isAlias(name: string, normalised: string): boolean {
  return name !== normalised && name.toLowerCase() !== normalised
}

function toFraming(
  coding: string | undefined,
  length: string | undefined,
  httpVersion: string,
): Framing | Refusal {
  if (coding !== undefined) {
    const isSound =
      coding.toLowerCase() === 'chunked' && length === undefined && httpVersion === '1.1'
    return isSound ? { chunked: true, contentLength: undefined } : toMalformed('Transfer-Encoding')
  }
  if (length === undefined) return { chunked: false, contentLength: undefined }
  const contentLength = Number(length)
  if (!/^(?:0|[1-9]\d*)$/.test(length) || !Number.isSafeInteger(contentLength)) {
    return toMalformed('Content-Length is not a plain number')
  }
  return { chunked: false, contentLength }
}
