// A target takes as many requests as it has places for, and each place is given back exactly once.
import { PassThrough } from 'node:stream'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { createTarget, type TargetSettings } from '../../src/upstream/target.ts'
import { realClock } from '../support/real-clock.ts'
import { eventually } from '../support/eventually.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { createRecordingSink } from '../support/recording-sink.ts'

const OK = 'HTTP/1.1 200 OK\r\nX-A: \xe9\r\nContent-Length: 2\r\n\r\nok'
const GET = { method: 'GET', target: '/x?y=%7e', headers: ['host', 'a', 'X-B', '\xff'], body: null }

async function start(t: Test, changes: Partial<TargetSettings> = {}) {
  const server = await startRawUpstream((socket) => socket.write(OK, 'latin1'))
  const upstream = createTarget(
    {
      target: server.origin,
      connectMs: 1_000,
      responseMs: 1_000,
      idleMs: 1_000,
      keepAliveMs: 1_000,
      connections: 2,
      queue: 1,
      queueMs: 2_500,
      engine: 'lean',
      ...changes,
    },
    realClock,
  )
  t.teardown(async () => {
    await upstream.destroy()
    await server.close()
  })
  return { server, upstream }
}

t.test('a request goes out as it stands and its response comes back as it is', async (t) => {
  const { server, upstream } = await start(t)
  let seen = ''
  server.answer((socket, head) => {
    seen = head
    socket.write(
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nX-A: \xe9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: \xfe\r\n\r\n',
      'latin1',
    )
  })
  const sink = createRecordingSink()
  upstream.dispatch(GET, sink)
  await sink.done
  t.match(seen, /^GET \/x\?y=%7e HTTP\/1\.1\r\n/)
  t.match(seen, 'X-B: \xff\r\n')
  t.same(sink.heard, [
    ['informed', 103, ['Link', '</a>']],
    ['head', 200, ['X-A', '\xe9', 'Transfer-Encoding', 'chunked']],
    ['data', 'ok'],
    ['ended', ['X-T', '\xfe']],
  ])
})

t.test('beyond connections and queue a request fails at once, and is not sent', async (t) => {
  const { server, upstream } = await start(t)
  const asked: Socket[] = []
  server.answer((socket) => asked.push(socket))
  const sinks = Array.from({ length: 3 }, () => createRecordingSink())
  for (const sink of sinks) upstream.dispatch(GET, sink)
  const refused = createRecordingSink()
  upstream.dispatch(GET, refused)
  t.same(refused.heard, [['failed', 'overloaded']], 'before dispatch returns')
  await eventually('two connections', () => asked.length === 2)
  server.answer((socket) => socket.write(OK))
  for (const socket of asked) socket.write(OK)
  for (const sink of sinks) await sink.done
  t.equal(server.requests(), 3)
  const again = Array.from({ length: 3 }, () => createRecordingSink())
  for (const sink of again) upstream.dispatch(GET, sink)
  for (const sink of again) await sink.done
  t.ok(
    again.every((sink) => sink.heard.at(-1)?.[0] === 'ended'),
    'every place is free again',
  )
})

t.test('after an abort the sink hears nothing, and the place is free', async (t) => {
  const { server, upstream } = await start(t, { connections: 1, queue: 1 })
  server.answer(() => undefined)
  const [running, queued] = [createRecordingSink(), createRecordingSink()]
  const first = upstream.dispatch(GET, running)
  const second = upstream.dispatch(GET, queued)
  await eventually('the request', () => server.requests() === 1)
  second.abort()
  server.answer((socket) => socket.write(OK))
  first.abort()
  first.abort()
  await eventually('a place', async () => {
    const sink = createRecordingSink()
    upstream.dispatch(GET, sink)
    await sink.done
    return sink.heard.at(-1)?.[0] === 'ended'
  })
  t.same([running.heard, queued.heard], [[], []])
  t.equal(server.requests(), 2, 'what waited in the queue was never sent')
})

t.test('a sink that is full pauses the upstream until it is told to go on', async (t) => {
  const { server, upstream } = await start(t)
  const size = 32 * 1024 * 1024
  let socket: Socket | undefined
  server.answer((asked) => {
    socket = asked
    asked.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
    asked.write(Buffer.alloc(size))
  })
  let open = false
  const sink = createRecordingSink(() => open)
  const call = upstream.dispatch(GET, sink)
  await eventually('the first chunk', () => sink.heard.length > 1)
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  t.ok(sink.heard.length < 10, 'it stopped')
  t.ok((socket?.writableLength ?? 0) > 0, 'the upstream still has the rest')
  open = true
  call.resume()
  await sink.done
  t.equal(sink.heard.at(-1)?.[0], 'ended')
})

t.test('a body that fails fails the request, and no part of it is sent again', async (t) => {
  const { server, upstream } = await start(t)
  server.answer(() => undefined)
  const body = new PassThrough()
  body.write('hello')
  const sink = createRecordingSink()
  upstream.dispatch({ ...GET, method: 'POST', body }, sink)
  await eventually('the request', () => server.requests() === 1)
  body.destroy(new Error('the client is gone'))
  await sink.done
  t.same(sink.heard, [['failed', 'protocol']])
  t.equal(server.requests(), 1)
})

t.test('a response of more than 512 fields is not one', async (t) => {
  const { server, upstream } = await start(t)
  const answer = (fields: number) => OK.replace('X-A: \xe9\r\n', 'X: y\r\n'.repeat(fields - 1))
  const ask = async () => {
    const sink = createRecordingSink()
    upstream.dispatch(GET, sink)
    await sink.done
    return sink.heard.at(-1)?.[0]
  }
  server.answer((socket) => socket.write(answer(512)))
  t.equal(await ask(), 'ended')
  server.answer((socket) => socket.write(answer(513)))
  t.equal(await ask(), 'failed')
})

t.test('close waits for what is under way, destroy does not', async (t) => {
  const { server, upstream } = await start(t)
  const asked: Socket[] = []
  server.answer((socket) => asked.push(socket))
  const [first, second] = [createRecordingSink(), createRecordingSink()]
  upstream.dispatch(GET, first)
  await eventually('the request', () => asked[0])
  const closed = upstream.close()
  asked[0]?.write(OK)
  await first.done
  await closed
  t.equal(first.heard.at(-1)?.[0], 'ended')
  upstream.dispatch(GET, second)
  await second.done
  t.same(second.heard, [['failed', 'unreachable']], 'nothing is sent once it is closed')
  const other = await start(t)
  other.server.answer(() => undefined)
  const third = createRecordingSink()
  other.upstream.dispatch(GET, third)
  await eventually('the request', () => other.server.requests() === 1)
  await other.upstream.destroy()
  t.same(third.heard, [['failed', 'protocol']])
})

t.test('upgraded connections have places of their own, as many as connections', async (t) => {
  const { server, upstream } = await start(t)
  const upgrade = { ...GET, upgrade: 'raw' }
  server.answer((socket, head) => {
    const isUpgrade = /upgrade: raw/.test(head)
    socket.write(isUpgrade ? 'HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: raw\r\n\r\n' : OK)
  })
  let switched = 0
  const calls = [1, 2].map(() => {
    const sink = createRecordingSink()
    sink.switched = () => void switched++
    return upstream.dispatch(upgrade, sink)
  })
  await eventually('both', () => switched === 2)
  t.equal(upstream.active(), 2)
  const refused = createRecordingSink()
  upstream.dispatch(upgrade, refused)
  t.same(refused.heard, [['failed', 'overloaded']])
  const requests = [1, 2, 3].map(() => createRecordingSink())
  for (const sink of requests) upstream.dispatch(GET, sink)
  await Promise.all(requests.map(({ done }) => done))
  t.ok(
    requests.every(({ heard }) => heard[0]?.[0] === 'head'),
    'requests keep theirs',
  )
  for (const call of calls) call.abort()
  t.equal(upstream.active(), 0)
})

t.test('its own name as Host is the one it was found by, with the port that it has', async (t) => {
  for (const [serverName, engine] of [
    [undefined, 'lean'],
    ['orders.internal', 'lean'],
    ['orders.internal', 'undici'],
  ] as const) {
    const { server, upstream } = await start(t, { host: 'upstream', serverName, engine })
    let seen = ''
    server.answer((socket, head) => {
      seen = head
      socket.write(OK)
    })
    const sink = createRecordingSink()
    upstream.dispatch(GET, sink)
    await sink.done
    const { hostname, port } = new URL(server.origin)
    t.match(seen, `ost: ${serverName ?? hostname}:${port}\r\n`)
  }
})
