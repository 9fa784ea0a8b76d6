// The lean engine's connections: when they are made, kept, reused, given up, and what waits for them.
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import type { EngineSettings } from '../../src/upstream/engine.ts'
import { createLeanEngine } from '../../src/upstream/lean-engine.ts'
import { eventually } from '../support/eventually.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { createRecordingSink, type RecordingSink } from '../support/recording-sink.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const GET = { method: 'GET', target: '/', headers: ['host', 'a'], body: null }

async function start(t: Test, changes: Partial<EngineSettings> = {}, mayResend = () => false) {
  const server = await startRawUpstream((socket) => socket.write(OK))
  const clock = createFakeClock()
  const engine = createLeanEngine(
    {
      target: server.origin,
      connectMs: 1_000,
      responseMs: 2_000,
      idleMs: 3_000,
      keepAliveMs: 4_000,
      connections: 2,
      queue: 1,
      queueMs: 2_500,
      ...changes,
    },
    clock,
    mayResend,
  )
  t.teardown(async () => {
    await engine.destroy()
    await server.close()
  })
  let released = 0
  const ask = (
    request: Parameters<typeof engine.dispatch>[0] = GET,
    sink = createRecordingSink(),
  ) => {
    const call = engine.dispatch(request, sink, () => void released++)
    return { sink, call }
  }
  const turns = async () => {
    for (let i = 0; i < 6; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  return { server, clock, engine, ask, turns, released: () => released }
}

const endOf = async (sink: RecordingSink) => {
  await sink.done
  return sink.heard.at(-1)
}

t.test('a connection is kept for the next request, and closed when none comes', async (t) => {
  const { server, clock, ask, turns, released } = await start(t)
  for (let i = 0; i < 5; i++) {
    t.same(await endOf(ask().sink), ['ended', []])
    await turns()
  }
  t.equal(server.connections(), 1)
  t.equal(released(), 5)
  await clock.advance(4_000)
  t.equal(server.open(), 1, 'not before its time')
  await clock.advance(500)
  await eventually('the connection to be closed', () => server.open() === 0)
  t.equal(clock.pending(), 0, 'and no timer runs on')
})

t.test('an upstream that says when it closes is not asked at that moment', async (t) => {
  const { server, clock, ask, turns } = await start(t)
  server.answer((socket) =>
    socket.write(OK.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=3\r\n\r\n')),
  )
  await endOf(ask().sink)
  await turns()
  await clock.advance(2_600)
  await eventually('the connection to be closed a second before', () => server.open() === 0)
  server.answer((socket) =>
    socket.write(OK.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=1\r\n\r\n')),
  )
  await endOf(ask().sink)
  await eventually('a second is no time at all', () => server.open() === 0)
  t.equal(server.connections(), 2)
})

t.test('a connection that its upstream closes behind an answer is not asked again', async (t) => {
  const { server, ask, turns } = await start(t)
  server.answer((socket) => {
    socket.write(OK)
    setImmediate(() => socket.end())
  })
  for (let i = 0; i < 50; i++) {
    t.same(await endOf(ask().sink), ['ended', []])
    await turns()
  }
  t.equal(server.requests(), 50)
})

t.test('a response has its time, and so has each part of a body', async (t) => {
  const { server, clock, ask } = await start(t)
  const asked: Socket[] = []
  server.answer((socket) => asked.push(socket))
  const silent = ask().sink
  await eventually('the request', () => asked.length === 1)
  await clock.advance(2_000)
  t.same(silent.heard, [], 'not before its time')
  await clock.advance(500)
  t.same(await endOf(silent), ['failed', 'timeout'])
  const slow = ask().sink
  await eventually('the request', () => asked.length === 2)
  asked[1]?.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n')
  await eventually('the head', () => slow.heard.length === 1)
  for (let i = 2; i < 5; i++) {
    await clock.advance(2_900)
    asked[1]?.write('x')
    await eventually('a part', () => slow.heard.length === i)
  }
  await clock.advance(3_000)
  t.equal(slow.heard.length, 4, 'not before its time')
  await clock.advance(500)
  t.same(await endOf(slow), ['failed', 'timeout'])
})

t.test('an upstream is not late while its client is slow, in sending or in taking', async (t) => {
  const { server, clock, ask } = await start(t)
  server.answer(() => undefined)
  const body = new PassThrough()
  const sending = ask({ ...GET, method: 'POST', headers: ['content-length', '4'], body }).sink
  body.write('ab')
  await eventually('the request', () => server.requests() === 1)
  await clock.advance(60_000)
  t.same(
    sending.heard.filter(([what]) => what === 'failed'),
    [],
  )
  const held = createRecordingSink(() => false)
  server.answer((socket) => socket.write(OK))
  const { call } = ask(GET, held)
  await eventually('the body', () => held.heard.length === 2)
  await clock.advance(60_000)
  t.equal(held.heard.length, 2, 'it is not over while its last part is held')
  call.resume()
  t.same(await endOf(held), ['ended', []])
})

t.test('a connection that cannot be made fails one request, in its time', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  const { ask, released } = await start(t, { target: `http://127.0.0.1:${port}` })
  const sinks = [ask().sink, ask().sink, ask().sink]
  for (const sink of sinks) t.same(await endOf(sink), ['failed', 'unreachable'])
  t.equal(released(), 3)
})

t.test(
  'what waits gets the next free connection, in order, and one that left is passed over',
  async (t) => {
    const { server, ask } = await start(t, { connections: 1 })
    const seen: string[] = []
    const asked: Socket[] = []
    server.answer((socket, head) => {
      seen.push(head.slice(4, 6))
      asked.push(socket)
    })
    const calls = ['/1', '/2', '/3'].map((target) => ask({ ...GET, target }))
    await eventually('the first', () => asked.length === 1)
    calls[1]?.call.abort()
    asked[0]?.write(OK)
    await eventually('the third', () => asked.length === 2)
    asked[1]?.write(OK)
    await endOf(calls[2]!.sink)
    t.same(seen, ['/1', '/3'])
    t.same(calls[1]?.sink.heard, [])
    t.equal(server.connections(), 1)
  },
)

t.test('a request with a body takes a connection when its first byte is there', async (t) => {
  const { server, ask, turns } = await start(t)
  const body = new PassThrough()
  const { sink } = ask({ ...GET, method: 'POST', body })
  await turns()
  t.equal(server.connections(), 0)
  let seen = ''
  server.answer((socket, head) => {
    seen = head
    socket.write(OK)
  })
  body.end('hello')
  t.same(await endOf(sink), ['ended', []])
  t.match(seen, /\r\ntransfer-encoding: chunked\r\n\r\n$/)
})

t.test('a body that breaks off before its first byte is never sent', async (t) => {
  const { server, ask } = await start(t)
  const body = new PassThrough()
  const { sink } = ask({ ...GET, method: 'POST', body })
  body.destroy(new Error('gone'))
  t.same(await endOf(sink), ['failed', 'protocol'])
  t.equal(server.requests(), 0)
})

t.test('an answer before the end of the request’s body ends the connection', async (t) => {
  const { server, ask } = await start(t)
  const body = new PassThrough()
  const { sink } = ask({ ...GET, method: 'POST', headers: ['content-length', '100'], body })
  body.write('hello')
  t.same(await endOf(sink), ['ended', []])
  await eventually('no connection', () => server.open() === 0)
  t.ok(body.destroyed)
})

t.test(
  'what waits for a free connection does so for its time, and a route has times of its own',
  async (t) => {
    const { server, clock, ask } = await start(t, {
      connections: 1,
      responseMs: 9_000,
      queueMs: 1_000,
    })
    server.answer(() => undefined)
    const own = { responseMs: 4_000, idleMs: 1_000, totalMs: Number.POSITIVE_INFINITY }
    const first = ask({ ...GET, timeouts: own }).sink
    await eventually('the request', () => server.requests() === 1)
    const [left, waiting] = [ask(), ask().sink]
    left.call.abort()
    await clock.advance(1_000)
    t.same(waiting.heard, [], 'not before its time')
    await clock.advance(300)
    t.same(await endOf(waiting), ['failed', 'overloaded'])
    t.same(first.heard, [])
    await clock.advance(3_100)
    t.same(await endOf(first), ['failed', 'timeout'])
    t.equal(server.requests(), 1)
  },
)

t.test(
  'R-05 a GET that a kept connection is closed on is sent once more, on a new one',
  async (t) => {
    const { server, ask, turns, released } = await start(t, {}, () => true)
    await endOf(ask().sink)
    await turns()
    let closed = 0
    server.answer((socket) => (closed++ === 0 ? socket.destroy() : socket.write(OK)))
    t.same(await endOf(ask().sink), ['ended', []])
    t.equal(server.connections(), 2)
    t.equal(server.requests(), 3)
    t.equal(released(), 2)
  },
)

t.test(
  'R-05 nothing is sent a third time, and nothing on a new connection a second time',
  async (t) => {
    const { server, ask, turns, released } = await start(t, {}, () => true)
    await endOf(ask().sink)
    await turns()
    server.answer((socket) => socket.destroy())
    t.equal((await endOf(ask().sink))?.[0], 'failed')
    t.equal(server.requests(), 3)
    t.equal((await endOf(ask().sink))?.[0], 'failed')
    t.equal(server.requests(), 4)
    t.equal(released(), 3)
  },
)

t.test(
  'R-05 what has a body, could do something twice, was heard of or is not allowed, is not sent again',
  async (t) => {
    const body = () => new PassThrough().end('x')
    const cases = [
      { name: 'a POST', request: { ...GET, method: 'POST' } },
      { name: 'a PATCH', request: { ...GET, method: 'PATCH' } },
      { name: 'a PUT with a body', request: () => ({ ...GET, method: 'PUT', body: body() }) },
      { name: 'a byte of the answer', request: GET, said: 'H' },
      { name: 'not allowed', request: GET, may: () => false },
    ]
    for (const { name, request, said = '', may = () => true } of cases) {
      const { server, ask, turns } = await start(t, {}, may)
      await endOf(ask().sink)
      await turns()
      server.answer((socket) => void socket.end(said))
      const asked = typeof request === 'function' ? request() : request
      t.equal((await endOf(ask(asked).sink))?.[0], 'failed', name)
      t.equal(server.requests(), 2, name)
    }
  },
)

t.test(
  'R-05 a request that is to be sent again and is let go of meanwhile is not sent',
  async (t) => {
    const { server, ask, turns, released } = await start(t, {}, () => {
      call?.abort()
      return true
    })
    await endOf(ask().sink)
    await turns()
    server.answer((socket) => socket.destroy())
    const { call } = ask()
    await eventually('the end of the connection', () => server.open() === 0)
    await turns()
    t.equal(server.requests(), 2)
    t.equal(released(), 2)
  },
)

/** Has an upstream end a kept connection that has rested for a second. */
async function startEndingAfterOneSecond(t: Test, changes: Partial<EngineSettings> = {}) {
  const started = await start(t, changes)
  const { server, clock, ask, turns } = started
  const sockets: Socket[] = []
  server.answer((socket) => {
    sockets.push(socket)
    socket.write(OK)
  })
  const get = async (request: Parameters<typeof ask>[0] = GET) => {
    t.same(await endOf(ask(request).sink), ['ended', []])
    await turns()
    return server.connections()
  }
  await get()
  await clock.advance(1_000)
  sockets.at(-1)?.end()
  await eventually('the end of the connection', () => server.open() === 0)
  await turns()
  return { ...started, get, post: () => get({ ...GET, method: 'POST' }) }
}

t.test(
  'R-05 what cannot be sent again is not entrusted to a connection that its upstream may be about to close',
  async (t) => {
    const { clock, get, post } = await startEndingAfterOneSecond(t)
    t.equal(await get(), 2)
    await clock.advance(700)
    t.equal(await post(), 2, 'it is kept for so long')
    await clock.advance(900)
    t.equal(await get(), 2, 'a GET can be sent again')
    await clock.advance(900)
    t.equal(await post(), 3, 'a POST goes to a new one')
    t.equal(await post(), 3, 'which is young')
  },
)

t.test('R-05 a connection that is too old makes place where there is no other', async (t) => {
  const { server, clock, get, post } = await startEndingAfterOneSecond(t, { connections: 1 })
  t.equal(await get(), 2)
  await clock.advance(900)
  t.equal(await post(), 3)
  await eventually('one connection', () => server.open() === 1)
})

t.test('R-05 an upstream that keeps a connection for longer than it did is believed', async (t) => {
  const { server, clock, get, post } = await startEndingAfterOneSecond(t)
  await get()
  await clock.advance(4_500)
  await eventually('no connection', () => server.open() === 0)
  t.equal(await get(), 3)
  await clock.advance(3_000)
  t.equal(await post(), 3)
})

t.test(
  'R-05 a new connection that is closed, or one amid a request, says nothing of how long others are kept',
  async (t) => {
    const { server, clock, ask, turns } = await start(t)
    await endOf(ask().sink)
    await turns()
    server.answer((socket) => socket.destroy())
    await endOf(ask({ ...GET, method: 'POST' }).sink)
    await endOf(ask().sink)
    server.answer((socket) => socket.write(OK))
    await endOf(ask().sink)
    await turns()
    await clock.advance(3_000)
    await endOf(ask({ ...GET, method: 'POST' }).sink)
    t.equal(server.connections(), 3)
  },
)
