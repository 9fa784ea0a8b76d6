// Requests for an upgrade at an upstream: a connection of their own each, and what becomes of them when it does not go as asked.
import type { Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { toWebSocketAccept } from '../../src/http/upgrade.ts'
import type { UpstreamRequest } from '../../src/upstream/dispatch.ts'
import type { EngineSettings } from '../../src/upstream/engine.ts'
import { createUpgradeEngine } from '../../src/upstream/upgrade.ts'
import { eventually } from '../support/eventually.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { createSelfSigned } from '../support/self-signed.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const SWITCH = `HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${toWebSocketAccept(KEY)}\r\n\r\n`
const REQUEST: UpstreamRequest = {
  method: 'GET',
  target: '/x',
  headers: ['host', 'a', 'Sec-WebSocket-Key', KEY],
  body: null,
  upgrade: 'websocket',
}

async function start(t: Test, changes: Partial<EngineSettings> = {}) {
  const upstream = await startRawUpstream()
  t.teardown(() => upstream.close())
  const clock = createFakeClock()
  const settings = {
    target: upstream.origin,
    connectMs: 1_000,
    responseMs: 2_000,
    idleMs: 3_000,
    keepAliveMs: 4_000,
    connections: 2,
    queue: 0,
    queueMs: 1_000,
    ...changes,
  }
  const engine = createUpgradeEngine(settings, clock)
  t.teardown(() => engine.destroy())
  const heard: unknown[][] = []
  let released = 0
  let socket: Socket | undefined
  const sink = {
    informed: (status: number) => void heard.push(['informed', status]),
    head: (status: number) => void heard.push(['head', status]),
    data: (chunk: Buffer) => {
      heard.push(['data', chunk.toString()])
      return true
    },
    ended: () => void heard.push(['ended']),
    failed: ({ kind }: { kind: string }) => void heard.push(['failed', kind]),
    switched(_: readonly string[], opened: Socket, early: Buffer) {
      socket = opened
      heard.push(['switched', early.toString()])
    },
  }
  const dispatch = (request = REQUEST) => engine.dispatch(request, sink, () => void released++)
  const hears = (count: number) => eventually('word of it', () => heard.length >= count)
  return {
    upstream,
    clock,
    engine,
    heard,
    dispatch,
    hears,
    sink,
    released: () => released,
    socket: () => socket,
  }
}

t.test('after a 101 the socket is the sink’s, with what has come already', async (t) => {
  const { upstream, clock, heard, dispatch, hears, socket, released } = await start(t)
  let head = ''
  upstream.answer((socket, text) => {
    head = text
    socket.write(`${SWITCH}early`)
  })
  const call = dispatch()
  await hears(1)
  t.same(heard, [['switched', 'early']])
  t.match(
    head,
    /^GET \/x HTTP\/1\.1\r\nhost: a\r\n.*connection: Upgrade\r\nupgrade: websocket\r\n\r\n$/s,
  )
  t.equal(clock.pending(), 0, 'no time-out of a response is left')
  t.equal(socket()?.isPaused(), true)
  t.equal(released(), 0, 'it keeps its place')
  call.abort()
  await eventually('its end', () => upstream.open() === 0)
  t.equal(released(), 1)
  t.equal(heard.length, 1)
})

t.test('any other answer is an ordinary response, and its connection is not kept', async (t) => {
  const { upstream, clock, heard, dispatch, hears, released } = await start(t)
  upstream.answer((socket) => {
    socket.write('HTTP/1.1 103 E\r\n\r\nHTTP/1.1 403 F\r\nContent-Length: 2\r\n\r\nno')
  })
  dispatch()
  await hears(4)
  t.same(heard, [['informed', 103], ['head', 403], ['data', 'no'], ['ended']])
  await eventually('its end', () => upstream.open() === 0)
  t.equal(released(), 1)
  t.equal(clock.pending(), 0)
})

t.test('a response that breaks off, or never comes, fails once', async (t) => {
  for (const [answer, kind, waitMs] of [
    ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf', 'protocol', 0],
    ['', 'protocol', 0],
    ['HTTP/1.1 101 X\r\n\r\n', 'protocol', 0],
    ['no HTTP\r\n\r\n', 'protocol', 0],
    [undefined, 'timeout', 2_000],
  ] as const) {
    const { upstream, clock, heard, dispatch, released } = await start(t)
    upstream.answer((socket) => {
      if (answer !== undefined) socket.end(answer)
    })
    dispatch()
    await eventually('the request', () => upstream.requests() === 1)
    if (waitMs > 0) await clock.advance(waitMs - 1)
    t.notOk(waitMs > 0 && heard.length > 0, 'not before')
    if (waitMs > 0) await clock.advance(1)
    await eventually('its failure', () => heard.at(-1)?.[0] === 'failed')
    t.same(heard.at(-1), ['failed', kind], answer ?? 'nothing')
    t.equal(heard.filter(([what]) => what === 'failed').length, 1)
    t.equal(released(), 1)
    t.equal(clock.pending(), 0)
  }
})

t.test('who cannot be reached is unreachable', async (t) => {
  const closed = await startRawUpstream()
  const target = closed.origin
  await closed.close()
  const { heard, dispatch, hears, released } = await start(t, { target })
  dispatch()
  await hears(1)
  t.same(heard, [['failed', 'unreachable']])
  t.equal(released(), 1)
})

t.test('it closes once all are over, and is destroyed at once', async (t) => {
  const { upstream, engine, heard, dispatch, hears } = await start(t)
  upstream.answer((socket) => socket.write(SWITCH))
  const call = dispatch()
  await hears(1)
  let isClosed = false
  const closing = engine.close().then(() => {
    isClosed = true
  })
  dispatch()
  t.same(heard.at(-1), ['failed', 'unreachable'], 'takes no more')
  await new Promise((resolve) => setImmediate(resolve))
  t.notOk(isClosed)
  call.abort()
  await closing
  const other = await start(t)
  other.upstream.answer((socket) => socket.write(SWITCH))
  other.dispatch()
  await other.hears(1)
  await other.engine.destroy()
  await eventually('its end', () => other.upstream.open() === 0)
  t.equal(other.heard.length, 1, 'the sink has the socket, and hears by that')
})

t.test('an https target is asked over TLS, by a certificate that is right', async (t) => {
  const { cert, key } = createSelfSigned()
  const server = createTlsServer({ cert, key, ALPNProtocols: ['http/1.1'] }, (socket) => {
    socket.on('data', () => socket.write(SWITCH)).on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void server.close())
  const target = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const trusted = await start(t, { target, tls: { ca: cert } })
  const call = trusted.dispatch()
  await trusted.hears(1)
  t.same(trusted.heard, [['switched', '']])
  call.abort()
  const distrusted = await start(t, { target })
  distrusted.dispatch()
  await distrusted.hears(1)
  t.same(distrusted.heard, [['failed', 'unreachable']])
})
