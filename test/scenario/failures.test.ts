// Whatever an upstream or a client does wrong, the other side hears of it, nothing is sent twice and nothing is left behind.
import { spawn } from 'node:child_process'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { connectRaw } from '../support/raw-connection.ts'
import { sendRaw } from '../support/raw-client.ts'
import { reset, startRawUpstream } from '../support/raw-upstream.ts'
import { scrape } from '../support/scrape.ts'
import { type RunningGateway, startGateway } from '../support/start-gateway.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const GET = 'GET /public/x HTTP/1.1\r\nHost: a\r\n\r\n'

const upstream = await startRawUpstream()
const gate = await startGateway({
  upstreamOrigin: upstream.origin,
  up: '    timeouts: {response: 300ms, idle: 300ms}',
})
t.teardown(async () => {
  await gate.stop()
  await upstream.close()
})

async function get(origin = gate.origin): Promise<{ status: number; reason?: string }> {
  const answer = await fetch(`${origin}/public/x`)
  const text = await answer.text()
  return { status: answer.status, reason: text.startsWith('{') && JSON.parse(text).reason }
}

/** The access line that comes next. */
function nextLine({ accessLines }: RunningGateway): () => Promise<Record<string, unknown>> {
  const before = accessLines().length
  return () => eventually('an access line', () => accessLines()[before])
}

async function isIdle({ adminOrigin }: RunningGateway): Promise<boolean> {
  return (await scrape(adminOrigin, 'poolgate_active_requests')) === 0
}

t.test('an upstream that refuses connections is 502', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  const other = await startGateway({ upstreamOrigin: `http://127.0.0.1:${port}` })
  t.teardown(other.stop)
  t.same(await get(other.origin), { status: 502, reason: 'upstream_unreachable' })
})

t.test('an upstream that goes away before it answers is 502, once', async (t) => {
  for (const end of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const before = upstream.requests()
    upstream.answer((socket) => socket[end]())
    t.same(await get(), { status: 502, reason: 'upstream_protocol' }, end)
    t.equal(upstream.requests(), before + 1, 'asked once')
  }
})

t.test('what is not one clear HTTP/1.1 response is 502, and its connection ends', async (t) => {
  const cases = {
    garbage: 'hello\r\n\r\n',
    'no status': 'HTTP/1.1\r\n\r\n',
    'another protocol': 'HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
    'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
    'a length with a sign': 'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok',
    'length and chunks':
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a space before the colon': 'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok',
    'NUL in a value': 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok',
    'bare LF': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
    '101 that nobody asked for':
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nok',
    'a head that is too large': `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
    'a head of too many fields': `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(513)}\r\n`,
  }
  for (const [what, answer] of Object.entries(cases)) {
    let socket: Socket | undefined
    upstream.answer((asked) => {
      socket = asked
      asked.write(answer, 'latin1')
    })
    t.same(await get(), { status: 502, reason: 'upstream_protocol' }, what)
    await eventually(`the end of ${what}`, () => socket?.destroyed)
  }
  upstream.answer((socket) => {
    socket.write(OK.replace('\r\n', `\r\n${'X: y\r\n'.repeat(500)}`))
  })
  t.match(await get(), { status: 200 }, 'the next response is read afresh, 501 fields and all')
})

t.test('bytes beyond a response never become the answer to another request', async (t) => {
  const poison = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'
  const endings: Record<string, string> = {
    GET: OK,
    HEAD: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n',
    PUT: 'HTTP/1.1 204 No Content\r\n\r\n',
    DELETE: 'HTTP/1.1 304 Not Modified\r\n\r\n',
  }
  upstream.answer((socket, head) => {
    socket.write((endings[head.split(' ')[0] ?? ''] ?? OK) + poison)
  })
  let poisoned = 0
  for (let i = 0; i < 100; i++) {
    for (const method of Object.keys(endings)) {
      const answer = await fetch(`${gate.origin}/public/x`, { method })
      if ((await answer.text()).includes('poison')) poisoned++
    }
  }
  t.equal(poisoned, 0)
})

t.test('an upstream that does not answer in time is 504', async (t) => {
  upstream.answer(() => undefined)
  const started = performance.now()
  t.same(await get(), { status: 504, reason: 'upstream_timeout' })
  const elapsed = performance.now() - started
  t.ok(elapsed >= 290 && elapsed < 2_000, `after ${elapsed} ms`)
})

t.test('an upstream that is there and does nothing is 504; one that is full is 502', async (t) => {
  const { origin, fill } = await startStopped(t)
  const patient = await startGateway({
    upstreamOrigin: origin,
    up: '    timeouts: {connect: 200ms, response: 300ms}',
  })
  t.teardown(patient.stop)
  t.same(await get(patient.origin), { status: 504, reason: 'upstream_timeout' })
  await fill()
  const started = performance.now()
  t.same(await get(patient.origin), { status: 502, reason: 'upstream_unreachable' })
  const elapsed = performance.now() - started
  t.ok(elapsed >= 190 && elapsed < 2_500, `after ${elapsed} ms`)
})

/** A process that listens and is stopped: the kernel takes connections for it until its backlog is full, then none. */
async function startStopped(t: Test) {
  const script =
    "const s = require('net').createServer().listen(0, '127.0.0.1', 1, () => console.log(s.address().port))"
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(() => child.kill('SIGKILL'))
  const port = await new Promise<string>((resolve) => child.stdout.once('data', resolve))
  child.kill('SIGSTOP')
  const origin = `http://127.0.0.1:${Number(port)}`
  const fill = async () => {
    for (let full = false; !full;) {
      const waiting = connect(Number(port), '127.0.0.1')
      t.teardown(() => waiting.destroy())
      full = await Promise.race([
        new Promise<boolean>((resolve) => waiting.on('connect', () => resolve(false))),
        new Promise<boolean>((resolve) => setTimeout(resolve, 300, true)),
      ])
    }
  }
  return { origin, fill }
}

t.test('a response that breaks off is broken off for the client, and logged so', async (t) => {
  const withLength = 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhello'
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
  const wrongChunk = `${chunked}zz\r\n`
  const cases: [string, string, (socket: Socket) => void][] = [
    ['with a length, ended', withLength, (socket) => socket.end()],
    ['with a length, reset', withLength, reset],
    ['chunked, ended', chunked, (socket) => socket.end()],
    ['chunked, reset', chunked, reset],
    ['chunked, and then garbage', wrongChunk, () => undefined],
    ['with a length, and then silence', withLength, () => undefined],
    ['chunked, and then silence', chunked, () => undefined],
  ]
  for (const [what, part, end] of cases) {
    for (const version of ['1.1', '1.0']) {
      let asked: Socket | undefined
      upstream.answer((socket) => {
        asked = socket
        socket.write(part)
      })
      const line = nextLine(gate)
      const connection = await connectRaw(gate.origin)
      connection.send(`GET /public/x HTTP/${version}\r\nHost: a\r\n\r\n`)
      await connection.until(/hello/)
      end(asked as Socket)
      const ending = await connection.closed()
      const isWhole =
        version === '1.0' && ending === 'ended' && !/content-length/i.test(connection.text())
      t.notOk(isWhole, `${what}: cut for HTTP/${version}`)
      t.notMatch(connection.text(), /\r\n0\r\n\r\n$/)
      t.match(await line(), { outcome: 'upstream_truncated', status: 200 })
    }
  }
})

t.test('1,000 responses that break off leave no connection behind', async (t) => {
  const before = upstream.requests()
  upstream.answer((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(1024)}`, () =>
      socket.resetAndDestroy(),
    )
  })
  let cut = 0
  await inParallel(1_000, 20, async () => {
    try {
      const answer = await fetch(`${gate.origin}/public/x`)
      await answer.text()
      // The reset may overtake the response's first bytes: then there was no response.
      if (answer.status === 502) cut++
    } catch {
      cut++
    }
  })
  t.equal(cut, 1_000, 'none ended as if it were whole')
  t.equal(upstream.requests() - before, 1_000, 'nothing was asked twice')
  await eventually('every connection to be gone', () => upstream.open() === 0)
  await eventually('nothing under way', () => isIdle(gate))
})

t.test('a POST is never sent twice, however the upstream ends its connections', async (t) => {
  const seen = new Map<string, number>()
  upstream.answer((socket, head) => {
    const id = /\/public\/(\d+)/.exec(head)?.[1] ?? ''
    seen.set(id, (seen.get(id) ?? 0) + 1)
    const dice = Number(id) % 10
    if (dice > 0) socket.write(OK)
    else socket.destroy()
    // Between the answer and the next request, and right into it.
    if (dice > 0 && dice < 4) setImmediate(() => socket.end())
    else if (dice > 3 && dice < 7) setTimeout(() => reset(socket), Number(id) % 3)
  })
  const statuses = new Map<number, number>()
  let unseen = 0
  await inParallel(2_000, 16, async (i) => {
    const answer = await fetch(`${gate.origin}/public/${i}`, { method: 'POST', body: `body ${i}` })
    await answer.text()
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
    if (answer.status === 200 && !seen.has(String(i))) unseen++
  })
  const twice = [...seen.values()].filter((count) => count > 1).length
  t.equal(twice, 0, `${seen.size} of 2,000 seen`)
  t.equal(unseen, 0, 'no answer without a request')
  t.comment(JSON.stringify([...statuses]), seen.size)
  t.same([...statuses.keys()].sort(), [200, 502], JSON.stringify([...statuses]))
  // Of the others some are asked in the very moment in which their connection ends.
  t.ok((statuses.get(200) ?? 0) >= 1_000)
})

t.test('a client that goes away lets go of the upstream, whatever it was doing', async (t) => {
  const big = 'x'.repeat(100_000)
  const cases: [string, string, string][] = [
    ['uploading', 'POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\nhello', ''],
    ['waiting', GET, ''],
    ['downloading', GET, `HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n${big}`],
  ]
  const patient = await startGateway({ upstreamOrigin: upstream.origin })
  t.teardown(patient.stop)
  for (const [what, request, answer] of cases) {
    for (const way of ['destroy', 'resetAndDestroy'] as const) {
      let asked: Socket | undefined
      upstream.answer((socket) => {
        asked = socket
        socket.write(answer)
      })
      const line = nextLine(patient)
      const connection = await connectRaw(patient.origin)
      connection.send(request)
      const { destroyed } = await eventually('the request', () => asked)
      t.notOk(destroyed)
      if (answer !== '') await connection.until(/xxx/)
      const started = performance.now()
      connection.socket[way]()
      await eventually('the upstream to hear of it', () => asked?.destroyed)
      t.ok(performance.now() - started < 1_000, `${what}, ${way}`)
      // An end in the middle of a body is half a request, and is answered as one; who knows whether it is heard.
      const expected =
        what === 'uploading' && way === 'destroy'
          ? { reason: 'request_malformed', status: 400 }
          : { outcome: 'client_aborted', status: answer === '' ? 0 : 200 }
      t.match(await line(), expected)
    }
  }
  const connection = await connectRaw(patient.origin)
  connection.send('GET /public/x HTTP/1.1\r\nHos')
  connection.socket.resetAndDestroy()
  await eventually('nothing under way', () => isIdle(patient))
  await eventually(
    'no connection',
    async () => (await scrape(patient.adminOrigin, 'poolgate_connections')) === 0,
  )
})

t.test('500 clients that leave at once leave nothing behind', async (t) => {
  upstream.answer(() => undefined)
  await inParallel(500, 20, async () => {
    const connection = await connectRaw(gate.origin)
    connection.send(GET)
    await new Promise((resolve) => setImmediate(resolve))
    connection.socket.resetAndDestroy()
  })
  await eventually('nothing under way', () => isIdle(gate))
  await eventually('every connection to be gone', () => upstream.open() === 0)
  upstream.answer((socket) => socket.write(OK))
  t.match(await get(), { status: 200 })
})

t.test('beyond connections and queue requests are refused at once', async (t) => {
  await testOverload(t, 'GET /public/x HTTP/1.1\r\nHost: a\r\n\r\n')
  await testOverload(t, 'POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello')
})

async function testOverload(t: Test, request: string) {
  const small = await startGateway({
    upstreamOrigin: upstream.origin,
    up: '    connections: 2\n    queue: 3',
  })
  t.teardown(small.stop)
  const asked: Socket[] = []
  upstream.answer((socket) => asked.push(socket))
  const waiting = await Promise.all(Array.from({ length: 5 }, () => connectRaw(small.origin)))
  for (const connection of waiting) connection.send(request)
  await eventually('both connections in use', () => asked.length === 2)
  await eventually(
    'five under way',
    async () => (await scrape(small.adminOrigin, 'poolgate_active_requests')) === 5,
  )
  const started = performance.now()
  const { text } = await sendRaw(small.origin, request, { until: (text) => text.includes('}') })
  t.match(text, /^HTTP\/1\.1 503 [\s\S]*"reason":"overloaded"/)
  t.ok(performance.now() - started < 500)
  upstream.answer((socket) => socket.write(OK))
  for (const socket of asked) socket.write(OK)
  for (const connection of waiting) t.match(await connection.until(/ok$/), /^HTTP\/1\.1 200/)
  for (const connection of waiting) connection.socket.destroy()
  const again = await sendRaw(small.origin, request, { until: (text) => text.endsWith('ok') })
  t.same(again.statuses, [200], 'the places are free again')
}

/** Runs `task` for 0 … count - 1, so many at once. */
async function inParallel(count: number, width: number, task: (i: number) => Promise<void>) {
  let next = 0
  const worker = async () => {
    while (next < count) await task(next++)
  }
  await Promise.all(Array.from({ length: width }, worker))
}
