// WebSockets through a whole gateway, with the ws client and server on either side: who may open one, what goes through it untouched,
// and how it ends.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws'
import { eventually } from '../support/eventually.ts'
import { scrape } from '../support/scrape.ts'
import { type RunningGateway, startGateway } from '../support/start-gateway.ts'

const MIB = 1024 ** 2

/** Echoes; `close me` and `cut me` do what they say; tells the target and headers of its handshake first when asked. */
async function startEchoServer() {
  const server = createServer((_, response) => response.writeHead(426).end('upgrade, please'))
  const sockets = new WebSocketServer({
    server,
    perMessageDeflate: { threshold: 0 },
    handleProtocols: (offered) => [...offered].at(-1) ?? false,
  })
  const closes: number[] = []
  sockets.on('connection', (socket, request) => {
    const { url, headers } = request
    socket.on('close', (code) => closes.push(code))
    socket.on('error', () => undefined)
    socket.on('message', (data, isBinary) => {
      const text = isBinary ? '' : data.toString()
      if (text === 'who') socket.send(JSON.stringify({ url, headers }))
      else if (text === 'close me') socket.close(4000, 'as you like')
      else if (text === 'cut me') socket.terminate()
      else socket.send(data, { binary: isBinary })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    sockets,
    closes,
    close() {
      for (const socket of sockets.clients) socket.terminate()
      server.close()
      server.closeAllConnections()
    },
  }
}

const echo = await startEchoServer()
let handshakes = 0
echo.sockets.on('connection', () => void handshakes++)
const ROUTES = `
  - {name: chat, match: {path: /chat/*}, access: {groups: {anyOf: [staff]}}, upstream: up, upgrades: [websocket], credentials: {cookie: token, query: token, webSocketProtocol: true}}
  - {name: quiet, match: {path: /quiet}, access: authenticated, upstream: up, upgrades: [WebSocket], atExpiry: allow}
  - {name: none, match: {path: /none}, access: authenticated, upstream: up}
`
const gate = await startGateway({ routes: ROUTES, upstreamOrigin: echo.origin })
t.teardown(async () => {
  await gate.stop()
  echo.close()
})
const token = gate.issuer.access({ 'cognito:groups': ['staff'] })
const bearer = { authorization: `Bearer ${token}` }

interface Opened {
  readonly socket: WebSocket
  next(): Promise<{ data: Buffer; isBinary: boolean }>
  readonly closed: Promise<{ code: number; reason: string }>
}

/** An open connection, or the status of the refusal. */
async function open(
  path: string,
  options: ClientOptions & { protocols?: string[]; gateway?: RunningGateway } = {},
): Promise<Opened | number> {
  const { protocols = [], gateway = gate, ...rest } = options
  const socket = new WebSocket(`${gateway.origin.replace('http', 'ws')}${path}`, protocols, rest)
  const messages: { data: Buffer; isBinary: boolean }[] = []
  socket.on('message', (data, isBinary) => messages.push({ data: data as Buffer, isBinary }))
  socket.on('error', () => undefined)
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  const status = await new Promise<number>((resolve) => {
    socket.on('open', () => resolve(101))
    socket.on('unexpected-response', (request, response) => {
      resolve(response.statusCode ?? 0)
      request.destroy()
    })
    socket.on('close', () => resolve(0))
  })
  if (status !== 101) return status
  const next = () => eventually('a message', () => messages.shift())
  return { socket, next, closed }
}

async function opened(...args: Parameters<typeof open>): Promise<Opened> {
  const result = await open(...args)
  if (typeof result === 'number') throw new Error(`refused with ${result}`)
  return result
}

async function say(connection: Opened, message: string): Promise<string> {
  connection.socket.send(message)
  return (await connection.next()).data.toString()
}

const upgraded = () => scrape(gate.adminOrigin, 'poolgate_upgraded_connections')

const lineOf = (route: string) =>
  eventually(`the line of ${route}`, () =>
    gate.accessLines().findLast((line) => line.route === route),
  )

t.test('text and binary, large and small, come back as they were', async (t) => {
  const connection = await opened('/chat/room', { headers: bearer })
  t.equal(await say(connection, 'hello'), 'hello')
  for (const size of [0, 1, 125, 126, 65_535, 65_536, MIB]) {
    const data = Buffer.alloc(size, size % 251)
    connection.socket.send(data)
    const echoed = await connection.next()
    t.ok(echoed.data.equals(data), `${size} bytes`)
    t.ok(echoed.isBinary)
  }
  connection.socket.send('one ', { fin: false })
  connection.socket.send('two', { fin: true })
  t.equal((await connection.next()).data.toString(), 'one two', 'fragments')
  const pong = new Promise((resolve) => connection.socket.once('pong', resolve))
  connection.socket.ping('x')
  t.equal(String(await pong), 'x')
  t.match(connection.socket.extensions, 'permessage-deflate')
  connection.socket.close(1000, 'bye')
  t.same(await connection.closed, { code: 1000, reason: 'bye' })
  const line = await lineOf('chat')
  t.match(line, { status: 101, decision: 'allow', outcome: 'complete', upstream: 'up' })
  t.ok(Number(line.response_bytes) > 100 && Number(line.request_bytes) > 100)
})

t.test('without compression each byte is counted and none is added', async (t) => {
  const connection = await opened('/quiet', { headers: bearer, perMessageDeflate: false })
  t.equal(await say(connection, 'x'.repeat(1000)), 'x'.repeat(1000))
  connection.socket.close()
  await connection.closed
  const line = await eventually('its line', () =>
    gate.accessLines().findLast(({ route }) => route === 'quiet'),
  )
  // Header, mask and payload of the message, then those of the Close.
  t.match(line, { request_bytes: 4 + 4 + 1000 + 6, response_bytes: 4 + 1000 + 2 })
})

t.test('the upstream is told who is calling', async (t) => {
  const headers = { ...bearer, 'x-auth-subject': 'root', 'x-forwarded-for': '192.0.2.1' }
  const connection = await opened('/chat/room?a=1', { headers })
  const { url, headers: seen } = JSON.parse(await say(connection, 'who'))
  t.equal(url, '/chat/room?a=1')
  t.match(seen, { 'x-auth-groups': 'staff', upgrade: 'websocket', 'x-forwarded-for': '127.0.0.1' })
  t.not(seen['x-auth-subject'], 'root')
  connection.socket.terminate()
})

t.test('S-13 who may not, gets no WebSocket', async (t) => {
  const before = handshakes
  t.equal(await open('/chat/room'), 401)
  t.equal(await open('/chat/room', { headers: { authorization: 'Bearer x' } }), 401)
  const other = { authorization: `Bearer ${gate.issuer.access()}` }
  t.equal(await open('/chat/room', { headers: other }), 403)
  t.equal(await open('/elsewhere', { headers: bearer }), 404)
  t.equal(handshakes, before, 'and no upstream hears of it')
})

t.test('S-14 on a route without upgrades it is the plain request that it is too', async (t) => {
  t.equal(await open('/none', { headers: bearer }), 426, 'the answer of the upstream')
})

t.test('a browser brings its token as a subprotocol, which goes no further', async (t) => {
  const connection = await opened('/chat/room', { protocols: [`bearer.${token}`, 'chat'] })
  t.equal(connection.socket.protocol, 'chat')
  const seen = await say(connection, 'who')
  t.equal(JSON.parse(seen).headers['sec-websocket-protocol'], 'chat')
  t.notMatch(seen, token)
  connection.socket.terminate()
  const protocols = [`bearer.${token}`, 'chat']
  t.equal(await open('/chat/room', { protocols, headers: bearer }), 400)
  t.equal(await open(`/chat/room?token=${token}`, { protocols }), 400)
  t.equal(await open('/quiet', { protocols }), 401, 'where the route does not say so')
})

t.test('CSWSH: with a cookie only a page of the same host opens one', async (t) => {
  const cookie = `token=${token}`
  const { host } = new URL(gate.origin)
  t.equal(await open('/chat/room', { headers: { cookie } }), 403)
  t.equal(await open('/chat/room', { headers: { cookie }, origin: 'https://evil.example' }), 403)
  const own = await opened('/chat/room', { headers: { cookie }, origin: `http://${host}` })
  t.equal(await say(own, 'hi'), 'hi')
  own.socket.terminate()
  const query = await opened(`/chat/room?token=${token}`, { origin: 'https://evil.example' })
  t.equal(JSON.parse(await say(query, 'who')).url, '/chat/room')
  query.socket.terminate()
})

t.test('either side’s end is the other’s', async (t) => {
  const closed = await opened('/quiet', { headers: bearer })
  closed.socket.send('close me')
  t.same(await closed.closed, { code: 4000, reason: 'as you like' })
  const cut = await opened('/quiet', { headers: bearer })
  cut.socket.send('cut me')
  t.match(await cut.closed, { code: 1006 })
  await eventually('its line', () =>
    gate.accessLines().some(({ outcome }) => outcome === 'upstream_truncated'),
  )
  const before = echo.closes.length
  const left = await opened('/quiet', { headers: bearer })
  const leftAt = performance.now()
  left.socket.terminate()
  await eventually('the upstream hears of it', () => echo.closes.length > before)
  t.ok(performance.now() - leftAt < 100, `${performance.now() - leftAt} ms`)
  await eventually('its line', () =>
    gate.accessLines().some(({ outcome }) => outcome === 'client_aborted'),
  )
  await eventually('no connection is left', async () => (await upgraded()) === 0)
  t.equal(echo.sockets.clients.size, 0)
})

t.test('open ones are counted', async (t) => {
  const connection = await opened('/quiet', { headers: bearer })
  t.equal(await upgraded(), 1)
  t.equal(await scrape(gate.adminOrigin, 'poolgate_active_requests'), 1)
  connection.socket.terminate()
  await eventually('it is gone', async () => (await upgraded()) === 0)
})

/** Tokens count in seconds: one that is good for less than two. */
function shortLived() {
  const exp = Math.ceil(Date.now() / 1000) + 1
  const token = gate.issuer.access({ exp, 'cognito:groups': ['staff'] })
  return { headers: { authorization: `Bearer ${token}` }, expMs: exp * 1000 }
}

t.test('it is closed when its token expires, unless the route lets it go on', async (t) => {
  const { headers, expMs } = shortLived()
  const ends = await opened('/chat/room', { headers })
  const goesOn = await opened('/quiet', { headers })
  const before = echo.closes.length
  t.same(await ends.closed, { code: 1008, reason: 'token expired' })
  t.ok(Date.now() >= expMs && Date.now() < expMs + 1_000, `${Date.now() - expMs} ms after`)
  await eventually('the upstream hears of it', () => echo.closes.length > before)
  t.equal(echo.closes.at(-1), 1001)
  await eventually('its line', () =>
    gate.accessLines().some(({ outcome }) => outcome === 'token_expired'),
  )
  t.equal(await say(goesOn, 'still here'), 'still here')
  goesOn.socket.terminate()
})

async function startAnother(t: Test, more: string, up = '') {
  const gateway = await startGateway({ routes: ROUTES, upstreamOrigin: echo.origin, more, up })
  t.teardown(() => gateway.stop())
  const headers = { authorization: `Bearer ${gateway.issuer.access()}` }
  return { gateway, connection: await opened('/quiet', { headers, gateway }) }
}

t.test(
  'R-31 a hundred go on while the gateway drains, and are then closed with 1001',
  async (t) => {
    const { gateway, connection } = await startAnother(t, 'timeouts: {drain: 300ms}')
    const headers = { authorization: `Bearer ${gateway.issuer.access()}` }
    const others = await Promise.all(
      Array.from({ length: 99 }, () => opened('/quiet', { headers, gateway })),
    )
    const stopped = gateway.gateway.stop()
    t.equal(await say(connection, 'still here'), 'still here')
    const closes = await Promise.all([connection, ...others].map(({ closed }) => closed))
    t.ok(closes.every(({ code }) => code === 1001))
    await stopped
    const lines = gateway.accessLines()
    t.equal(lines.length, 100, 'every line is written')
    t.match(lines.at(-1), { route: 'quiet', status: 101, outcome: 'complete', detail: /drain/ })
  },
)

t.test('one that is silent both ways is closed', async (t) => {
  const { connection } = await startAnother(t, '', '    timeouts: {idle: 300ms, total: 40s}')
  const openedAt = performance.now()
  t.match(await connection.closed, { code: 1001 })
  t.ok(performance.now() - openedAt >= 250)
})
