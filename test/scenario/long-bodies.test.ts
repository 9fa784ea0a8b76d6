// Long bodies through a whole gateway, with either engine: every byte arrives once and in order, whatever the framing and the pace, and
// many at a time; who stands still costs no memory.
import { createCipheriv, createHash } from 'node:crypto'
import { type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import t, { type Test } from 'tap'
import { createSeeded, type Seeded } from '../support/seeded.ts'
import { type RunningGateway, startGateway } from '../support/start-gateway.ts'

const MIB = 1024 * 1024
const TOTAL = 50 * MIB
const MAX_GROWTH = 40 * MIB
/** Never repeats, so that no piece can stand in another's place unnoticed. */
const DATA = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16)).update(
  Buffer.alloc(TOTAL),
)

type Framing = 'length' | 'chunks' | 'close'

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A piece of the data that both sides know by its place. */
interface Part {
  readonly from: number
  readonly size: number
}

const bytesOf = ({ from, size }: Part) => DATA.subarray(from, from + size)

interface Pace {
  /** The longest piece that is written at once. */
  readonly longest: number
  /** Waits now and then, so that the other side has to. */
  readonly isSlow?: boolean
}

/** Writes the bytes in pieces of odd sizes, many of which leave together, as fast as they are taken or slower. */
async function pour(stream: Writable, part: Part, pace: Pace, seeded: Seeded): Promise<void> {
  const bytes = bytesOf(part)
  for (let at = 0; at < bytes.length && !stream.destroyed;) {
    const end = at + Math.min(pace.longest * 20, MIB)
    stream.cork()
    while (at < bytes.length && at < end) {
      const size = 1 + seeded.below(pace.longest)
      stream.write(bytes.subarray(at, at + size))
      at += size
    }
    stream.uncork()
    if (stream.writableNeedDrain) await settled(stream)
    if (pace.isSlow) await pause(seeded.below(3))
  }
  stream.end()
}

function settled(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done).off('close', done)
      resolve()
    }
    stream.on('drain', done).on('close', done)
  })
}

interface Received {
  readonly status: number
  readonly bytes: number
  readonly sha: string
  readonly complete: boolean
}

async function drink(message: IncomingMessage, isSlow: boolean): Promise<Received> {
  const hash = createHash('sha256')
  let [bytes, chunks] = [0, 0]
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      hash.update(chunk)
      bytes += chunk.length
      if (isSlow && ++chunks % 4 === 0) await pause(1)
    }
  } catch {
    // How it ended is in `complete`.
  }
  const { statusCode = 0, complete } = message
  return { status: statusCode, bytes, sha: hash.digest('hex'), complete }
}

/** One request of a client; `body` writes it. */
function ask(
  origin: string,
  target: string,
  options: { headers?: Record<string, string | number>; isSlow?: boolean } = {},
  body?: (request: Writable) => Promise<void>,
): Promise<Received> {
  const { headers = {}, isSlow = false } = options
  return new Promise((resolve, reject) => {
    const method = body ? 'POST' : 'GET'
    const request = httpRequest(`${origin}/public${target}`, { method, headers }, (response) => {
      drink(response, isSlow).then(resolve, reject)
    })
    request.on('error', reject)
    if (body) void body(request)
    else request.end()
  })
}

/** `/down?framing&from&size&longest&slow` answers with a part; `/up` with what came in; anything else with its own target. */
function serve(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '', 'http://upstream.test')
  const query = (name: string) => Number(url.searchParams.get(name))
  if (url.pathname.endsWith('/up')) {
    void drink(request, query('slow') === 1).then(({ sha, bytes }) =>
      response.end(`${bytes} ${sha}`),
    )
    return
  }
  request.resume()
  if (!url.pathname.endsWith('/down')) return void response.end(url.search)
  const part = { from: query('from'), size: query('size') }
  const framing = url.searchParams.get('framing') as Framing
  if (framing === 'length') response.setHeader('content-length', part.size)
  if (framing === 'close') {
    response.shouldKeepAlive = false
    response.removeHeader('transfer-encoding')
  }
  const pace = { longest: query('longest'), isSlow: query('slow') === 1 }
  void pour(response, part, pace, createSeeded(part.from + part.size))
}

function toTarget(framing: Framing, { from, size }: Part, { longest, isSlow }: Pace): string {
  return `/down?framing=${framing}&from=${from}&size=${size}&longest=${longest}&slow=${isSlow ? 1 : 0}`
}

async function download(
  { origin }: RunningGateway,
  framing: Framing,
  part: Part,
  pace: Pace,
  isSlow = false,
): Promise<string | undefined> {
  const got = await ask(origin, toTarget(framing, part, pace), { isSlow })
  return judge(got, part, `down ${framing}`)
}

function judge(got: Received, part: Part, what: string): string | undefined {
  const isRight = got.complete && got.bytes === part.size && got.sha === digest(bytesOf(part))
  return isRight ? undefined : `${what} of ${part.size}: ${JSON.stringify(got)}`
}

async function upload(
  { origin }: RunningGateway,
  framing: 'length' | 'chunks',
  part: Part,
  pace: Pace,
  isSlow = false,
): Promise<string | undefined> {
  const headers: Record<string, number> =
    framing === 'length' ? { 'content-length': part.size } : {}
  const answer = `${part.size} ${digest(bytesOf(part))}`
  const target = `/up?slow=${isSlow ? 1 : 0}`
  const got = await ask(origin, target, { headers }, (request) =>
    pour(request, part, pace, createSeeded(part.size)),
  )
  const isRight = got.complete && got.sha === digest(Buffer.from(answer))
  return isRight ? undefined : `up ${framing} of ${part.size}: ${JSON.stringify(got)}`
}

const WHOLE: Part = { from: 0, size: TOTAL }

async function start(t: Test, engine: string, connections = 32) {
  const gate = await startGateway({
    up: `    engine: ${engine}
    connections: ${connections}`,
  })
  gate.upstream.handle(serve)
  t.teardown(() => gate.stop())
  return gate
}

for (const engine of ['lean', 'undici'] as const) {
  t.test(`${engine}: 50 MB down and up arrive as they left, in every framing`, async (t) => {
    const gate = await start(t, engine)
    // 5,000 bytes at most make many chunks a read.
    const paces = {
      length: { longest: 200_000 },
      chunks: { longest: 5_000 },
      close: { longest: 200_000 },
    }
    for (const framing of ['length', 'chunks', 'close'] as const) {
      t.equal(await download(gate, framing, WHOLE, paces[framing]), undefined, `down: ${framing}`)
    }
    for (const framing of ['length', 'chunks'] as const) {
      t.equal(await upload(gate, framing, WHOLE, paces[framing]), undefined, `up: ${framing}`)
    }
    const tiny: Part = { from: 12_345, size: MIB / 4 }
    t.equal(await download(gate, 'chunks', tiny, { longest: 7 }), undefined, 'down: tiny chunks')
    t.equal(await upload(gate, 'chunks', tiny, { longest: 7 }), undefined, 'up: tiny chunks')
  })

  t.test(`${engine}: slow readers and slow senders get every byte`, async (t) => {
    const gate = await start(t, engine)
    const work: Promise<string | undefined>[] = []
    for (const [i, framing] of (['length', 'chunks', 'close'] as const).entries()) {
      const part = { from: i * MIB + 1, size: 6 * MIB }
      // Short pieces are copied and long ones lent: both, and both in turns, while the client holds back.
      for (const longest of [3_000, 9_000, 300_000]) {
        work.push(download(gate, framing, part, { longest }, true))
      }
      const slowly = { from: i, size: MIB }
      work.push(download(gate, framing, slowly, { longest: 30_000, isSlow: true }))
    }
    for (const framing of ['length', 'chunks'] as const) {
      const part = { from: 5 * MIB, size: 6 * MIB }
      work.push(upload(gate, framing, part, { longest: 60_000 }, true))
      work.push(upload(gate, framing, { from: 7, size: MIB }, { longest: 30_000, isSlow: true }))
    }
    t.same((await Promise.all(work)).filter(Boolean), [])
  })

  t.test(`${engine}: many at once, with small requests between, on few connections`, async (t) => {
    const gate = await start(t, engine, 10)
    const seeded = createSeeded(7)
    const breaches: string[] = []
    const drive = async (worker: number) => {
      for (let round = 0; round < 4; round++) {
        const part = { from: seeded.below(40 * MIB), size: 1 + seeded.below(2 * MIB) }
        const pace = { longest: seeded.pick([500, 5_000, 50_000]) }
        const framing = seeded.pick(['length', 'chunks', 'close'] as const)
        const isSlow = seeded.chance(0.3)
        const problem =
          worker % 4 === 3
            ? await upload(gate, framing === 'length' ? 'length' : 'chunks', part, pace, isSlow)
            : await download(gate, framing, part, pace, isSlow)
        if (problem) breaches.push(problem)
        for (let i = 0; i < 5; i++) {
          const search = `?worker=${worker}&round=${round}&i=${i}`
          const { sha, complete } = await ask(gate.origin, `/small${search}`)
          if (!complete || sha !== digest(Buffer.from(search))) breaches.push(`small ${search}`)
        }
      }
    }
    await Promise.all(Array.from({ length: 12 }, (_, worker) => drive(worker)))
    t.same(breaches, [])
  })

  t.test(`${engine}: readers that stand still cost little memory`, async (t) => {
    const gate = await start(t, engine)
    const before = process.memoryUsage().rss
    const readers = await Promise.all(
      Array.from({ length: 4 }, (_, i) => stall(gate, { from: i, size: 16 * MIB })),
    )
    await pause(500)
    const growth = process.memoryUsage().rss - before
    t.ok(
      growth < MAX_GROWTH,
      `${(growth / MIB).toFixed(1)} MiB more with four readers standing still`,
    )
    for (const { part, response } of readers) {
      t.equal(judge(await drink(response, false), part, 'after all'), undefined)
    }
  })
}

/** Begins a download and then reads nothing. */
function stall(
  { origin }: RunningGateway,
  part: Part,
): Promise<{ part: Part; response: IncomingMessage }> {
  const target = `/public${toTarget('length', part, { longest: 300_000 })}`
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${origin}${target}`, (response) => resolve({ part, response }))
    request.on('error', reject).end()
  })
}
