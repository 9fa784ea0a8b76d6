// Bodies stream: the slower side sets the pace, memory stays flat, and every byte arrives once.
import { createServer, type IncomingMessage, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { crc32 } from 'node:zlib'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { createProcessConfig, startGatewayProcess } from '../support/gateway-process.ts'

const MIB = 1024 * 1024
const TOTAL = 256 * MIB
/** Runs first, so that what a process allocates once is not taken for growth. */
const WARM_UP = 64 * MIB
/** What the kernel may hold for both hops; the rest of the body is still with its sender. */
const MAX_AHEAD = 48 * MIB
const MAX_GROWTH = 64 * MIB
/** Not a power of two, so that no chunk falls on a buffer's edge. */
const CHUNK = Buffer.from(Array.from({ length: 60_000 }, (_, i) => (i * i + (i >> 3)) & 0xff))

interface Tally {
  bytes: number
  sum: number
}

interface Transfer {
  readonly total: number
  readonly sent: Tally
  readonly read: Tally
  /** The reader stands still after its first MiB until this resolves. */
  readonly released: Promise<void>
}

/** Writes all bytes as fast as they are taken, and counts what was handed over. */
async function pour(stream: Writable, { sent, total }: Transfer): Promise<void> {
  while (sent.bytes < total && !stream.destroyed) {
    const chunk = CHUNK.subarray(0, Math.min(CHUNK.length, total - sent.bytes))
    sent.bytes += chunk.length
    sent.sum = crc32(chunk, sent.sum)
    if (!stream.write(chunk)) await new Promise((resolve) => stream.once('drain', resolve))
  }
  stream.end()
}

/** Reads one chunk, lets others run, reads the next. */
async function sip(stream: Readable, { read, released }: Transfer): Promise<void> {
  let stopped = false
  let chunks = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    read.bytes += chunk.length
    read.sum = crc32(chunk, read.sum)
    if (++chunks % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    else await new Promise((resolve) => setImmediate(resolve))
    if (!stopped && read.bytes > MIB) {
      stopped = true
      await released
    }
  }
}

/** The count once it has stood still for a while. */
async function settle(tally: Tally): Promise<number> {
  let last = -1
  let since = performance.now()
  return eventually('a sender that stands still', () => {
    if (tally.bytes !== last) {
      last = tally.bytes
      since = performance.now()
    }
    return performance.now() - since > 250 && last
  })
}

/** The upstream's part in each test; set before the request is made. */
let serve: (request: IncomingMessage, response: Writable) => void = () => undefined
const server = createServer((request, response) => serve(request, response))
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo
const gate = await startGatewayProcess(
  t,
  createProcessConfig({ upstreamOrigin: `http://127.0.0.1:${port}` }),
)
t.teardown(() => {
  server.close()
  server.closeAllConnections()
})

function createTransfer(total: number, released: Promise<void>): Transfer {
  return { total, sent: { bytes: 0, sum: 0 }, read: { bytes: 0, sum: 0 }, released }
}

for (const [direction, run] of Object.entries({ down: download, up: upload })) {
  t.test(`256 MiB ${direction}: the sender is held back and memory stays flat`, async (t) => {
    await run(createTransfer(WARM_UP, Promise.resolve()))
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const transfer = createTransfer(TOTAL, released)
    const { sent, read } = transfer
    const before = gate.peakMemory()
    const done = run(transfer)
    const ahead = (await settle(sent)) - read.bytes
    t.ok(read.bytes > MIB, 'the reader has begun')
    t.ok(ahead < MAX_AHEAD, `${(ahead / MIB).toFixed(1)} MiB ahead of a reader that stands still`)
    release()
    await done
    t.same(read, { bytes: TOTAL, sum: sent.sum }, 'every byte once, in order')
    const growth = gate.peakMemory() - before
    t.ok(growth < MAX_GROWTH, `${(growth / MIB).toFixed(1)} MiB more than 64 MiB took`)
  })
}

/** A fast upstream, a slow client. */
function download(transfer: Transfer): Promise<void> {
  serve = (_, response) => void pour(response, transfer)
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${gate.origin}/public/down`, (response) =>
      sip(response, transfer).then(resolve, reject),
    )
    request.on('error', reject).end()
  })
}

/** A fast client, a slow upstream. */
function upload(transfer: Transfer): Promise<void> {
  serve = (request, response) => {
    void sip(request, transfer).then(() => response.end('taken'))
  }
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', headers: { 'content-length': transfer.total } }
    const request = httpRequest(`${gate.origin}/public/up`, options, (response) => {
      response.resume().on('end', resolve)
    })
    request.on('error', reject)
    void pour(request, transfer)
  })
}
