// A request's body: counted and bounded on its way, and never read for longer than an answer needs.
import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { createRequestBody, discardBody } from '../../src/proxy/request-body.ts'
import { createFakeClock } from '../support/fake-clock.ts'

/** A stream that stands in for a request. */
function createRequest() {
  const stream = new PassThrough({ highWaterMark: 1024 * 1024 })
  const socket = { destroyed: false, destroy: () => Object.assign(socket, { destroyed: true }) }
  const request = Object.assign(stream, { complete: false, socket })
  stream.on('end', () => Object.assign(request, { complete: true }))
  return { request: request as unknown as IncomingMessage, stream, socket }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

async function read(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

t.test('a body passes whole, and is counted', async (t) => {
  const { request, stream } = createRequest()
  const body = createRequestBody(request, 10, createFakeClock())
  stream.write('hello')
  stream.end('world')
  t.equal(await read(body.stream), 'helloworld')
  t.equal(body.bytes(), 10)
  t.notOk(body.tooLarge())
})

t.test('one byte beyond the limit fails it', async (t) => {
  const { request, stream } = createRequest()
  const body = createRequestBody(request, 9, createFakeClock())
  stream.write('hello')
  stream.end('world')
  await t.rejects(read(body.stream), /over its limit/)
  t.ok(body.tooLarge())
})

t.test('no more than one piece of 16 KiB waits for a reader', async (t) => {
  const { request, stream } = createRequest()
  const body = createRequestBody(request, Infinity, createFakeClock())
  for (let i = 0; i < 8; i++) stream.write(Buffer.alloc(16 * 1024))
  await turn()
  t.equal(body.bytes(), 16 * 1024)
  body.stream.resume()
  await turn()
  t.equal(body.bytes(), 8 * 16 * 1024)
})

t.test('a client that goes away fails it, one that is done does not', async (t) => {
  const gone = createRequest()
  const broken = createRequestBody(gone.request, Infinity, createFakeClock())
  gone.stream.write('hello')
  gone.stream.destroy()
  await t.rejects(read(broken.stream), /went away/)
  const reset = createRequest()
  const failed = createRequestBody(reset.request, Infinity, createFakeClock())
  reset.stream.destroy(new Error('ECONNRESET'))
  await t.rejects(read(failed.stream), /went away/)
})

t.test('R-11 a client whose body is held back is probed, with nothing, for as long', async (t) => {
  const start = async (changes: object) => {
    const { request, stream, socket } = createRequest()
    const written: string[] = []
    Object.assign(socket, { write: (text: string) => void written.push(text), ...changes })
    if ('http2' in changes) Object.assign(request, changes)
    const clock = createFakeClock()
    const body = createRequestBody(request, Infinity, clock)
    stream.write(Buffer.alloc(1000))
    await turn()
    t.equal(clock.pending(), 0, 'not while it flows')
    for (let i = 0; i < 3; i++) stream.write(Buffer.alloc(100_000))
    await turn()
    return { clock, written, body }
  }
  const { clock, written, body } = await start({})
  await clock.advance(49)
  t.same(written, [])
  await clock.advance(101)
  t.same(written, ['', '', ''])
  body.stream.resume()
  await turn()
  await clock.advance(1_000)
  t.equal(written.length, 3)
  t.equal(clock.pending(), 0)
  for (const changes of [
    { encrypted: true },
    { http2: {} },
    { writableEnded: true },
    { writableLength: 1 },
  ]) {
    const other = await start(changes)
    await other.clock.advance(1_000)
    t.same(other.written, [], Object.keys(changes)[0] as string)
  }
})

t.test('a reader that fails leaves the client’s side alone', async (t) => {
  const { request, stream } = createRequest()
  const body = createRequestBody(request, Infinity, createFakeClock())
  stream.write('hello')
  body.stream.destroy(new Error('the upstream is gone'))
  await turn()
  t.notOk(stream.destroyed)
})

t.test('what is left of a body is read for a second and 64 KiB, then cut', async (t) => {
  const clock = createFakeClock()
  const slow = createRequest()
  discardBody(slow.request, clock)
  slow.stream.write('hello')
  await clock.advance(999)
  t.notOk(slow.socket.destroyed)
  await clock.advance(1)
  t.ok(slow.socket.destroyed)
  const large = createRequest()
  discardBody(large.request, clock)
  large.stream.write(Buffer.alloc(64 * 1024))
  await turn()
  t.notOk(large.socket.destroyed)
  large.stream.write('x')
  await turn()
  t.ok(large.socket.destroyed)
})

t.test('a body that ends in time leaves the connection for the next request', async (t) => {
  const clock = createFakeClock()
  const { request, stream, socket } = createRequest()
  discardBody(request, clock)
  stream.end('hello')
  await turn()
  await turn()
  t.equal(clock.pending(), 0)
  discardBody(request, clock)
  t.equal(clock.pending(), 0, 'nor is there anything to do for one that has ended')
  t.notOk(socket.destroyed)
})

t.test(
  'a request that announced no body has nothing to be read, though Node is not through with it',
  async (t) => {
    const clock = createFakeClock()
    const { request, stream, socket } = createRequest()
    stream.resume().end()
    await turn()
    t.ok(stream.readableEnded)
    discardBody(Object.assign(request, { complete: false }), clock)
    t.equal(clock.pending(), 0, 'nothing will cut its connection')
    t.notOk(socket.destroyed)
  },
)
