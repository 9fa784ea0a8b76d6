// Holds what an engine made of an answer against what the reference parser made of it: the same message, a part of it, or a refusal.
import type { RawHeaders } from '../../src/http/headers.ts'
import { type Reading, trimBlanks } from './reference-parser.ts'

/** Why the reading is a third thing, neither the reference's message nor a refusal; undefined when it is not. */
export function findDeviation(reading: Reading, reference: Reading): string | undefined {
  // A 100 answers nobody here: engines drop it.
  const interim = reference.informed.filter(({ status }) => status !== 100)
  for (const [i, { status, headers }] of reading.informed.entries()) {
    const expected = interim[i]
    if (expected === undefined) return 'an interim response that is none'
    if (expected.status !== status || !isSame(headers, expected.headers)) return 'interim response'
  }
  const { head } = reading
  if (head === undefined) return reading.complete ? 'complete without a head' : undefined
  if (reference.head === undefined) return 'accepts a head that is refused'
  if (reading.informed.length !== interim.length) return 'interim responses lost'
  if (head.status !== reference.head.status) return 'status'
  if (!isSame(head.headers, reference.head.headers)) return 'header fields'
  if (!reference.body.startsWith(reading.body)) return 'body'
  if (!reading.complete) return undefined
  if (!reference.complete) return 'a clean end of what is broken'
  if (reading.body.length !== reference.body.length) return 'a clean end too early'
  return isSame(reading.trailers, reference.trailers) ? undefined : 'trailers'
}

function isSame(headers: RawHeaders, expected: RawHeaders): boolean {
  return (
    headers.length === expected.length &&
    headers.every((field, i) => (i % 2 === 0 ? field : trimBlanks(field)) === expected[i])
  )
}

/** An answer as a failure shows it. */
export function showAnswer(method: string, bytes: Buffer, reading: Reading): string {
  const { head, complete, body } = reading
  const result = head
    ? `${head.status}, ${body.length} bytes${complete ? '' : ', broken'}`
    : 'refused'
  return `${method} ${JSON.stringify(bytes.toString('latin1').slice(0, 400))} → ${result}`
}
