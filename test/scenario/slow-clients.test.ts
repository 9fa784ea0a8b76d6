// Clients that are slow, silent or many: each is held to its limit, and nobody pays for another's pace.
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { connectRaw } from '../support/raw-connection.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { scrape } from '../support/scrape.ts'
import { startGateway } from '../support/start-gateway.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const GET = 'GET /public/x HTTP/1.1\r\nHost: a\r\n\r\n'
const POST = 'POST /public/x HTTP/1.1\r\nHost: a\r\n'
const MIB = 1024 * 1024

const upstream = await startRawUpstream((socket) => socket.write(OK))
t.teardown(upstream.close)

async function start(t: Test, more: string) {
  const gate = await startGateway({ upstreamOrigin: upstream.origin, more })
  t.teardown(gate.stop)
  return gate
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

t.test('a request head that does not come in time is 408, and the end', async (t) => {
  const { origin } = await start(t, 'timeouts: {headers: 150ms, checkInterval: 50ms}')
  for (const part of ['GET /public/x HTTP/1.1\r\nHost: a\r\nX-Slow', 'G']) {
    const connection = await connectRaw(origin)
    connection.send(part)
    t.match(await connection.until(/}\n$/), /^HTTP\/1\.1 408 [\s\S]*"reason":"request_timeout"/)
    await connection.closed()
  }
  const late = await connectRaw(origin)
  late.send(GET)
  await late.until(/ok$/)
  await pause(300)
  late.send(GET)
  await late.until(/ok[\s\S]*ok$/)
  late.socket.destroy()
})

t.test(
  'a body that stops is 408, the upstream is let go of, and the connection ends',
  async (t) => {
    const gate = await start(t, 'timeouts: {idle: 200ms}')
    for (const framing of [
      'Content-Length: 100\r\n\r\nhello',
      'Transfer-Encoding: chunked\r\n\r\n5',
    ]) {
      let asked: Socket | undefined
      upstream.answer((socket) => {
        asked = socket
      })
      const connection = await connectRaw(gate.origin)
      connection.send(`${POST}${framing}`)
      t.match(await connection.until(/}\n$/), /^HTTP\/1\.1 408 [\s\S]*"reason":"request_timeout"/)
      t.match(connection.text(), /\r\nconnection: close\r\n/i)
      await connection.closed()
      await eventually('the upstream to be let go of', () => asked?.destroyed ?? true)
    }
    upstream.answer((socket) => socket.write(OK))
  },
)

t.test('whoever moves, or waits for the upstream, is not cut off', async (t) => {
  const { origin } = await start(t, 'timeouts: {idle: 500ms}')
  const connection = await connectRaw(origin)
  upstream.answer((socket) => setTimeout(() => socket.write(OK), 1_200))
  connection.send(GET)
  t.match(await connection.until(/ok$/), /^HTTP\/1\.1 200/, 'the upstream takes its time')
  upstream.answer((socket) => {
    socket.on('data', (chunk) => {
      if (chunk.toString().endsWith('.')) socket.end(OK)
    })
  })
  const uploading = await connectRaw(origin)
  uploading.send(`${POST}Content-Length: 10\r\n\r\n`)
  for (const byte of 'hello bye.') {
    await pause(120)
    uploading.send(byte)
  }
  t.match(await uploading.until(/ok$/), /^HTTP\/1\.1 200/, 'a slow upload')
  for (const { socket } of [connection, uploading]) socket.destroy()
  upstream.answer((socket) => socket.write(OK))
})

t.test('an upstream that does not read for a while is not blamed on the client', async (t) => {
  const gate = await startGateway({ more: 'timeouts: {idle: 700ms}' })
  t.teardown(gate.stop)
  gate.upstream.handle((request, response) => {
    setTimeout(() => request.resume(), 1_800)
    request.on('end', () => response.end('taken'))
  })
  const body = Buffer.alloc(30 * MIB)
  const answer = await fetch(`${gate.origin}/public/x`, { method: 'POST', body })
  t.equal(await answer.text(), 'taken')
})

t.test('a client that stops reading is cut off, one that reads slowly is not', async (t) => {
  const gate = await start(t, 'timeouts: {idle: 500ms}')
  const size = 48 * MIB
  let asked: Socket | undefined
  upstream.answer((socket) => {
    asked = socket
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
    socket.write(Buffer.alloc(size))
  })
  const stuck = await connectRaw(gate.origin)
  stuck.socket.pause()
  stuck.send(GET)
  await eventually('the upstream to be let go of', () => asked?.destroyed)
  await eventually('the line', () => gate.accessLines()[0])
  t.match(gate.accessLines(), [{ outcome: 'client_aborted', status: 200 }])
  t.equal(await scrape(gate.adminOrigin, 'poolgate_active_requests'), 0)
  stuck.socket.destroy()
  const answer = await fetch(`${gate.origin}/public/x`)
  let bytes = 0
  let rest = MIB
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length
    if (bytes < rest) continue
    rest += MIB
    await pause(10)
  }
  t.equal(bytes, size)
  upstream.answer((socket) => socket.write(OK))
})

t.test('timeouts.request is for the whole request, however it moves', async (t) => {
  const { origin } = await start(
    t,
    'timeouts: {request: 300ms, headers: 200ms, checkInterval: 50ms}',
  )
  upstream.answer(() => undefined)
  const connection = await connectRaw(origin)
  connection.send(`${POST}Content-Length: 1000\r\n\r\n`)
  const trickle = setInterval(() => connection.send('x'), 20)
  await connection.closed()
  clearInterval(trickle)
  upstream.answer((socket) => socket.write(OK))
  t.equal((await fetch(`${origin}/public/x`)).status, 200)
})

t.test('a connection is kept for the next request, for a while', async (t) => {
  const { origin } = await start(t, 'timeouts: {keepAlive: 200ms}')
  const connection = await connectRaw(origin)
  for (let i = 1; i <= 3; i++) {
    connection.send(GET)
    await eventually('the answer', () => connection.text().split('\r\n\r\nok').length > i)
  }
  const started = performance.now()
  await connection.closed()
  const elapsed = performance.now() - started
  t.ok(elapsed > 150 && elapsed < 4_000, `closed after ${elapsed} ms`)
})

t.test('a connection ends with the last request that it may have', async (t) => {
  const { origin } = await start(t, 'limits: {requestsPerConnection: 2}')
  const connection = await connectRaw(origin)
  connection.send(GET)
  t.notMatch(await connection.until(/ok$/), /connection: close/i)
  connection.send(GET)
  t.match(await connection.until(/ok[\s\S]*ok$/), /connection: close/i)
  const before = upstream.requests()
  connection.send(GET)
  await connection.closed()
  t.notMatch(connection.text(), /HTTP[\s\S]*HTTP[\s\S]*HTTP/)
  t.equal(upstream.requests(), before)
})

t.test('beyond limits.connections a connection is closed at once', async (t) => {
  const gate = await start(t, 'limits: {connections: 2}')
  const connections = await Promise.all([connectRaw(gate.origin), connectRaw(gate.origin)])
  for (const connection of connections) {
    connection.send(GET)
    await connection.until(/ok$/)
  }
  const third = await connectRaw(gate.origin)
  await third.closed()
  t.equal(third.text(), '')
  connections[0]?.socket.destroy()
  await eventually(
    'a place',
    async () => (await scrape(gate.adminOrigin, 'poolgate_connections')) === 1,
  )
  const next = await connectRaw(gate.origin)
  next.send(GET)
  t.match(await next.until(/ok$/), /^HTTP\/1\.1 200/)
  for (const { socket } of [...connections, next]) socket.destroy()
})
