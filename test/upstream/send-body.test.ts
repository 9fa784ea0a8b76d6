// A request's body goes to the upstream framed as announced, byte for byte, at the upstream's pace, or the request fails.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { sendBody } from '../../src/upstream/send-body.ts'
import { eventually } from '../support/eventually.ts'

const HEAD = 'POST / HTTP/1.1\r\n\r\n'

interface Sending {
  readonly socket: Socket
  /** What was called, in order. */
  readonly calls: unknown[]
  /** What the other side has read, one character a byte. */
  received(): string
  /** The other side reads nothing until it is released. */
  release(): void
  stop(): void
}

/** Sends a body over a loopback connection whose other side reads everything, or nothing at first. */
async function send(
  t: Test,
  body: Readable,
  contentLength: number | undefined,
  isReading = true,
): Promise<Sending> {
  const chunks: string[] = []
  let peer: Socket | undefined
  const server = createServer((accepted) => {
    peer = accepted
    accepted.on('data', (chunk) => chunks.push(chunk.toString('latin1')))
    accepted.on('error', () => undefined)
    if (!isReading) accepted.pause()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  await eventually('the connection', () => peer)
  t.teardown(() => {
    socket.destroy()
    peer?.destroy()
    server.close()
  })
  const calls: unknown[] = []
  const stop = sendBody(
    body,
    socket,
    { text: HEAD, contentLength },
    {
      blocked: (isBlocked) => calls.push(isBlocked),
      sent: () => calls.push('sent'),
      failed: (detail) => calls.push(`failed: ${detail}`),
    },
  )
  const received = () => chunks.join('')
  return { socket, calls, received, stop, release: () => peer?.resume() }
}

const quiet = () => new Promise((resolve) => setTimeout(resolve, 20))

t.test('a body of a known length goes out as it is, head first', async (t) => {
  const { calls, received } = await send(
    t,
    Readable.from([Buffer.from('he'), Buffer.from('llo')]),
    5,
  )
  await eventually('the body', () => calls.length === 1)
  await eventually('all of it', () => received().length === HEAD.length + 5)
  t.equal(received(), `${HEAD}hello`)
  t.same(calls, ['sent'])
})

t.test('a body of unknown length goes out in chunks, with an end', async (t) => {
  const parts = ['a', 'b'.repeat(15), 'c'.repeat(16), '\r\n0\r\n\r\n', '\xff']
  const body = Readable.from(parts.map((part) => Buffer.from(part, 'latin1')))
  const { calls, received } = await send(t, body, undefined)
  const wire = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')
  await eventually('the end', () => received().endsWith('0\r\n\r\n') && calls.length === 1)
  t.equal(received(), `${HEAD}${wire}0\r\n\r\n`)
  t.same(calls, ['sent'])
})

t.test('a body without bytes is sent too', async (t) => {
  const chunked = await send(t, Readable.from([]), undefined)
  await eventually('the end', () => chunked.received().endsWith('0\r\n\r\n'))
  t.equal(chunked.received(), `${HEAD}0\r\n\r\n`)
  t.same(chunked.calls, ['sent'])
  const measured = await send(t, Readable.from([]), 0)
  await eventually('the end', () => measured.calls.length > 0)
  await eventually('the head', () => measured.received() !== '')
  t.equal(measured.received(), HEAD)
  t.same(measured.calls, ['sent'])
})

t.test('an empty piece is no end', async (t) => {
  const body = new PassThrough()
  const { received, calls } = await send(t, body, undefined)
  for (const part of ['', 'a', '', 'b', '']) body.write(part)
  body.end()
  await eventually('the end', () => received().endsWith('0\r\n\r\n'))
  t.equal(received().replace(/1\r\n([ab])\r\n/g, '$1'), `${HEAD}ab0\r\n\r\n`)
  t.same(calls, ['sent'])
})

t.test('nothing is written before the first byte of the body', async (t) => {
  const body = new PassThrough()
  const { received, calls } = await send(t, body, undefined)
  await quiet()
  t.equal(received(), '')
  body.destroy(new Error('malformed at once'))
  await eventually('the failure', () => calls.length > 0)
  await quiet()
  t.equal(received(), '', 'a body that never began is never sent')
  t.same(calls, ['failed: malformed at once'])
})

t.test('more or less body than announced fails, and the surplus is not written', async (t) => {
  const more = await send(t, Readable.from([Buffer.from('hello'), Buffer.from('GET')]), 5)
  await eventually('the failure', () => more.calls.length > 0)
  await quiet()
  t.same(more.calls, ['failed: more body than announced'])
  t.notMatch(more.received(), 'GET')
  const atOnce = await send(t, Readable.from([Buffer.from('helloGET')]), 5)
  await eventually('the failure', () => atOnce.calls.length > 0)
  await quiet()
  t.same(atOnce.calls, ['failed: more body than announced'])
  t.equal(atOnce.received(), '')
  const less = await send(t, Readable.from([Buffer.from('hell')]), 5)
  await eventually('the failure', () => less.calls.length > 0)
  t.same(less.calls, ['failed: less body than announced'])
})

t.test('a body that breaks off fails once, and a chunked one gets no end', async (t) => {
  const body = new PassThrough()
  const { calls, received } = await send(t, body, undefined)
  body.write('hello')
  await eventually('the beginning', () => received() !== '')
  body.destroy(new Error('the client is gone'))
  await eventually('the failure', () => calls.length > 0)
  await quiet()
  t.same(calls, ['failed: the client is gone'])
  t.equal(received(), `${HEAD}5\r\nhello\r\n`)
  const silent = new PassThrough()
  const other = await send(t, silent, 5)
  silent.destroy()
  await eventually('the failure', () => other.calls.length > 0)
  t.same(other.calls, ['failed: the body ended early'])
})

t.test('a body that is gone already fails, and not before its sender can know', async (t) => {
  const body = new PassThrough()
  body.destroy(new Error('gone'))
  await new Promise((resolve) => body.once('error', resolve))
  const { calls, received } = await send(t, body, undefined)
  await eventually('the failure', () => calls.length > 0)
  await quiet()
  t.same(calls, ['failed: gone'])
  t.equal(received(), '')
})

for (const [framing, contentLength] of [
  ['length', 32 * 1024 * 1024],
  ['chunks', undefined],
] as const) {
  t.test(`an upstream that does not read brakes the body (${framing})`, async (t) => {
    const size = 32 * 1024 * 1024
    let produced = 0
    const body = new Readable({
      read() {
        if (produced === size) return void this.push(null)
        produced += 64 * 1024
        this.push(Buffer.alloc(64 * 1024, 'x'))
      },
    })
    const { socket, calls, received, release } = await send(t, body, contentLength, false)
    await eventually('the brake', () => calls.at(-1) === true)
    await quiet()
    const held = produced
    t.ok(held < size, 'it stands still')
    t.ok(socket.writableLength < 1024 * 1024, 'and piles nothing up')
    await quiet()
    t.equal(produced, held)
    release()
    await eventually('the end', () => calls.at(-1) === 'sent')
    await eventually('all of it', () => received().replace(/[^x]/g, '').length >= size, 20_000)
    t.equal(received().replace(/[^x]/g, '').length, size)
    const changes = calls.slice(0, -1)
    t.ok(changes.includes(true) && changes.includes(false), 'it was told who waits for whom')
  })
}

t.test('once stopped it lets go of both sides and calls nothing', async (t) => {
  const body = new PassThrough()
  const { socket, calls, received, stop } = await send(t, body, undefined)
  body.write('hello')
  await eventually('the beginning', () => received() !== '')
  stop()
  stop()
  t.ok(body.destroyed)
  await quiet()
  t.same(calls, [])
  t.equal(received(), `${HEAD}5\r\nhello\r\n`)
  t.equal(socket.listenerCount('drain'), 0)
  t.notOk(socket.destroyed, 'the connection is another’s to end')
  for (const name of ['data', 'close']) t.equal(body.listenerCount(name), 0, name)
})

t.test('after the end nothing is left on the socket', async (t) => {
  const { socket, calls } = await send(t, Readable.from([Buffer.from('x')]), 1)
  await eventually('the end', () => calls.length === 1)
  t.equal(socket.listenerCount('drain'), 0)
})
