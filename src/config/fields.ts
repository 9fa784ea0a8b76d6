// The kinds of value that settings are made of. Messages name what was expected and the kind found, never the value.
import { z } from 'zod'
import { DURATION_PATTERN, parseDuration, toDuration } from './duration.ts'
import { parseSize, SIZE_PATTERN, toSize } from './size.ts'
import { didYouMean } from './suggest.ts'

/** How a value of a wrong kind is named in messages. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return 'text'
  return typeof value === 'object' ? 'a mapping' : `a ${typeof value}`
}

interface Unfit {
  readonly code?: string | undefined
  readonly input?: unknown
}

/** The `error` of a schema: one sentence for everything that can be wrong with the value itself. */
export function expected(what: string, missing = `is required: expected ${what}`) {
  return (issue: Unfit): string => {
    if (issue.input === undefined) return missing
    const wrongKind = issue.code === 'invalid_type' || issue.code === 'invalid_union'
    if (!wrongKind) return `expected ${what}`
    const quotes =
      typeof issue.input === 'number' && what.includes('text') ? '; put it in quotes' : ''
    return `expected ${what}, found ${kindOf(issue.input)}${quotes}`
  }
}

/** Text that is not empty and, where a pattern is given, matches; `what` reads after "expected". */
export function text(what: string, pattern?: RegExp, missing?: string) {
  const schema = z.string({ error: expected(what, missing) })
  const error = expected(what)
  return pattern === undefined ? schema.min(1, { error }) : schema.regex(pattern, { error })
}

/** Text that a parser turns into a value; the parser's undefined is the expectation's failure. */
export function parsedText<T>(
  what: string,
  pattern: RegExp,
  parse: (value: string) => T | undefined,
) {
  return text(what, pattern).transform((value, context): T => {
    const result = parse(value)
    if (result !== undefined) return result
    context.issues.push({ code: 'custom', message: `expected ${what}`, input: value })
    return z.NEVER
  })
}

const DURATION = 'a duration such as 500ms, 5s or 10m'
const SIZE = 'a size such as 512B, 64KiB or 10MiB'

/** A duration in milliseconds, both bounds included. */
export function duration(minMs: number, maxMs: number) {
  return parsedText(DURATION, DURATION_PATTERN, parseDuration)
    .refine((ms) => ms >= minMs, { error: `must be at least ${toDuration(minMs)}` })
    .refine((ms) => ms <= maxMs, { error: `must be at most ${toDuration(maxMs)}` })
    .meta({ title: 'duration' })
}

/** The same, or the word `none`. */
export function durationOrNone(minMs: number, maxMs: number) {
  const pattern = new RegExp(`${DURATION_PATTERN.source}|^none$`)
  return parsedText(`${DURATION}, or none`, pattern, orNone(parseDuration))
    .refine((ms) => ms === 'none' || ms >= minMs, {
      error: `must be at least ${toDuration(minMs)}`,
    })
    .refine((ms) => ms === 'none' || ms <= maxMs, { error: `must be at most ${toDuration(maxMs)}` })
    .meta({ title: 'duration or none' })
}

/** A size in bytes, both bounds included. */
export function size(minBytes: number, maxBytes: number) {
  return parsedText(SIZE, SIZE_PATTERN, parseSize)
    .refine((bytes) => bytes >= minBytes, { error: `must be at least ${toSize(minBytes)}` })
    .refine((bytes) => bytes <= maxBytes, { error: `must be at most ${toSize(maxBytes)}` })
    .meta({ title: 'size' })
}

/** A size in bytes, or the word `none`. */
export function sizeOrNone() {
  const pattern = new RegExp(`${SIZE_PATTERN.source}|^none$`)
  return parsedText(`${SIZE}, or none`, pattern, orNone(parseSize)).meta({ title: 'size or none' })
}

function orNone(parse: (value: string) => number | undefined) {
  return (value: string): number | 'none' | undefined => (value === 'none' ? 'none' : parse(value))
}

/** A whole number, both bounds included. */
export function count(min: number, max: number) {
  const error = expected(`a whole number from ${min} to ${max}`)
  return z.int({ error }).min(min, { error }).max(max, { error }).meta({ title: 'number' })
}

/** One of a few words, with the nearest one named for a mistyped one. */
export function oneOf<const W extends readonly [string, ...string[]]>(
  words: W,
  what = `one of ${words.join(', ')}`,
) {
  const hint = (input: unknown) => (typeof input === 'string' ? didYouMean(input, words) : '')
  return z.enum(words, { error: (issue) => expected(what)(issue) + hint(issue.input) })
}

/** True or false. */
export function flag() {
  return z.boolean({ error: expected('true or false') }).meta({ title: 'true or false' })
}

/** A list with at least one member. */
export function listOf<S extends z.ZodType>(
  member: S,
  what: string,
  empty: string,
  missing?: string,
) {
  return z.array(member, { error: expected(what, missing) }).min(1, { error: empty })
}
