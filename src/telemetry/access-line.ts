// Writes one finished exchange as one line of JSON, by hand because a logger costs more than everything else here.
// Nothing a client sends can end the line, the string it stands in, or reach a terminal as a control character.
import type { ExchangeRecord } from './exchange-record.ts'

/** Characters that any one field takes up at most, once escaped. */
const MAX_FIELD_CHARS = 1024
/** However many of them have to be escaped, they fit. */
const MAX_QUOTED_CHARS = MAX_FIELD_CHARS / 2
const ELLIPSIS = '\\u2026'
const PLAIN = /^[ !#-[\]-~]*$/
const PRINTABLE = /^[ -~]*$/
const QUERY = /[?#]/

/**
 * One JSON object and a line feed, all in printable ASCII; fields that do not apply are left out.
 * @param time when the exchange began, in ISO 8601
 */
export function toAccessLine(
  record: ExchangeRecord,
  time: string = new Date(record.startedAtMs).toISOString(),
): string {
  return (
    `{"time":"${time}","level":"info","message":"request"` +
    `,"request_id":${toJsonString(record.id)},"client":${toJsonString(record.clientAddress)}` +
    field(',"endpoint":', record.endpoint) +
    `,"method":${toJsonString(record.method)},"host":${toJsonString(record.host)}` +
    `,"path":${toJsonString(withoutQuery(record.path))},"status":${record.status}` +
    field(',"route":', record.route) +
    `,"decision":"${record.decision}"` +
    field(',"reason":', record.reason) +
    field(',"detail":', record.detail) +
    field(',"user_pool":', record.userPool) +
    field(',"client_id":', record.clientId) +
    field(',"subject":', record.subject) +
    field(',"upstream":', record.upstream) +
    field(',"target":', record.target) +
    (record.attempts > 1 ? `,"attempts":${record.attempts}` : '') +
    `,"outcome":"${record.outcome}","duration_ms":${toMs(record.durationMs)}` +
    `,"overhead_ms":${toMs(record.overheadMs)}` +
    (record.upstreamMs < 0 ? '' : `,"upstream_ms":${toMs(record.upstreamMs)}`) +
    `,"request_bytes":${record.requestBytes},"response_bytes":${record.responseBytes}` +
    '}\n'
  )
}

function field(label: string, value: string): string {
  return value === '' ? '' : label + toJsonString(value)
}

function toJsonString(text: string): string {
  const isPlain = text.length <= MAX_FIELD_CHARS && PLAIN.test(text)
  return isPlain ? `"${text}"` : quote(text)
}

/** What refusals quote of a token is mostly printable; a flood of them is to cost little. */
function quote(text: string): string {
  if (text.length <= MAX_QUOTED_CHARS && PRINTABLE.test(text)) return JSON.stringify(text)
  return `"${escapeText(text)}"`
}

function escapeText(text: string): string {
  let escaped = ''
  for (const character of text) {
    const next = PLAIN.test(character) ? character : escapeCharacter(character)
    if (escaped.length + next.length > MAX_FIELD_CHARS - ELLIPSIS.length) return escaped + ELLIPSIS
    escaped += next
  }
  return escaped
}

/** Half a surrogate pair becomes U+FFFD: strict readers refuse a whole line for one. */
function escapeCharacter(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  let escaped = ''
  const wellFormed = character.toWellFormed()
  for (let index = 0; index < wellFormed.length; index++) {
    escaped += `\\u${wellFormed.charCodeAt(index).toString(16).padStart(4, '0')}`
  }
  return escaped
}

/** A malformed target can be a path that still has its query. */
function withoutQuery(path: string): string {
  const end = path.search(QUERY)
  return end < 0 ? path : path.slice(0, end)
}

/** Microseconds are as fine as it gets. */
function toMs(value: number): number {
  return Math.round(value * 1000) / 1000
}
