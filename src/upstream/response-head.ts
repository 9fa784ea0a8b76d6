// Reads the head of an upstream's response (RFC 9112 sections 4 to 6), strictly: what could be read in two ways is malformed.
import { connectionNamed, isBlank, isPlainConnection, type RawHeaders } from '../http/headers.ts'
import { MAX_RESPONSE_FIELDS } from './engine.ts'

export interface ResponseHead {
  readonly status: number
  readonly headers: RawHeaders
  readonly chunked: boolean
  /** -1 when no length is announced. */
  readonly contentLength: number
  /** Whether the connection may carry another request after this response. */
  readonly persistent: boolean
  /** How long the upstream says it keeps an idle connection; Infinity when it does not say. */
  readonly keepAliveMs: number
}

/** A line feed without its carriage return: what waits for a proper line end would wait for ever. */
export const BARE_LF = /(?:^|[^\r])\n/

export interface Malformed {
  readonly malformed: string
}

const KEEP_ALIVE = 'keep-alive'

const CR = 0x0d
const LF = 0x0a
const SPACE = 0x20
const TAB = 0x09
const COLON = 0x3a
const ZERO = 0x30

const NAME = 1
const VALUE = 2
const CLASSES = classify()

/** tchar and field-content (RFC 9110 sections 5.5 and 5.6.2), by Latin-1 code. */
function classify(): Uint8Array {
  const classes = new Uint8Array(256)
  for (let code = 0; code < 256; code++) {
    if (/[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(String.fromCharCode(code))) classes[code]! |= NAME
    if (code === TAB || (code >= SPACE && code !== 0x7f)) classes[code]! |= VALUE
  }
  return classes
}

/**
 * @param text one character a byte
 * @param end behind the line feed of the last field line (the empty line that follows is not part of it)
 */
export function parseResponseHead(text: string, end: number): ResponseHead | Malformed {
  const minor = text.charCodeAt(7) - ZERO
  if (!text.startsWith('HTTP/1.') || (minor !== 0 && minor !== 1)) return malformed('version')
  const status = Number(text.slice(9, 12))
  const isStatus = text.charCodeAt(8) === SPACE && /^[1-9]\d\d$/.test(text.slice(9, 12))
  const next = text.charCodeAt(12)
  if (!isStatus || (next !== SPACE && next !== CR)) return malformed('status line')
  const fieldsAt = endOfLine(text, 12)
  const headers = fieldsAt === -1 ? undefined : parseFields(text, fieldsAt, end)
  if (headers === undefined) return malformed('header fields')
  if (headers.length > MAX_RESPONSE_FIELDS * 2) return malformed('too many header fields')
  return toResponseHead(status, minor, headers)
}

/** Behind the line that holds `at`; -1 where it has a character that no line may have. */
function endOfLine(text: string, at: number): number {
  let i = at
  while (((CLASSES[text.charCodeAt(i)] ?? 0) & VALUE) !== 0) i++
  return text.charCodeAt(i) === CR && text.charCodeAt(i + 1) === LF ? i + 2 : -1
}

/** Field lines from `from` to `end` as a flat list; undefined when one is malformed or folded. Trailers are read so too. */
export function parseFields(text: string, from: number, end: number): string[] | undefined {
  const fields: string[] = []
  let at = from
  while (at < end) {
    const nameAt = at
    while (((CLASSES[text.charCodeAt(at)] ?? 0) & NAME) !== 0) at++
    if (at === nameAt || text.charCodeAt(at) !== COLON) return undefined
    const nameEnd = at++
    while (isBlank(text.charCodeAt(at))) at++
    const valueAt = at
    while (((CLASSES[text.charCodeAt(at)] ?? 0) & VALUE) !== 0) at++
    if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) return undefined
    let valueEnd = at
    while (valueEnd > valueAt && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--
    fields.push(text.slice(nameAt, nameEnd), text.slice(valueAt, valueEnd))
    at += 2
  }
  return fields
}

function toResponseHead(
  status: number,
  minor: number,
  headers: RawHeaders,
): ResponseHead | Malformed {
  let length: string | undefined
  let coding: string | undefined
  let connection: string | undefined
  let keepAliveMs = Number.POSITIVE_INFINITY
  for (let i = 0; i < headers.length; i += 2) {
    const size = (headers[i] as string).length
    if (size !== 14 && size !== 17 && size !== 10) continue
    const name = (headers[i] as string).toLowerCase()
    const value = headers[i + 1] as string
    if (name === 'content-length') {
      if (length !== undefined) return malformed('Content-Length twice')
      length = value
    } else if (name === 'transfer-encoding') {
      if (coding !== undefined) return malformed('Transfer-Encoding twice')
      coding = value
    } else if (name === 'connection')
      connection = connection === undefined ? value : `${connection},${value}`
    else if (name === 'keep-alive') keepAliveMs = toKeepAliveMs(value)
  }
  if (coding !== undefined) {
    const isChunked = coding.toLowerCase() === 'chunked' && minor === 1 && length === undefined
    if (!isChunked) return malformed('Transfer-Encoding')
  }
  if (length !== undefined && !/^(?:0|[1-9]\d{0,14})$/.test(length)) {
    return malformed('Content-Length')
  }
  return {
    status,
    headers,
    chunked: coding !== undefined,
    contentLength: length === undefined ? -1 : Number(length),
    persistent: isPersistent(minor, connection, headers),
    keepAliveMs,
  }
}

/** RFC 9112 section 9.3. */
function isPersistent(minor: number, connection: string | undefined, headers: RawHeaders): boolean {
  if (connection === undefined) return minor === 1
  if (isPlainConnection(connection)) return connection.toLowerCase() === KEEP_ALIVE
  const options = connectionNamed(headers)
  return !options.has('close') && (minor === 1 || options.has(KEEP_ALIVE))
}

function toKeepAliveMs(value: string): number {
  const seconds = /(?:^|[,\s])timeout=(\d{1,9})(?:[,\s]|$)/i.exec(value)?.[1]
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1000
}

function malformed(what: string): Malformed {
  return { malformed: what }
}
