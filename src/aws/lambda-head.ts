// The status and the header fields that a function answers with, as lines that may go to a client. A problem never repeats
// what the function wrote.
import {
  connectionNamed,
  isHopByHop,
  normaliseFieldName,
  type RawHeaders,
  trimBlanks,
} from '../http/headers.ts'

export interface LambdaHead {
  readonly status: number
  /** Names in lower case; without hop-by-hop fields and Content-Length, which are the gateway's to say. */
  readonly headers: string[]
}

/** Why a function's answer cannot be passed on; for the log alone. */
export interface LambdaProblem {
  readonly problem: string
}

/** Six times what API Gateway lets through; a client need not take megabytes of fields. */
const HEAD_BYTES = 64 * 1024
/** RFC 9110 section 5.6.2. */
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** RFC 9110 section 5.5, one character a byte. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * `statusCode`, `headers`, `multiValueHeaders` and `cookies` of payload format 2.0. Of a name in both lists, a pair that is in both
 * counts once.
 */
export function readLambdaHead(
  answer: Readonly<Record<string, unknown>>,
): LambdaHead | LambdaProblem {
  const status = answer.statusCode
  if (!Number.isInteger(status) || Number(status) < 200 || Number(status) > 599) {
    return { problem: 'the function gave no status from 200 to 599' }
  }
  const several = readFields(answer.multiValueHeaders, readValues)
  const single = readFields(answer.headers, readValue)
  const cookies = readCookies(answer.cookies)
  if (several === undefined || single === undefined || cookies === undefined) {
    return { problem: 'the function gave a header or cookie that is no HTTP field' }
  }
  const headers = withoutFraming([...withoutPairs(single, several), ...several, ...cookies])
  const bytes = headers.reduce((sum, text) => sum + text.length, 0)
  if (bytes > HEAD_BYTES) return { problem: 'the function gave more than 64 KiB of headers' }
  return { status: Number(status), headers }
}

/** Whether an answer of that status has no body, whatever is said of one (RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5). */
export function isBodyless(status: number): boolean {
  return status === 204 || status === 205 || status === 304
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Lines of a map; undefined when one of them is no field. */
function readFields(
  fields: unknown,
  read: (value: unknown) => readonly string[] | undefined,
): string[] | undefined {
  if (fields === undefined || fields === null) return []
  if (!isRecord(fields)) return undefined
  const lines: string[] = []
  for (const [name, value] of Object.entries(fields)) {
    const values = read(value)
    if (values === undefined || !FIELD_NAME.test(name)) return undefined
    for (const each of values) lines.push(name.toLowerCase(), each)
  }
  return lines
}

function readValues(values: unknown): readonly string[] | undefined {
  if (!Array.isArray(values)) return readValue(values)
  const read = values.map(readValue)
  return read.includes(undefined) ? undefined : (read as string[][]).flat()
}

/** Null stands for no field. */
function readValue(value: unknown): readonly string[] | undefined {
  if (value === null) return []
  if (!['string', 'number', 'boolean'].includes(typeof value)) return undefined
  const text = String(value)
  if (!text.isWellFormed()) return undefined
  // As the function wrote it: JSON is UTF-8, and Node sends one byte for each character.
  const bytes = trimBlanks(Buffer.from(text, 'utf8').toString('latin1'))
  return FIELD_VALUE.test(bytes) ? [bytes] : undefined
}

function readCookies(cookies: unknown): string[] | undefined {
  if (cookies === undefined || cookies === null) return []
  if (!Array.isArray(cookies) || !cookies.every((each) => typeof each === 'string')) {
    return undefined
  }
  const values = readValues(cookies)
  return values?.flatMap((value) => ['set-cookie', value])
}

function withoutPairs(lines: RawHeaders, others: RawHeaders): string[] {
  if (others.length === 0) return [...lines]
  const toPairs = (list: RawHeaders) =>
    list.flatMap((name, i) => (i % 2 === 0 ? [`${name}:${list[i + 1]}`] : []))
  const pairs = new Set(toPairs(others))
  return lines.filter((_, i) => !pairs.has(`${lines[i - (i % 2)]}:${lines[i - (i % 2) + 1]}`))
}

function withoutFraming(lines: RawHeaders): string[] {
  const named = connectionNamed(lines)
  return lines.filter((_, i) => {
    const name = lines[i - (i % 2)] as string
    const normalised = normaliseFieldName(name)
    return normalised !== 'content-length' && !isHopByHop(normalised) && !named.has(name)
  })
}
