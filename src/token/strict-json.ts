// JSON objects as RFC 7493 (I-JSON) wants them: Unicode, no duplicate member names. Never hands out a half-read value.
import { isUtf8 } from 'node:buffer'

export type JsonObject = Readonly<Record<string, unknown>>

const MAX_DEPTH = 64
const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c

/**
 * Parses bytes that must be one JSON object; it is frozen, and so is everything in it.
 * Undefined for invalid UTF-8, a byte order mark, half a surrogate pair, other JSON types, duplicate member names at
 * any level (also when spelt with escapes) and nesting deeper than 64.
 */
export function parseJsonObject(bytes: Buffer): JsonObject | undefined {
  if (!isUtf8(bytes)) return undefined
  const text = bytes.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(value) || Array.isArray(value)) return undefined
  if (freezeMembers(value, 1) !== countColons(text)) return undefined
  // UTF-8 has no half of a pair; only an escape can spell one.
  if (text.includes('\\u') && !isUnicode(value)) return undefined
  return value as JsonObject
}

/** Freezes what was parsed and counts its members; NaN, which equals nothing, when nested too deep. */
function freezeMembers(value: object, depth: number): number {
  if (depth > MAX_DEPTH) return Number.NaN
  let count = 0
  if (Array.isArray(value)) {
    for (const member of value) if (isObject(member)) count += freezeMembers(member, depth + 1)
  } else {
    // Makes no list of the names; what was parsed inherits none.
    for (const name in value) {
      const member = (value as JsonObject)[name]
      count += isObject(member) ? 1 + freezeMembers(member, depth + 1) : 1
    }
  }
  Object.freeze(value)
  return count
}

function isUnicode(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  return !isObject(value) || Object.entries(value).flat().every(isUnicode)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Members that were written: in valid JSON each has one colon outside strings. */
function countColons(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === COLON) count++
    else if (code === QUOTE) i = endOfString(text, i)
  }
  return count
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}
