// A session's cookie: one value in as many parts as browsers want it cut into. Parts of two values never pass for one.
import { isBlank, trimBlanks, valuesOf, type RawHeaders } from '../http/headers.ts'
import { toExpired, toSetCookie } from './own-cookies.ts'

/** What a request has of a session's cookie. */
export interface CookieParts {
  /** The whole value; undefined where a part is missing, or there twice. */
  readonly text: string | undefined
  /** Names of the parts that came. */
  readonly names: readonly string[]
}

/** Name and value of one part; browsers take 4096 with everything that belongs to it (RFC 6265 section 6.1). */
const PART_BYTES = 3_800
const MAX_PARTS = 4

/** Undefined where there is no part of it. */
export function readCookieParts(headers: RawHeaders, name: string): CookieParts | undefined {
  const found = new Map<string, string>()
  let isTwice = false
  for (const field of valuesOf(headers, 'cookie')) {
    for (let start = 0; start < field.length;) {
      const semicolon = field.indexOf(';', start)
      const end = semicolon === -1 ? field.length : semicolon
      while (start < end && isBlank(field.charCodeAt(start))) start++
      if (field.startsWith(name, start)) {
        const equals = field.indexOf('=', start)
        const hasValue = equals !== -1 && equals < end
        const part = hasValue ? trimBlanks(field.slice(start, equals)) : ''
        // A sibling domain may have planted one of two, and nobody can tell which.
        if (found.has(part)) isTwice = true
        if (isPartOf(part, name)) found.set(part, trimBlanks(field.slice(equals + 1, end)))
      }
      start = end + 1
    }
  }
  if (found.size === 0) return undefined
  return { text: isTwice ? undefined : join(found, name), names: [...found.keys()] }
}

/**
 * Set-Cookie values of a session's cookie (RFC 6265 section 4.1), those that end further parts of an earlier value included.
 * @param earlier names of the parts that the browser has
 */
export function toSetCookies(
  name: string,
  text: string,
  maxAgeMs: number,
  earlier: readonly string[] = [],
): readonly string[] | { readonly tooLarge: number } {
  const room = PART_BYTES - name.length - '.1='.length
  const count = Math.ceil((text.length + 2) / room)
  if (count > MAX_PARTS) return { tooLarge: text.length }
  const whole = `${count}.${text}`
  const seconds = Math.max(1, Math.ceil(maxAgeMs / 1_000))
  const names = Array.from({ length: count }, (_, index) => nameOf(name, index))
  const parts = names.map((part, index) =>
    toSetCookie(part, whole.slice(index * room, (index + 1) * room), seconds),
  )
  return [...parts, ...earlier.filter((each) => !names.includes(each)).map(toExpired)]
}

/** Set-Cookie values that end it, with the parts that the browser has. */
export function toExpiredCookies(name: string, earlier: readonly string[] = []): readonly string[] {
  const all = new Set([name, ...earlier])
  return [...all].map(toExpired)
}

function nameOf(name: string, index: number): string {
  return index === 0 ? name : `${name}.${index}`
}

function isPartOf(part: string, name: string): boolean {
  if (!part.startsWith(name)) return false
  const rest = part.slice(name.length)
  return rest === '' || /^\.[1-9]\d?$/.test(rest)
}

function join(parts: ReadonlyMap<string, string>, name: string): string | undefined {
  const first = parts.get(name) ?? ''
  const count = first.charCodeAt(0) - '0'.charCodeAt(0)
  if (!(count >= 1 && count <= MAX_PARTS) || first[1] !== '.') return undefined
  // What is left of an earlier, longer value stands behind the last part, and is not read.
  const texts = [first.slice(2)]
  for (let index = 1; index < count; index++) {
    const part = parts.get(nameOf(name, index))
    if (part === undefined) return undefined
    texts.push(part)
  }
  // Not `+`: texts made so are compared several times slower, and each request compares this one.
  return texts.join('')
}
