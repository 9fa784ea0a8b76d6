// The upgrade rows of the security catalogue: an upgrade is carried out for whoever may have it, where the route says so, and nothing else
// ever gets past the gateway beside it.
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { toWebSocketAccept } from '../../src/http/upgrade.ts'
import { eventually } from '../support/eventually.ts'
import { connectRaw } from '../support/raw-connection.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { startGateway } from '../support/start-gateway.ts'

const upstream = await startRawUpstream()
const gate = await startGateway({
  upstreamOrigin: upstream.origin,
  routes: `
  - {name: ws, match: {path: /ws/*}, access: authenticated, upstream: up, upgrades: [websocket, raw]}
  - {name: open, match: {path: /open/*}, access: public, upstream: up, upgrades: [websocket]}
  - {name: plain, match: {path: /plain/*}, access: public, upstream: up}
`,
})
t.teardown(async () => {
  await gate.stop()
  await upstream.close()
})

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const SOUND = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n`
const SWITCH = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${toWebSocketAccept(KEY)}\r\n\r\n`
const bearer = `Authorization: Bearer ${gate.issuer.access()}\r\n`
const EARLY = 'GET /plain/smuggled HTTP/1.1\r\nHost: a\r\n\r\n'

const ask = (path: string, fields = SOUND) => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`

/** What the upstream gets: each request head, and what follows it on its connection. */
function record(answer: (socket: Socket) => void) {
  const seen = { heads: [] as string[], after: '' }
  upstream.answer((socket, head) => {
    seen.heads.push(head)
    socket.removeAllListeners('data')
    socket.on('data', (chunk) => {
      seen.after += chunk.toString('latin1')
    })
    answer(socket)
  })
  return seen
}

async function connect(t: Test) {
  const client = await connectRaw(gate.origin)
  t.teardown(() => client.socket.destroy())
  return client
}

t.test('S-13 without a token there is no tunnel, and no upstream hears of it', async (t) => {
  const seen = record((socket) => socket.write(SWITCH))
  const client = await connect(t)
  client.send(ask('/ws/x') + EARLY)
  t.match(await client.until(/credential_missing/), /^HTTP\/1\.1 401 /)
  t.match(client.text(), /\r\nconnection: close\r\n/i)
  await client.closed()
  t.same(seen, { heads: [], after: '' })
})

t.test('S-13 bytes before the 101 are held until it comes', async (t) => {
  let waiting: Socket | undefined
  const seen = record((socket) => {
    waiting = socket
  })
  const client = await connect(t)
  client.send(`${ask('/ws/x', bearer + SOUND)}early `)
  const socket = await eventually('the request', () => waiting)
  client.send('and later')
  await new Promise((resolve) => setTimeout(resolve, 30))
  t.equal(seen.after, '')
  socket.write(SWITCH)
  await eventually('the bytes', () => seen.after === 'early and later')
  t.match(client.text(), /^HTTP\/1\.1 101 Switching Protocols\r\n/)
  t.match(client.text(), /\r\nSec-WebSocket-Accept: /i)
})

t.test('S-13 an answer other than 101 makes no tunnel, and ends its connection', async (t) => {
  for (const status of [200, 204, 403, 426, 500]) {
    const body = status === 204 ? '' : 'no'
    const length = status === 204 ? '' : `Content-Length: ${body.length}\r\n`
    const seen = record((socket) => socket.write(`HTTP/1.1 ${status} X\r\n${length}\r\n${body}`))
    const client = await connect(t)
    client.send(ask('/ws/x', bearer + SOUND) + EARLY)
    t.equal(await client.closed(), 'ended', `${status}`)
    t.match(client.text(), new RegExp(`^HTTP/1\\.1 ${status} .*\r\n\r\n${body}$`, 's'))
    t.equal(seen.after, '', 'what came behind it is dropped')
    t.equal(seen.heads.length, 1)
    await eventually('its connection is not kept', () => upstream.open() === 0)
  }
})

t.test('S-13 a flood before the 101 is cut, and so is who leaves', async (t) => {
  for (const leave of [false, true]) {
    const seen = record(() => undefined)
    const client = await connect(t)
    client.send(ask('/ws/x', bearer + SOUND))
    await eventually('the request', () => seen.heads.length === 1)
    if (leave) client.socket.end()
    else client.send(Buffer.alloc(128 * 1024))
    await eventually('the upstream is let go of', () => upstream.open() === 0)
    t.equal(seen.after, '')
    await client.closed()
  }
})

t.test('a 101 that is not the answer to what was asked is 502', async (t) => {
  const accept = `Sec-WebSocket-Accept: ${toWebSocketAccept(KEY)}\r\n`
  const heads = [
    `Connection: Upgrade\r\nUpgrade: h2c\r\n${accept}`,
    `Connection: Upgrade\r\n${accept}`,
    `Upgrade: websocket\r\n${accept}`,
    `Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n${accept}`,
    'Connection: Upgrade\r\nUpgrade: websocket\r\n',
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n',
    `Connection: Upgrade\r\nUpgrade: websocket\r\n${accept}${accept}`,
    `Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n${accept}`,
    `Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n${accept}`,
  ]
  for (const head of heads) {
    const seen = record((socket) => socket.write(`HTTP/1.1 101 Switching\r\n${head}\r\nsurplus`))
    const client = await connect(t)
    client.send(`${ask('/ws/x', bearer + SOUND)}early`)
    await client.closed()
    t.match(client.text(), /^HTTP\/1\.1 502 .*"reason":"upstream_protocol"/s, head)
    t.notMatch(client.text(), /surplus/)
    t.equal(seen.after, '')
    await eventually('the upstream is cut', () => upstream.open() === 0)
  }
})

t.test('S-14 where the route does not say so it is a plain request', async (t) => {
  const seen = record((socket) =>
    socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'),
  )
  const client = await connect(t)
  client.send(ask('/plain/x') + EARLY)
  t.equal(await client.closed(), 'ended')
  t.match(client.text(), /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nok$/s)
  t.equal(seen.heads.length, 1)
  t.notMatch(seen.heads[0], /\r\n(?:upgrade|connection): /i)
  t.equal(seen.after, '')
})

t.test('S-14 a 101 that nobody asked for is 502, with an upgrade on offer too', async (t) => {
  record((socket) => socket.write(SWITCH))
  const client = await connect(t)
  client.send(ask('/plain/x'))
  t.match(await client.until(/upstream_protocol/), /^HTTP\/1\.1 502 /)
})

t.test('S-12 HTTP itself is never what it goes on with', async (t) => {
  const seen = record((socket) =>
    socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'),
  )
  for (const fields of [
    'Connection: Upgrade\r\nUpgrade: h2c\r\n',
    'Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n',
    'Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n',
    'Upgrade: websocket\r\n',
  ]) {
    const client = await connect(t)
    client.send(ask('/open/x', fields) + EARLY)
    t.equal(await client.closed(), 'ended')
    t.match(client.text(), /^HTTP\/1\.1 200 /, fields)
  }
  t.equal(seen.heads.length, 4)
  t.notMatch(seen.heads.join(''), /upgrade|h2c|smuggled/i)
  const client = await connect(t)
  client.send(ask('/open/x', `${SOUND}HTTP2-Settings: AAMAAABkAAQAAP__\r\n`))
  t.match(await client.until(/request_malformed/), /^HTTP\/1\.1 400 /)
})

t.test('a handshake that is none is 400, and a body does not go with one', async (t) => {
  const seen = record((socket) => socket.write(SWITCH))
  const fields = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
  for (const more of [
    '',
    `Sec-WebSocket-Key: ${KEY}\r\n`,
    `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 8\r\n`,
    'Sec-WebSocket-Key: c2hvcnQ=\r\nSec-WebSocket-Version: 13\r\n',
    `${SOUND.slice(fields.length)}Content-Length: 5\r\n`,
    `${SOUND.slice(fields.length)}Transfer-Encoding: chunked\r\n`,
  ]) {
    const client = await connect(t)
    client.send(ask('/open/x', fields + more))
    t.match(await client.until(/request_malformed/), /^HTTP\/1\.1 400 /, more)
  }
  t.equal(seen.heads.length, 0)
})

t.test('only the one protocol goes on, and nothing else that Connection names', async (t) => {
  const seen = record((socket) => socket.write(SWITCH))
  const client = await connect(t)
  const fields = SOUND.replace('Connection: ', 'Connection: keep-alive, X-Secret, ')
  client.send(ask('/ws/x', `${bearer}X-Secret: 1\r\nX-Auth-Subject: root\r\n${fields}`))
  await client.until(/^HTTP\/1\.1 101 /)
  const [head = ''] = seen.heads
  t.equal(head.match(/^connection: .*$/gim)?.join(), 'connection: Upgrade')
  t.equal(head.match(/^upgrade: .*$/gim)?.join(), 'upgrade: websocket')
  t.notMatch(head, /x-secret|keep-alive|root/i)
  t.match(head, /^Sec-WebSocket-Key: dGhl/im)
})

t.test('behind a request that is under way it is a plain request', async (t) => {
  const sockets: Socket[] = []
  const seen = record((socket) => sockets.push(socket))
  const client = await connect(t)
  client.send(`GET /open/first HTTP/1.1\r\nHost: a\r\n\r\n${ask('/open/second')}${EARLY}`)
  await eventually('both', () => sockets.length === 2)
  for (const socket of sockets)
    socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok')
  await client.closed()
  t.equal(client.text().match(/HTTP\/1\.1 200 OK/g)?.length, 2)
  t.notMatch(seen.heads.join(''), /upgrade/i)
})

t.test('another protocol is bytes, each side of which may end by itself', async (t) => {
  const fields = `${bearer}Connection: Upgrade\r\nUpgrade: RAW\r\n`
  const closed = Promise.withResolvers<void>()
  const seen = record((socket) => {
    socket.write('HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: raw\r\n\r\nhello')
    socket.on('end', () => socket.end('the rest'))
    socket.on('close', () => closed.resolve())
  })
  const client = await connect(t)
  client.send(ask('/ws/x', fields))
  await client.until(/\r\n\r\nhello$/)
  client.socket.end(Buffer.from('\x88 no frame', 'latin1'))
  await client.until(/the rest$/)
  t.equal(await client.closed(), 'ended')
  t.equal(seen.after, '\x88 no frame')
  await closed.promise
  const line = await eventually('its line', () =>
    gate.accessLines().find(({ request_bytes }) => request_bytes === 10),
  )
  t.match(line, { status: 101, outcome: 'complete', response_bytes: 13 })
})
