// Both engines against llhttp: whatever an upstream answers, each reads the same message, or a part of it that ends as broken, or
// refuses it; never a third thing, and never what llhttp refuses. POOLGATE_FUZZ_RUNS raises the number of answers made at random.
import t from 'tap'
import { showAnswer } from '../support/compare-readings.ts'
import { loadCorpus } from '../support/corpora.ts'
import {
  createVerdict,
  ENGINES,
  readReference,
  type Trial,
  tryAll,
  whole,
  withoutTabs,
} from '../support/engine-trials.ts'
import { FUZZ_RUNS, FUZZ_SEED } from '../support/fuzz.ts'
import { CASES, CHUNKED, OK, ONLY_LEAN } from '../support/hostile-upstreams.ts'
import type { Reading } from '../support/reference-parser.ts'
import { createSeeded, type Seeded } from '../support/seeded.ts'
import { createAnswer, cutBytes } from '../support/upstream-answers.ts'
import { readWithParsers } from '../support/upstream-readers.ts'

type Method = Trial['method']

const PARSER_RUNS = Math.max(FUZZ_RUNS, 100_000)
const SOCKET_RUNS = Math.max(FUZZ_RUNS, 4_000)
const MAX_SHOWN = 10

interface ParserCase {
  readonly title: string
  readonly meta: { readonly type?: string }
  readonly raw_b64: string
  readonly expect_error: boolean
}

/** Of these responses the reference, which stops at the end of the first and is not always of the same version, has its own opinion. */
const OWN_OPINION: Readonly<Record<string, 'whole' | 'not whole'>> = {
  'HTTP/1.1 with keep-alive disabled and 204 status': 'whole',
  'HTTP/1.1 with keep-alive disabled, content-length': 'whole',
  'Bare CR followed by CR after response line': 'whole',
  'Tabs in `Content-Length` (surrounding)': 'not whole',
}
const BREAKS_OFF: readonly string[] = [
  'HTTP 101 response with Upgrade and Content-Length header',
  'HTTP 101 response with Upgrade and Transfer-Encoding header',
  'HTTP 103 first, then 200',
  'Content-Length reset when no body is received',
  'Google 301',
  'Chunk extensions quoting',
]

t.test('the reference reads llhttp’s own responses as llhttp says', async (t) => {
  const corpus = loadCorpus<{ cases: readonly ParserCase[] }>(t, 'llhttp_cases')
  if (corpus === undefined) return
  const cases = corpus.cases.filter(({ meta }) => meta.type === 'response')
  t.equal(cases.length, 76)
  for (const { title, raw_b64, expect_error } of cases) {
    const name = title.split(' > ').at(-1) as string
    const isWhole = !expect_error && !BREAKS_OFF.includes(name)
    const { complete } = readReference(Buffer.from(raw_b64, 'base64'), 'GET')
    t.equal(
      complete ? 'whole' : 'not whole',
      OWN_OPINION[name] ?? (isWhole ? 'whole' : 'not whole'),
      name,
    )
  }
})

t.test('both engines read every public case as the reference does, or refuse it', async (t) => {
  const corpus = loadCorpus<{ cases: readonly ParserCase[] }>(t, 'llhttp_cases')
  if (corpus === undefined) return
  const trials = corpus.cases.flatMap(({ title, raw_b64 }) => {
    const bytes = Buffer.from(raw_b64, 'base64')
    const byBytes = { pieces: cutBytes(createSeeded(1), bytes, 1) }
    const get = whole(title, bytes)
    return [get, { ...get, ...byBytes }, whole(title, bytes, 'HEAD')]
  })
  t.ok(trials.length >= 3 * 255)
  const verdict = createVerdict()
  await tryAll(t, trials, (tried) => {
    for (const engine of ENGINES) verdict.check(engine, tried, tried.readings[engine])
  })
  verdict.confirm(t, 'llhttp cases')
})

function toOutcome({ informed, head, body, complete }: Reading): string {
  const interim = informed.map(({ status }) => `${status} `).join('')
  if (head === undefined) return `${interim}refused`
  return `${interim}${head.status} ${complete ? `"${body}"` : 'broken'}`
}

t.test('hostile and broken upstreams are refused or end as broken', async (t) => {
  const trials = Object.entries({ ...CASES, ...ONLY_LEAN }).flatMap(([name, [, text, method]]) => {
    const trial = whole(name, text, method)
    const isLong = trial.bytes.length > 2_000
    return [trial, { ...trial, pieces: cutBytes(createSeeded(1), trial.bytes, isLong ? 900 : 1) }]
  })
  const verdict = createVerdict()
  await tryAll(t, trials, (tried) => {
    const { name, readings, pieces } = tried
    const [outcome] = (CASES[name] ?? ONLY_LEAN[name]) as readonly [string, string]
    const shown = `${name} in ${pieces.length} pieces`
    t.equal(toOutcome(readings.lean), outcome, `lean: ${shown}`)
    if (name in CASES) t.equal(toOutcome(readings.undici), outcome, `undici: ${shown}`)
    for (const engine of ENGINES) verdict.check(engine, tried, readings[engine])
  })
  verdict.confirm(t, 'the same as the reference')
})

t.test('where an answer is cut makes no difference', async (t) => {
  const answers: readonly (readonly [string, Method])[] = [
    [
      `HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n${CHUNKED}5;a=b\r\nhello\r\n0\r\nT: u\r\n\r\n`,
      'GET',
    ],
    [OK, 'GET'],
    [OK, 'HEAD'],
    ['HTTP/1.1 200 OK\r\n\r\nhello', 'GET'],
    ['HTTP/1.1 200 OK\r\nX: y\nContent-Length: 2\r\n\r\nok', 'GET'],
    [`${CHUNKED}5\r\nhello\r\nx\r\n\r\n`, 'GET'],
  ]
  const trials = answers.flatMap(([text, method]) => {
    const trial = whole(text, text, method)
    const cuts = Array.from(text, (_, at) => [
      trial.bytes.subarray(0, at + 1),
      trial.bytes.subarray(at + 1),
    ])
    return [
      trial,
      ...cuts.map((pieces) => ({ ...trial, pieces: pieces.filter(({ length }) => length > 0) })),
    ]
  })
  const firsts = new Map<string, string>()
  const others: string[] = []
  await tryAll(t, trials, ({ name, method, readings, pieces }) => {
    for (const engine of ENGINES) {
      // A body that is broken may have come in part.
      const { complete, body, ...rest } = readings[engine]
      const read = JSON.stringify({ complete, ...rest, ...(complete && { body }) })
      const key = `${engine} ${method} ${name}`
      const first = firsts.get(key)
      if (first === undefined) firsts.set(key, read)
      else if (first !== read) others.push(`${key}, cut at ${pieces[0]?.length}: ${read}`)
    }
  })
  t.equal(firsts.size, 2 * answers.length)
  t.same(others, [])
})

function* createTrials(seeded: Seeded, count: number): Iterable<Trial> {
  for (let i = 0; i < count; i++) {
    const { method, bytes, isPlain } = createAnswer(seeded)
    const longest = seeded.pick([bytes.length + 1, bytes.length + 1, 30, 3])
    const pieces = cutBytes(seeded, bytes, longest)
    yield { name: isPlain ? 'plain' : 'odd', method, bytes, pieces }
  }
}

t.test(`${PARSER_RUNS} random answers: the lean parsers`, async (t) => {
  const seeded = createSeeded(FUZZ_SEED)
  const verdict = createVerdict()
  const counts = { plain: 0, refused: 0, whole: 0, broken: 0 }
  const persisting: string[] = []
  for (const trial of createTrials(seeded, PARSER_RUNS)) {
    const { name, method, bytes } = trial
    const reading = readWithParsers(bytes, method, (body) => cutBytes(seeded, body, 20))
    verdict.check('parsers', trial, reading)
    counts[reading.complete ? 'whole' : reading.head ? 'broken' : 'refused']++
    if (name === 'plain') {
      counts.plain++
      if (!reading.complete)
        t.fail(`refuses an honest answer: ${showAnswer(method, bytes, reading)}`)
    }
    if (keepsWrongly(method, reading, bytes)) persisting.push(showAnswer(method, bytes, reading))
  }
  verdict.confirm(t, JSON.stringify(counts))
  t.same(persisting.slice(0, MAX_SHOWN), [], 'a connection that is to end is not kept')
  for (const [name, count] of Object.entries(counts)) t.ok(count > PARSER_RUNS / 50, name)
})

/** Only where the body has an end of its own: elsewhere the two put the question off to different places. */
function keepsWrongly(
  method: Method,
  { head, persistent }: ReturnType<typeof readWithParsers>,
  bytes: Buffer,
): boolean {
  if (!persistent || head === undefined || method === 'HEAD') return false
  const isFramed = head.headers.some((name) => /^(?:content-length|transfer-encoding)$/i.test(name))
  return isFramed && !readReference(withoutTabs(bytes), method).persistent
}

t.test(`${SOCKET_RUNS} random answers: both engines over sockets`, async (t) => {
  const seeded = createSeeded(FUZZ_SEED + 1)
  const verdict = createVerdict()
  const counts = { plain: 0, lean: 0, undici: 0, both: 0 }
  await tryAll(t, createTrials(seeded, SOCKET_RUNS), (tried) => {
    const { name, method, bytes, readings } = tried
    for (const engine of ENGINES) {
      verdict.check(engine, tried, readings[engine])
      if (readings[engine].complete) counts[engine]++
      else if (name === 'plain')
        t.fail(`${engine}: refuses ${showAnswer(method, bytes, readings[engine])}`)
    }
    if (name === 'plain') counts.plain++
    if (readings.lean.complete && readings.undici.complete) counts.both++
  })
  verdict.confirm(t, JSON.stringify(counts))
  for (const [name, count] of Object.entries(counts)) t.ok(count > SOCKET_RUNS / 4, name)
})
