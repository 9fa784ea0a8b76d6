// Two connections joined: every byte at the pace of its taker, and an end of one that is the end of both.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { toCloseFrame } from '../../src/http/web-socket-frames.ts'
import { Tunnel, type TunnelPorts } from '../../src/proxy/tunnel.ts'
import { eventually } from '../support/eventually.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const NOTHING = { fromClient: Buffer.alloc(0), fromUpstream: Buffer.alloc(0) }

interface End {
  readonly socket: Socket
  text(): string
}

/** The gateway's socket, and the other end of it with what it has read. */
async function connectPair(t: Test): Promise<{ near: Socket; far: End }> {
  const listener = createServer({ allowHalfOpen: true })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const accepted = new Promise<Socket>((resolve) => listener.once('connection', resolve))
  const { port } = listener.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  const near = await accepted
  near.pause()
  t.teardown(() => {
    socket.destroy()
    near.destroy()
    listener.close()
  })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  return { near, far: { socket, text: () => Buffer.concat(chunks).toString('latin1') } }
}

async function join(t: Test, options: Partial<TunnelPorts> = {}) {
  const client = await connectPair(t)
  const upstream = await connectPair(t)
  const clock = createFakeClock()
  const ends: string[] = []
  const moved = { client: 0, upstream: 0 }
  let idles = 0
  const tunnel = new Tunnel(client.near, upstream.near, {
    clock,
    idleMs: 5_000,
    isWebSocket: true,
    moved(from, bytes) {
      moved[from] += bytes
    },
    over: (how) => void ends.push(how),
    idle: () => void idles++,
    ...options,
  })
  const near = [client.near, upstream.near]
  const closed = () => eventually('both are closed', () => near.every(({ closed }) => closed))
  return {
    tunnel,
    clock,
    ends,
    moved,
    client: client.far,
    upstream: upstream.far,
    near,
    closed,
    idles: () => idles,
  }
}

const text = (payload: string) => Buffer.from([0x81, payload.length, ...Buffer.from(payload)])
const CLOSE_1008 = toCloseFrame(1008, 'token expired', false).toString('latin1')

t.test('what either side has sent already goes first', async (t) => {
  const { tunnel, client, upstream, moved } = await join(t)
  tunnel.start({ fromClient: Buffer.from('early'), fromUpstream: text('a') })
  client.socket.write(' late')
  await eventually('both', () => upstream.text() === 'early late' && client.text().length === 3)
  t.same(moved, { client: 10, upstream: 3 })
})

t.test('whoever does not read holds the other one back', async (t) => {
  const { tunnel, client, upstream, moved, near } = await join(t, { isWebSocket: false })
  tunnel.start(NOTHING)
  client.socket.pause()
  const total = 32 * 1024 * 1024
  upstream.socket.end(Buffer.alloc(total))
  await eventually('it is held back', () => near[1]?.isPaused())
  const held = moved.upstream
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.ok(moved.upstream - held < 1024 * 1024, `${moved.upstream - held} bytes more`)
  t.ok((near[0]?.writableLength ?? 0) < 1024 * 1024, 'and no memory fills')
  client.socket.resume()
  await eventually('all of it', () => client.text().length === total)
})

t.test('a Close goes between two frames, and nothing after it', async (t) => {
  const { tunnel, clock, client, upstream, ends, closed } = await join(t)
  tunnel.start(NOTHING)
  const frame = text('hello')
  upstream.socket.write(frame.subarray(0, 4))
  await eventually('half a frame', () => client.text().length === 4)
  tunnel.endEarly(1008, 'token expired')
  await eventually('the other side is told at once', () => upstream.text().startsWith('\x88\x82'))
  t.equal(client.text().length, 4, 'this one not amid a frame')
  upstream.socket.write(Buffer.concat([frame.subarray(4), text('more')]))
  await eventually('the Close', () => client.text() === frame.toString('latin1') + CLOSE_1008)
  client.socket.end()
  upstream.socket.end()
  await closed()
  t.same(ends, ['whole'])
  await clock.advance(1_000)
  t.equal(clock.pending(), 0)
})

t.test('where no frame ends within a second it is cut', async (t) => {
  const { tunnel, clock, client, upstream, closed } = await join(t)
  tunnel.start(NOTHING)
  upstream.socket.write(text('hello').subarray(0, 4))
  await eventually('half a frame', () => client.text().length === 4)
  tunnel.endEarly(1008, 'token expired')
  await clock.advance(999)
  t.equal(client.text().length, 4)
  await clock.advance(1)
  await closed()
  t.equal(client.text().length, 4)
})

t.test('whoever does not answer a Close is cut after a second', async (t) => {
  const { tunnel, clock, client, closed, near } = await join(t)
  tunnel.start(NOTHING)
  tunnel.endEarly(1008, 'token expired')
  await eventually('the Close', () => client.text() === CLOSE_1008)
  await clock.advance(999)
  t.notOk(near.some(({ destroyed }) => destroyed))
  await clock.advance(1)
  await closed()
  t.equal(clock.pending(), 0)
})

t.test('a side that has closed is told nothing more', async (t) => {
  const { tunnel, client, upstream } = await join(t)
  tunnel.start(NOTHING)
  const close = toCloseFrame(1000, '', false)
  upstream.socket.write(close)
  await eventually('its Close', () => client.text().length === close.length)
  tunnel.endEarly(1008, 'token expired')
  await eventually('the other side is told', () => upstream.text().startsWith('\x88\x82'))
  t.equal(client.text(), close.toString('latin1'))
})

t.test('bytes of another protocol end without a word', async (t) => {
  const { tunnel, client, upstream, closed, clock } = await join(t, { isWebSocket: false })
  tunnel.start(NOTHING)
  tunnel.endEarly(1008, 'token expired')
  await clock.advance(1_000)
  await closed()
  t.same([client.text(), upstream.text()], ['', ''])
})

t.test('one side that is gone is the end of the other, and it is told which', async (t) => {
  for (const [side, how] of [
    ['client', 'client_aborted'],
    ['upstream', 'upstream_truncated'],
  ] as const) {
    for (const leave of ['end', 'resetAndDestroy'] as const) {
      const { tunnel, clock, ends, closed, ...sides } = await join(t)
      tunnel.start(NOTHING)
      sides[side].socket[leave]()
      await closed()
      t.same(ends, [how], `${side} ${leave}`)
      t.equal(clock.pending(), 0)
    }
  }
})

t.test('silence is told once it has lasted, and any byte begins it anew', async (t) => {
  const { tunnel, clock, client, moved, idles } = await join(t)
  tunnel.start(NOTHING)
  await clock.advance(4_000)
  client.socket.write('x')
  await eventually('the byte', () => moved.client === 1)
  await clock.advance(4_999)
  t.equal(idles(), 0)
  await clock.advance(1)
  t.equal(idles(), 1)
})
