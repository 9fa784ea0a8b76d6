// The request target (RFC 9112 section 3.2), readable in one way only, or refused. What is matched is what is forwarded: nothing is
// rewritten here.
import { type Refusal, toAmbiguous, toMalformed } from './refusal.ts'

export interface RequestTarget {
  /** As written: begins with `/`, without the query. */
  readonly path: string
  /** As written, with its `?`; or ''. Never takes part in matching. */
  readonly query: string
  /** The path percent-decoded once, as UTF-8. */
  readonly decodedPath: string
  /** True when only a last slash added or removed could give another reading of `decodedPath`. */
  readonly plain: boolean
}

const SLASH = 0x2f
const DOT = 0x2e
const QUESTION = 0x3f

const PERCENT = 1
/** Another reading is possible: upper case, `;`. */
const LOOSE = 2
const REFUSED_IN_PATH = 4
const REFUSED_IN_QUERY = 8

const CLASSES = classify()

/** A class for each ASCII code; whatever is beyond ASCII is refused. */
function classify(): Uint8Array {
  const classes = new Uint8Array(128)
  for (let code = 0; code < 128; code++) {
    const isControl = code <= 0x20 || code === 0x7f
    if (isControl || code === 0x23) classes[code] = REFUSED_IN_PATH | REFUSED_IN_QUERY
    else if (code >= 0x41 && code <= 0x5a) classes[code] = LOOSE
  }
  classes[0x5c] = REFUSED_IN_PATH
  classes[0x25] = PERCENT
  classes[0x3b] = LOOSE
  return classes
}

/**
 * Takes a request target in origin form, or in absolute form where its authority is the request's own.
 * @param authority `name[:port]` of the Host field, as parseHost gives it
 */
export function parseRequestTarget(raw: string, authority: string): RequestTarget | Refusal {
  if (raw.charCodeAt(0) !== SLASH) return parseAbsoluteForm(raw, authority)
  let seen = 0
  let end = raw.length
  let dots = false
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i)
    if (code === QUESTION) {
      end = i
      break
    }
    if (code >= 128) return toAmbiguous('raw non-ASCII byte in the path')
    seen |= CLASSES[code] as number
    const previous = i > 0 ? raw.charCodeAt(i - 1) : 0
    if (previous === SLASH) {
      if (code === SLASH) return toAmbiguous('empty segment')
      if (code === DOT) dots = true
    }
  }
  if ((seen & REFUSED_IN_PATH) !== 0)
    return toAmbiguous('control character, space, # or \\ in the path')
  const problem = checkQuery(raw, end)
  if (problem) return problem
  const path = end === raw.length ? raw : raw.slice(0, end)
  const query = end === raw.length ? '' : raw.slice(end)
  const decodedPath = (seen & PERCENT) === 0 ? path : decodePath(path)
  if (decodedPath === undefined) return toAmbiguous('percent-encoding in the path')
  if ((dots || seen !== 0) && hasDotSegment(decodedPath)) return toAmbiguous('dot segment')
  const plain = (seen & PERCENT) === 0 ? seen === 0 : isPlain(decodedPath)
  return { path, query, decodedPath, plain }
}

/** Browsers leave `\`, `|` and a lone `%` in queries; only what could end or split the target is refused. */
function checkQuery(raw: string, start: number): Refusal | undefined {
  for (let i = start; i < raw.length; i++) {
    const code = raw.charCodeAt(i)
    if (code >= 128 || ((CLASSES[code] as number) & REFUSED_IN_QUERY) !== 0) {
      return toAmbiguous('control character, space, # or non-ASCII byte in the query')
    }
  }
  return undefined
}

/**
 * Percent-decodes once. Undefined for a broken triplet, bytes that are not UTF-8 (overlong forms and surrogates too), an encoded
 * slash or backslash, and encoded control characters.
 */
export function decodePath(path: string): string | undefined {
  if (/%(?:2f|5c)/i.test(path)) return undefined
  try {
    const decoded = decodeURIComponent(path)
    return hasControl(decoded) ? undefined : decoded
  } catch {
    return undefined
  }
}

/** C0, DEL and C1. */
export function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true
  }
  return false
}

/** A segment that is `.` or `..`, also before its `;parameters`. */
export function hasDotSegment(decodedPath: string): boolean {
  return /\/\.{1,2}(?=[/;]|$)/.test(decodedPath)
}

function isPlain(decodedPath: string): boolean {
  return !/[^ -~]|[A-Z;%]/.test(decodedPath)
}

const ABSOLUTE = /^(https?):\/\/([^/?#]*)(.*)$/is

/** RFC 9112 section 3.2.2; the authority must be the Host field's, so that both name one service. */
function parseAbsoluteForm(raw: string, authority: string): RequestTarget | Refusal {
  const match = ABSOLUTE.exec(raw)
  if (match === null) return toMalformed('request target is neither a path nor a URL')
  const [, scheme = '', named = '', rest = ''] = match
  const standard = scheme.toLowerCase() === 'https' ? ':443' : ':80'
  const without = (text: string) =>
    text.endsWith(standard) ? text.slice(0, -standard.length) : text
  const lower = named.toLowerCase()
  if (lower.includes('@') || without(lower.replace(/\.(?=:|$)/, '')) !== without(authority)) {
    return toAmbiguous('the authority of the target is not that of Host')
  }
  return parseRequestTarget(rest.startsWith('/') ? rest : `/${rest}`, authority)
}

/** For a log: what stands before the last `@` of an absolute form may be a password (RFC 9110 section 4.2.4). */
export function withoutUserinfo(raw: string): string {
  const at = raw.charCodeAt(0) === SLASH ? -1 : raw.lastIndexOf('@')
  return at === -1 ? raw : `***${raw.slice(at)}`
}
