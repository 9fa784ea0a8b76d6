// Has both engines, or the lean engine's parsers, read the same answers, and holds what they read against the reference parser.
import type { Test } from 'tap'
import { findDeviation, showAnswer } from './compare-readings.ts'
import { createReferenceParser, type Reading } from './reference-parser.ts'
import { createEngineReader, type EngineReader, startAnsweringServer } from './upstream-readers.ts'

type Method = 'GET' | 'HEAD'
type EngineName = 'lean' | 'undici'

export const ENGINES: readonly EngineName[] = ['lean', 'undici']
const LANES = 12
const MAX_SHOWN = 10

export const readReference = createReferenceParser()

export interface Trial {
  readonly name: string
  readonly method: Method
  readonly bytes: Buffer
  readonly pieces: readonly Buffer[]
}

export interface Tried extends Trial {
  readonly readings: Readonly<Record<EngineName, Reading>>
}

export const whole = (name: string, text: string | Buffer, method: Method = 'GET'): Trial => {
  const bytes = Buffer.isBuffer(text) ? text : Buffer.from(text, 'latin1')
  return { name, method, bytes, pieces: [bytes] }
}

/** Has both engines read each answer over sockets, many at a time; afterwards no connection may be left. */
export async function tryAll(
  t: Test,
  trials: Iterable<Trial>,
  check: (tried: Tried) => void,
): Promise<void> {
  const server = await startAnsweringServer()
  const source = trials[Symbol.iterator]()
  let count = 0
  const lingering: string[] = []
  const read = async (reader: EngineReader, key: string, { method, pieces }: Trial) => {
    server.answer(key, pieces)
    const reading = await reader.read(key, method)
    if (!(await server.gone(key))) lingering.push(key)
    return reading
  }
  const drive = async () => {
    const [lean, undici] = ENGINES.map((engine) => createEngineReader(engine, server.origin))
    for (let next = source.next(); !next.done; next = source.next()) {
      const trial = next.value
      const key = String(count++)
      const readings = await Promise.all([
        read(lean as EngineReader, `${key}-lean`, trial),
        read(undici as EngineReader, `${key}-undici`, trial),
      ])
      check({ ...trial, readings: { lean: readings[0], undici: readings[1] } })
    }
    return [lean, undici] as EngineReader[]
  }
  const readers = (await Promise.all(Array.from({ length: LANES }, drive))).flat()
  t.same(lingering, [], 'no connection stays after its upstream has ended it')
  t.equal(server.open(), 0, 'no connection is left open')
  await Promise.all(readers.map((reader) => reader.close()))
  await server.close()
}

/**
 * The one thing in which the lean engine is right and this llhttp is not: a tab behind a value is blank too (RFC 9110 section 5.5), also
 * behind that of a framing field, where llhttp refuses a length and mistakes a coding. Without the tab it must agree.
 */
export function withoutTabs(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1')
  const plain = text.replace(/^((?:content-length|transfer-encoding):.*?)[ \t]+\r$/gim, '$1\r')
  return plain === text ? bytes : Buffer.from(plain, 'latin1')
}

/** Collects what deviates, and shows the first few. */
export function createVerdict() {
  const deviations: string[] = []
  let count = 0
  return {
    check(who: string, { name, method, bytes }: Trial, reading: Reading): void {
      let deviation = findDeviation(reading, readReference(bytes, method))
      if (deviation === undefined) return
      if (who !== 'undici') {
        deviation = findDeviation(reading, readReference(withoutTabs(bytes), method))
        if (deviation === undefined) return
      }
      count++
      const shown = `${who}: ${deviation}: ${name}: ${showAnswer(method, bytes, reading)}`
      if (deviations.length < MAX_SHOWN) deviations.push(shown)
    },
    confirm(t: Test, what: string): void {
      t.same(deviations, [], `${what} (${count} deviations)`)
    },
  }
}
