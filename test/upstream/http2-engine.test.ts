// The HTTP/2 engine: sessions that are shared, kept and given up, bodies and trailers both ways, and every way in which a stream can end.
import { createServer as createHttp1Server } from 'node:http'
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import type { EngineSettings } from '../../src/upstream/engine.ts'
import { createHttp2Engine } from '../../src/upstream/http2-engine.ts'
import { eventually } from '../support/eventually.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import {
  DATA,
  END_STREAM,
  GOAWAY,
  HEADERS,
  PING,
  type RawPeer,
  RST_STREAM,
  startRawHttp2Upstream,
} from '../support/raw-http2-upstream.ts'
import { createRecordingSink, type RecordingSink } from '../support/recording-sink.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'

const GET = {
  method: 'GET',
  target: '/x?y=%7e',
  headers: ['Host', 'a.test', 'X-B', '\xff'],
  body: null,
}

function open(t: Test, target: string, changes: Partial<EngineSettings> = {}) {
  const clock = createFakeClock()
  const times = { connectMs: 1_000, responseMs: 2_000, idleMs: 3_000, keepAliveMs: 4_000 }
  const settings = { target, connections: 2, queue: 1, queueMs: 2_500, ...times, ...changes }
  const engine = createHttp2Engine(settings, clock)
  t.teardown(() => engine.destroy())
  let released = 0
  const ask = (
    request: Parameters<typeof engine.dispatch>[0] = GET,
    sink = createRecordingSink(),
  ) => ({ sink, call: engine.dispatch(request, sink, () => void released++) })
  return { engine, clock, ask, released: () => released }
}

type OnStream = (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void

async function start(
  t: Test,
  onStream: OnStream,
  changes: Partial<EngineSettings> = {},
  settings = {},
) {
  const server: Http2Server = createServer({ settings })
  const sessions = new Set<{ destroy(): void }>()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined)
    onStream(stream, headers)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const opened = open(t, origin, changes)
  t.teardown(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  return { ...opened, server, sessions: () => sessions.size }
}

async function startRaw(
  t: Test,
  changes: Partial<EngineSettings> = {},
  settings?: Buffer,
  silent = false,
) {
  const server = await startRawHttp2Upstream(settings, silent)
  const opened = open(t, server.origin, changes)
  t.teardown(() => server.close())
  return { ...opened, server }
}

const endOf = async (sink: RecordingSink) => {
  await sink.done
  return sink.heard.at(-1)
}
const ok: OnStream = (stream) => {
  stream.respond({ ':status': 200 })
  stream.end('ok')
}

t.test('a request goes out as it stands and its response comes back as it is', async (t) => {
  let seen: Record<string, unknown> = {}
  const { ask } = await start(t, (stream, headers) => {
    seen = { ...headers }
    stream.additionalHeaders({ ':status': 103, link: '</a>' })
    stream.respond(
      { ':status': 200, 'x-a': '\xe9', 'set-cookie': ['a', 'b'] },
      { waitForTrailers: true },
    )
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-t': 'u' }))
    stream.end('ok')
  })
  const { sink } = ask()
  await sink.done
  t.match(seen, {
    ':method': 'GET',
    ':path': '/x?y=%7e',
    ':authority': 'a.test',
    ':scheme': 'http',
  })
  t.equal(seen['x-b'], '\xff')
  t.notOk('host' in seen)
  t.notOk('te' in seen)
  const [informed, head, data, ended] = sink.heard as [unknown[], unknown[], unknown[], unknown[]]
  t.same(informed, ['informed', 103, ['link', '</a>']])
  t.same(head.slice(0, 2), ['head', 200])
  const fields = head[2] as string[]
  t.same(fields.slice(0, 6), ['x-a', '\xe9', 'set-cookie', 'a', 'set-cookie', 'b'])
  t.same(
    [data, ended],
    [
      ['data', 'ok'],
      ['ended', ['x-t', 'u']],
    ],
  )
})

t.test('many requests share a session; another is made only where one is full', async (t) => {
  const streams: ServerHttp2Stream[] = []
  const { ask, sessions, released } = await start(
    t,
    (stream) => streams.push(stream),
    {},
    { maxConcurrentStreams: 3 },
  )
  const asked = Array.from({ length: 5 }, () => ask())
  await eventually('five streams', () => streams.length === 5)
  t.equal(sessions(), 2)
  const sixth = ask()
  const waiting = ask()
  const refused = ask()
  await eventually('the sixth', () => streams.length === 6)
  t.same(refused.sink.heard, [['failed', 'overloaded']], 'beyond the queue it fails at once')
  t.same(waiting.sink.heard, [])
  for (const stream of streams) ok(stream, {})
  for (const { sink } of [...asked, sixth]) t.same(await endOf(sink), ['ended', []])
  await eventually('what waited', () => streams.length === 7)
  ok(streams[6] as ServerHttp2Stream, {})
  t.same(await endOf(waiting.sink), ['ended', []])
  t.equal(released(), 8)
  t.equal(sessions(), 2)
})

t.test('bodies stream both ways at the same time, and trailers follow both', async (t) => {
  let trailers: unknown
  const { ask } = await start(t, (stream) => {
    stream.respond({ ':status': 200 }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.on('trailers', (sent) => {
      trailers = { ...sent }
    })
    stream.pipe(stream)
  })
  const body = new PassThrough()
  const request = {
    ...GET,
    method: 'POST',
    body,
    takesTrailers: true,
    trailers: () => ['X-T', 'u'],
  }
  const { sink } = ask(request)
  await eventually('the head', () => sink.heard.length === 1)
  for (let i = 1; i <= 3; i++) {
    body.write(`part ${i}`)
    await eventually('its echo', () => sink.heard.length === 1 + i)
  }
  body.end()
  t.same(await endOf(sink), ['ended', ['grpc-status', '0']])
  t.match(trailers, { 'x-t': 'u' })
})

t.test('trailers that HTTP/2 cannot carry fail the request', async (t) => {
  const codes: unknown[] = []
  const { ask } = await start(t, (stream) => {
    stream.resume()
    stream.on('close', () => codes.push(stream.rstCode))
  })
  const body = new PassThrough()
  const { sink } = ask({ ...GET, method: 'POST', body, trailers: () => ['connection', 'close'] })
  body.end('x')
  t.same(await endOf(sink), ['failed', 'protocol'])
  await eventually('the reset', () => codes.length === 1)
  t.same(codes, [8])
})

t.test('a sink that is full pauses its own stream and no other', async (t) => {
  const { ask } = await start(t, (stream, headers) => {
    stream.respond({ ':status': 200 })
    stream.end(headers[':path'] === '/large' ? Buffer.alloc(8 * 1024 * 1024) : 'ok')
  })
  let flowing = false
  const large = ask(
    { ...GET, target: '/large' },
    createRecordingSink(() => flowing),
  )
  await eventually('the first chunk', () => large.sink.heard.length > 1)
  for (let i = 0; i < 3; i++) t.same(await endOf(ask().sink), ['ended', []])
  t.equal(large.sink.heard.length, 2, 'it stopped')
  flowing = true
  large.call.resume()
  t.same(await endOf(large.sink), ['ended', []])
  const size = large.sink.heard.reduce(
    (sum, [what, text]) => (what === 'data' ? sum + String(text).length : sum),
    0,
  )
  t.equal(size, 8 * 1024 * 1024)
})

t.test('an upstream that takes no more holds the body back', async (t) => {
  let taken: ServerHttp2Stream | undefined
  const { ask } = await start(t, (stream) => {
    taken = stream
  })
  const body = new PassThrough()
  let left = 64
  const push = () => {
    while (left-- > 0) if (!body.write(Buffer.alloc(64 * 1024))) return
  }
  body.on('drain', push)
  const { sink } = ask({ ...GET, method: 'PUT', body })
  push()
  await eventually('the stream', () => taken)
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
  t.ok(left > 50, 'most is still to come')
  taken?.resume()
  await eventually('all of it', () => left <= 0)
  body.end()
  ok(taken as ServerHttp2Stream, {})
  t.same(await endOf(sink), ['ended', []])
})

t.test('a body is exactly as long as announced, or the stream is reset', async (t) => {
  const codes: unknown[] = []
  const { ask } = await start(t, (stream) => {
    stream.resume()
    stream.on('close', () => codes.push(stream.rstCode))
  })
  const headers = [...GET.headers, 'content-length', '5']
  for (const text of ['1234', '123456']) {
    const body = new PassThrough()
    const { sink } = ask({ ...GET, method: 'POST', headers, body })
    body.end(text)
    t.same(await endOf(sink), ['failed', 'protocol'], text)
  }
  const body = new PassThrough()
  const { sink } = ask({ ...GET, method: 'POST', headers, body })
  body.write('1')
  body.destroy(new Error('the client is gone'))
  t.same(await endOf(sink), ['failed', 'protocol'])
  await eventually('three resets', () => codes.length === 3)
  t.same(codes, [8, 8, 8])
})

t.test('after an abort the sink hears nothing, and the upstream hears CANCEL', async (t) => {
  const codes: unknown[] = []
  const { ask, released } = await start(t, (stream) => {
    stream.respond({ ':status': 200 })
    stream.write('x')
    stream.on('close', () => codes.push(stream.rstCode))
  })
  const { sink, call } = ask()
  await eventually('the response', () => sink.heard.length === 2)
  call.abort()
  call.abort()
  await eventually('the reset', () => codes.length === 1)
  t.same(codes, [8])
  t.equal(sink.heard.length, 2)
  t.equal(released(), 1)
})

t.test('a response that breaks off is never whole, whatever the reset says', async (t) => {
  const { server, ask } = await startRaw(t)
  const endings: Record<
    string,
    (stream: number, peer: Parameters<Parameters<typeof server.handle>[0]>[1]) => void
  > = {
    NO_ERROR: (stream, peer) => peer.send(RST_STREAM, stream, Buffer.from([0, 0, 0, 0])),
    CANCEL: (stream, peer) => peer.send(RST_STREAM, stream, Buffer.from([0, 0, 0, 8])),
    INTERNAL_ERROR: (stream, peer) => peer.send(RST_STREAM, stream, Buffer.from([0, 0, 0, 2])),
    'the end of the connection': (_, peer) => void peer.socket.end(),
    'a reset connection': (_, peer) => void peer.socket.resetAndDestroy(),
    'GOAWAY with an error': (stream, peer) =>
      peer.send(GOAWAY, 0, Buffer.from([0, 0, 0, stream, 0, 0, 0, 2])),
    'more than announced': (stream, peer) =>
      peer.send(DATA, stream, Buffer.from('more than five'), END_STREAM),
    'less than announced': (stream, peer) => peer.send(DATA, stream, Buffer.from('x'), END_STREAM),
  }
  for (const [name, end] of Object.entries(endings)) {
    server.handle(({ type, stream }, peer) => {
      if (type !== HEADERS) return
      const fields = name.endsWith('announced') ? { 'content-length': '5' } : {}
      peer.sendHeaders(stream, { ':status': '200', ...fields })
      peer.send(DATA, stream, Buffer.from('pa'))
      setImmediate(() => end(stream, peer))
    })
    const { sink } = ask()
    t.same(await endOf(sink), ['failed', 'protocol'], name)
    if (name !== 'a reset connection') t.same(sink.heard[0]?.slice(0, 2), ['head', 200], name)
  }
})

t.test(
  'an answer before the end of the request’s body is whole, and the upload ends',
  async (t) => {
    const { server, ask } = await startRaw(t)
    for (const code of [undefined, 0]) {
      server.frames.length = 0
      server.handle(({ type, stream }, peer) => {
        if (type !== HEADERS) return
        peer.sendHeaders(stream, { ':status': '403' })
        peer.send(DATA, stream, Buffer.from('no'), END_STREAM)
        if (code !== undefined) peer.send(RST_STREAM, stream, Buffer.from([0, 0, 0, code]))
      })
      const body = new PassThrough()
      const { sink } = ask({ ...GET, method: 'POST', body })
      body.write('x')
      t.same(await endOf(sink), ['ended', []], `reset: ${code}`)
      t.same(sink.heard[1], ['data', 'no'])
      t.ok(body.destroyed)
      if (code === undefined)
        await eventually('a reset', () => server.frames.some(({ type }) => type === RST_STREAM))
      t.notOk(
        server.frames.some(({ type, flags }) => type === DATA && (flags & END_STREAM) !== 0),
        'no end of the upload was sent',
      )
    }
  },
)

t.test('a request that is cut off is never ended first', async (t) => {
  const { server, ask } = await startRaw(t)
  const body = new PassThrough()
  const { sink, call } = ask({ ...GET, method: 'POST', body })
  body.write('part')
  await eventually('the part', () => server.frames.some(({ type }) => type === DATA))
  call.abort()
  await eventually('a reset', () => server.frames.some(({ type }) => type === RST_STREAM))
  t.same(
    server.frames.filter(({ type, flags }) => type === DATA && (flags & END_STREAM) !== 0),
    [],
  )
  const reset = server.frames.find(({ type }) => type === RST_STREAM)
  t.equal(reset?.payload.readUInt32BE(), 8)
  t.same(sink.heard, [])
})

t.test('responses without a body, however they say so', async (t) => {
  const { server, ask } = await startRaw(t)
  const answers: Readonly<Record<string, (stream: number, peer: RawPeer) => void>> = {
    'the head ends it': (stream, peer) =>
      peer.sendHeaders(stream, { ':status': '200' }, END_STREAM),
    'an empty part ends it': (stream, peer) => {
      peer.sendHeaders(stream, { ':status': '200' })
      peer.send(DATA, stream, Buffer.alloc(0), END_STREAM)
    },
    'a 100 comes before': (stream, peer) => {
      peer.sendHeaders(stream, { ':status': '100' })
      peer.sendHeaders(stream, { ':status': '204' }, END_STREAM)
    },
    'it answers HEAD': (stream, peer) =>
      peer.sendHeaders(stream, { ':status': '200', 'content-length': '5' }, END_STREAM),
  }
  for (const [name, answer] of Object.entries(answers)) {
    server.handle(({ type, stream }, peer) => {
      if (type === HEADERS) answer(stream, peer)
    })
    const { sink } = ask({ ...GET, method: name.endsWith('HEAD') ? 'HEAD' : 'GET' })
    await sink.done
    t.same(
      sink.heard.map(([what]) => what),
      ['head', 'ended'],
      name,
    )
  }
})

t.test('what no response may hold fails it', async (t) => {
  const { server, ask } = await startRaw(t)
  const heads: Record<string, Readonly<Record<string, string>>> = {
    'no status': { 'x-a': 'b' },
    'a status of words': { ':status': 'ok' },
    'a switch of protocols': { ':status': '101' },
    Connection: { ':status': '200', connection: 'close' },
    'Transfer-Encoding': { ':status': '200', 'transfer-encoding': 'chunked' },
    'Keep-Alive': { ':status': '200', 'keep-alive': 'timeout=5' },
    Upgrade: { ':status': '200', upgrade: 'x' },
    'a name in capitals': { ':status': '200', 'X-A': 'b' },
    'a pseudo-field of requests': { ':status': '200', ':path': '/' },
    'a length that is none': { ':status': '200', 'content-length': '+5' },
  }
  for (const [name, fields] of Object.entries(heads)) {
    server.handle(({ type, stream }, peer) => {
      if (type === HEADERS) peer.sendHeaders(stream, fields, END_STREAM)
    })
    t.same(await endOf(ask().sink), ['failed', 'protocol'], name)
  }
})

t.test('a field whose value could be two lines is left out', async (t) => {
  const { server, ask } = await startRaw(t)
  server.handle(({ type, stream }, peer) => {
    const fields = { ':status': '200', 'x-a': 'b\nc: d', 'x-b': 'b\0', 'x-c': 'd\r', 'x-e': 'f' }
    if (type === HEADERS) peer.sendHeaders(stream, fields, END_STREAM)
  })
  const { sink } = ask()
  await sink.done
  t.same(sink.heard, [
    ['head', 200, ['x-e', 'f']],
    ['ended', []],
  ])
})

t.test('a head of 512 fields and 32 KiB is the largest', async (t) => {
  let fields: Record<string, string> = {}
  const { ask } = await start(t, (stream) => {
    stream.respond({ ':status': 200, ...fields }, { endStream: true })
    stream.on('error', () => undefined)
  })
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'y']))
  fields = many(511)
  t.same(await endOf(ask().sink), ['ended', []], 'and a date')
  fields = many(512)
  t.same(await endOf(ask().sink), ['failed', 'protocol'])
  fields = { 'x-a': 'y'.repeat(32_000) }
  t.same(await endOf(ask().sink), ['ended', []])
  fields = { 'x-a': 'y'.repeat(33_000) }
  t.same(await endOf(ask().sink), ['failed', 'protocol'])
})

t.test('what the upstream did not process goes to another session, and not for ever', async (t) => {
  const { server, ask } = await startRaw(t)
  let refusals = 1
  server.handle(({ type, stream }, peer) => {
    if (type !== HEADERS) return
    if (refusals-- > 0) peer.send(RST_STREAM, stream, Buffer.from([0, 0, 0, 7]))
    else peer.sendHeaders(stream, { ':status': '204' }, END_STREAM)
  })
  t.same(await endOf(ask().sink), ['ended', []], 'REFUSED_STREAM')
  let goaways = 1
  server.handle(({ type, stream }, peer) => {
    if (type !== HEADERS) return
    if (goaways-- > 0) peer.send(GOAWAY, 0, Buffer.alloc(8))
    else peer.sendHeaders(stream, { ':status': '204' }, END_STREAM)
  })
  t.same(await endOf(ask().sink), ['ended', []], 'GOAWAY before it')
  refusals = 100
  server.handle(({ type, stream }, peer) => {
    if (type === HEADERS) peer.send(RST_STREAM, stream, Buffer.from([0, 0, 0, 7]))
  })
  server.frames.length = 0
  t.same(await endOf(ask().sink), ['failed', 'unreachable'])
  t.equal(server.frames.filter(({ type }) => type === HEADERS).length, 4)
  for (const [size, count] of [
    [64 * 1024, 4],
    [64 * 1024 + 1, 1],
  ] as const) {
    server.frames.length = 0
    const body = new PassThrough({ highWaterMark: size })
    const chunks: unknown[] = []
    body.on('data', (chunk) => chunks.push(chunk))
    server.handle(({ type, stream }, peer) => {
      if (type === HEADERS)
        void eventually('the body', () => chunks.length > 0).then(() =>
          peer.send(RST_STREAM, stream, Buffer.from([0, 0, 0, 7])),
        )
    })
    const posted = ask({ ...GET, method: 'POST', body })
    body.end(Buffer.alloc(size))
    t.same(await endOf(posted.sink), ['failed', 'unreachable'], `a body of ${size} bytes`)
    t.equal(server.frames.filter(({ type }) => type === HEADERS).length, count)
  }
})

t.test('a short body that was not processed is sent again, to its end', async (t) => {
  const { server, ask } = await startRaw(t)
  const bodies = new Map<number, string>()
  server.handle(({ type, stream, payload, flags }, peer) => {
    if (type !== DATA) return
    bodies.set(stream, (bodies.get(stream) ?? '') + payload.toString())
    if (bodies.size === 1) peer.send(RST_STREAM, stream, Buffer.from([0, 0, 0, 7]))
    else if ((flags & END_STREAM) !== 0) peer.sendHeaders(stream, { ':status': '204' }, END_STREAM)
  })
  const body = new PassThrough()
  const { sink } = ask({ ...GET, method: 'POST', headers: ['content-length', '9'], body })
  body.write('first')
  await eventually('a second stream', () => bodies.size === 2)
  body.end('last')
  t.same(await endOf(sink), ['ended', []])
  t.same([...bodies.values()], ['first', 'firstlast'])
})

t.test('GOAWAY lets what is under way end, and new requests go to a new session', async (t) => {
  const { server, ask } = await startRaw(t)
  const answers: (() => void)[] = []
  let old: unknown
  server.handle(({ type, stream }, peer) => {
    if (type !== HEADERS || (old === peer.socket && stream > 1)) return
    if (old === undefined) peer.send(GOAWAY, 0, Buffer.from([0, 0, 0, stream, 0, 0, 0, 0]))
    old ??= peer.socket
    answers.push(() => peer.sendHeaders(stream, { ':status': '204' }, END_STREAM))
  })
  const first = ask()
  await eventually('the first', () => answers.length === 1)
  const second = ask()
  await eventually('the second', () => answers.length === 2)
  t.equal(server.connections(), 2)
  for (const answer of answers) answer()
  t.same(await endOf(first.sink), ['ended', []])
  t.same(await endOf(second.sink), ['ended', []])
  await eventually('the old session to be closed', () => server.open() === 1)
})

t.test('a response has its time, and so has each part of a body', async (t) => {
  const streams: ServerHttp2Stream[] = []
  const { clock, ask } = await start(t, (stream) => streams.push(stream))
  const silent = ask().sink
  await eventually('the request', () => streams.length === 1)
  await clock.advance(2_000)
  t.same(silent.heard, [], 'not before its time')
  await clock.advance(500)
  t.same(await endOf(silent), ['failed', 'timeout'])
  const slow = ask().sink
  await eventually('the request', () => streams.length === 2)
  streams[1]?.respond({ ':status': 200 })
  await eventually('the head', () => slow.heard.length === 1)
  await clock.advance(2_900)
  streams[1]?.write('x')
  await eventually('a part', () => slow.heard.length === 2)
  await clock.advance(3_000)
  t.equal(slow.heard.length, 2, 'not before its time')
  await clock.advance(500)
  t.same(await endOf(slow), ['failed', 'timeout'])
})

t.test('an upstream is not late while its client is slow, in sending or in taking', async (t) => {
  const { clock, ask } = await start(t, (stream, headers) => {
    if (headers[':method'] === 'GET') ok(stream, headers)
  })
  const body = new PassThrough()
  const sending = ask({ ...GET, method: 'POST', body }).sink
  const held = ask(
    GET,
    createRecordingSink(() => false),
  )
  await eventually('the body', () => held.sink.heard.length === 2)
  await clock.advance(60_000)
  t.same(sending.heard, [])
  t.equal(held.sink.heard.length, 2)
  held.call.resume()
  t.same(await endOf(held.sink), ['ended', []])
})

t.test('a session is kept for the next request, and closed when none comes', async (t) => {
  const { clock, ask, sessions } = await start(t, ok)
  for (let i = 0; i < 3; i++) t.same(await endOf(ask().sink), ['ended', []])
  t.equal(sessions(), 1)
  await clock.advance(4_000)
  t.equal(sessions(), 1, 'not before its time')
  await clock.advance(500)
  await eventually('no session', () => sessions() === 0)
  t.equal(clock.pending(), 0, 'and no timer runs on')
})

t.test(
  'a session that is silent is sent a PING, and given up when it does not answer',
  async (t) => {
    const long = { responseMs: 600_000, idleMs: 600_000 }
    const pings = (server: { frames: { type: number; flags: number }[] }) =>
      server.frames.filter(({ type, flags }) => type === PING && flags === 0).length
    const alive = await startRaw(t, long)
    const living = alive.ask()
    await eventually('the request', () => alive.server.frames.some(({ type }) => type === HEADERS))
    await alive.clock.advance(10_000)
    t.equal(pings(alive.server), 0, 'not before its time')
    await alive.clock.advance(500)
    await eventually('a PING', () => pings(alive.server) === 1)
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
    await alive.clock.advance(299_000)
    t.equal(pings(alive.server), 1, 'and the next one after five minutes')
    t.same(living.sink.heard, [])
    const dead = await startRaw(t, long, undefined, true)
    const lost = dead.ask()
    await eventually('the request', () => dead.server.frames.some(({ type }) => type === HEADERS))
    await dead.clock.advance(10_500)
    await eventually('a PING', () => pings(dead.server) === 1)
    await dead.clock.advance(1_500)
    t.same(await endOf(lost.sink), ['failed', 'timeout'])
    await eventually('no connection', () => dead.server.open() === 0)
  },
)

t.test('a target that does not speak HTTP/2 fails what waits, with a clear word', async (t) => {
  const server = createHttp1Server((_, response) => response.end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const { ask, released } = open(t, `http://127.0.0.1:${port}`)
  const details: string[] = []
  const asked = [1, 2].map(() => {
    const sink = createRecordingSink()
    const { failed } = sink
    sink.failed = (failure) => {
      details.push(failure.detail)
      failed(failure)
    }
    return ask(GET, sink)
  })
  for (const { sink } of asked) t.same(await endOf(sink), ['failed', 'protocol'])
  t.match(details, [/does not speak HTTP\/2/, /does not speak HTTP\/2/])
  t.equal(released(), 2)
})

t.test('a target that is not there, or that does not answer, is unreachable', async (t) => {
  const gone = await startRawUpstream(() => undefined)
  await gone.close()
  t.same(await endOf(open(t, gone.origin).ask().sink), ['failed', 'unreachable'])
  const mute = await startRawUpstream(() => undefined)
  t.teardown(() => mute.close())
  const { clock, ask } = open(t, mute.origin)
  const { sink } = ask()
  await clock.advance(1_500)
  t.same(await endOf(sink), ['failed', 'unreachable'])
})

t.test('close waits for what is under way, destroy does not', async (t) => {
  const streams: ServerHttp2Stream[] = []
  const { engine, ask, sessions } = await start(t, (stream) => streams.push(stream))
  const first = ask()
  await eventually('the request', () => streams.length === 1)
  const closed = engine.close()
  t.same(ask().sink.heard, [['failed', 'unreachable']], 'nothing more is taken')
  ok(streams[0] as ServerHttp2Stream, {})
  t.same(await endOf(first.sink), ['ended', []])
  await closed
  await eventually('no session', () => sessions() === 0)
  const other = await start(t, (stream) => streams.push(stream))
  const cut = other.ask()
  await eventually('the request', () => streams.length === 2)
  await other.engine.destroy()
  t.same(cut.sink.heard, [['failed', 'protocol']])
})

t.test(
  'what waits for a free stream does so for its time, and a route has times of its own',
  async (t) => {
    const bounds = { connections: 1, responseMs: 9_000, queueMs: 1_000 }
    let streams = 0
    const { clock, ask } = await start(t, () => void streams++, bounds, { maxConcurrentStreams: 1 })
    const own = { responseMs: 4_000, idleMs: 1_000, totalMs: Number.POSITIVE_INFINITY }
    const first = ask({ ...GET, timeouts: own }).sink
    await eventually('the request', () => streams === 1)
    const waiting = ask().sink
    await clock.advance(1_000)
    t.same(waiting.heard, [], 'not before its time')
    await clock.advance(300)
    t.same(await endOf(waiting), ['failed', 'overloaded'])
    await clock.advance(3_100)
    t.same(await endOf(first), ['failed', 'timeout'])
    t.equal(streams, 1)
  },
)
