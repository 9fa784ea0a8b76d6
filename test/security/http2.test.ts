// S-20, HTTP/2: frames that no client would send, at a gateway in its own process. Each attack ends, costs bounded memory, and another
// client is answered meanwhile.
import { request } from 'node:http'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { createProcessConfig, startGatewayProcess } from '../support/gateway-process.ts'
import { connectRawHttp2, type RawHttp2Client } from '../support/raw-http2-client.ts'
import {
  DATA,
  END_STREAM,
  GOAWAY,
  HEADERS,
  PING,
  RST_STREAM,
  SETTINGS,
} from '../support/raw-http2-upstream.ts'
import { startUpstreamServer } from '../support/upstream-server.ts'

const PRIORITY = 2
const WINDOW_UPDATE = 8
const CONTINUATION = 9
const MIB = 1024 * 1024
const CODE = { noError: 0, protocol: 1, internal: 2, cancel: 8, compression: 9, calm: 11 }

const GET = { ':method': 'GET', ':scheme': 'http', ':path': '/public/x', ':authority': 'a' }

const upstream = await startUpstreamServer()
const text = createProcessConfig({
  upstreamOrigin: upstream.origin,
  more: 'timeouts: {idle: 1s, checkInterval: 100ms}\nlog: {access: none}',
}).replace('listen: 127.0.0.1:0', 'listen: {address: "127.0.0.1:0", http2: true}')
const gate = await startGatewayProcess(t, text)
t.teardown(() => upstream.close())

/** Milliseconds that another client waits for its answer. */
function askAnother(): Promise<number> {
  const begun = performance.now()
  return new Promise((resolve, reject) => {
    const asked = request(`${gate.origin}/public/other`, { agent: false }, (response) => {
      response.resume().on('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - begun)
        else reject(new Error(`status ${response.statusCode}`))
      })
    })
    asked.on('error', reject).end()
  })
}

/** Runs an attack, and holds it to what it may cost. */
async function attack(
  t: Test,
  run: () => Promise<void>,
  { memory = 48 * MIB, waitMs = 2_000 } = {},
): Promise<void> {
  await askAnother()
  const before = gate.peakMemory()
  const [waited] = await Promise.all([askAnother(), run()])
  const after = await askAnother()
  const grown = gate.peakMemory() - before
  const slowest = Math.round(Math.max(waited, after))
  t.ok(grown < memory, `${(grown / MIB).toFixed(1)} MiB more, below ${memory / MIB}`)
  t.ok(slowest < waitMs, `another client waited ${slowest} ms, below ${waitMs}`)
}

function goAwayOf({ frames }: RawHttp2Client): number | undefined {
  return frames.find(({ type }) => type === GOAWAY)?.payload.readUInt32BE(4)
}

/** The code that a stream was reset with. */
function resetOf({ frames }: RawHttp2Client, stream = 1): number | undefined {
  return frames
    .find((frame) => frame.type === RST_STREAM && frame.stream === stream)
    ?.payload.readUInt32BE(0)
}

const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const setting = (id: number, value: number) => Buffer.concat([Buffer.from([0, id]), uint32(value)])
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Sends until so many are sent or the connection is over; pauses so that the others get their turns. */
async function flood(client: RawHttp2Client, times: number, send: (i: number) => void) {
  for (let i = 0; i < times && !client.isClosed(); i++) {
    send(i)
    if (i % 200 === 199) await turn()
  }
}

async function open(t: Test, settings?: Buffer, silent?: boolean): Promise<RawHttp2Client> {
  const client = await connectRawHttp2(gate.origin, settings, silent)
  t.teardown(() => client.socket.destroy())
  return client
}

t.test(
  'S-20 rapid reset: the session ends, and the upstream sees few of the requests',
  async (t) => {
    upstream.handle((request, response) => {
      if (request.url === '/public/other') response.end()
    })
    let seen = 0
    upstream.received.length = 0
    await attack(t, async () => {
      const client = await open(t)
      await flood(client, 5_000, (i) => {
        client.sendHeaders(1 + 2 * i, { ...GET, ':path': '/public/hang' }, END_STREAM)
        client.send(RST_STREAM, 1 + 2 * i, uint32(CODE.cancel))
      })
      await client.closed
      // What it says is lost where the end of its connection is a reset of what is still on its way.
      t.ok([CODE.internal, CODE.calm, undefined].includes(goAwayOf(client)))
      seen = upstream.received.filter(({ url }) => url === '/public/hang').length
    })
    t.ok(seen <= 400, `${seen} of 5000 reached the upstream`)
    upstream.handle(undefined)
  },
)

t.test('S-20 rapid reset at leisure: a hundred may be, and not many more', async (t) => {
  upstream.handle((request, response) => {
    if (request.url === '/public/other') response.end()
  })
  const client = await open(t)
  let sent = 0
  for (; sent < 150 && !client.isClosed(); sent++) {
    client.sendHeaders(1 + 2 * sent, { ...GET, ':path': '/public/hang' }, END_STREAM)
    await new Promise((resolve) => setTimeout(resolve, 1))
    client.send(RST_STREAM, 1 + 2 * sent, uint32(CODE.cancel))
    if (sent === 99) t.equal(goAwayOf(client), undefined)
  }
  await client.closed
  t.ok(sent < 150, `over after ${sent}`)
  t.ok([CODE.calm, undefined].includes(goAwayOf(client)))
  upstream.handle(undefined)
})

t.test('S-20 CONTINUATION without end: the connection is over soon', (t) =>
  attack(t, async () => {
    const client = await open(t)
    client.send(HEADERS, 1, Buffer.from([0x82]), 0)
    const field = Buffer.concat([
      Buffer.from([0x00, 1, 0x78, 0x7f, 0x81, 0x07]),
      Buffer.alloc(1024, 'a'),
    ])
    let sent = 0
    await flood(client, 20_000, () => {
      client.send(CONTINUATION, 1, field, 0)
      sent++
    })
    await client.closed
    t.ok(sent < 20_000, `${sent} frames were sent before the end`)
  }),
)

t.test('S-20 HPACK that cannot be read ends the connection', (t) =>
  attack(t, async () => {
    for (const block of [
      '80',
      'ff8f8f8f8f8f8f8f8f',
      '7f',
      'be',
      '0085ffffffffff01',
      '3fffffffff0f',
    ]) {
      const client = await open(t)
      client.send(HEADERS, 1, Buffer.from(block, 'hex'), END_STREAM | 4)
      await client.closed
      t.equal(goAwayOf(client), CODE.compression, block)
    }
  }),
)

t.test('S-20 an HPACK bomb is not blown up', async (t) => {
  upstream.received.length = 0
  await attack(t, async () => {
    const client = await open(t)
    client.sendHeaders(1, GET, END_STREAM)
    // A field of 4,000 bytes enters the table once, and is named 12,000 times: 48 MB.
    const size = 4_000 - 127
    const length = Buffer.from([0x7f, (size & 0x7f) | 0x80, size >> 7])
    const entry = Buffer.concat([Buffer.from([0x40, 1, 0x78]), length, Buffer.alloc(4_000, 'a')])
    const head = Buffer.from([0x82, 0x86, 0x84])
    for (const stream of [3, 5, 7, 9]) {
      const block = stream === 3 ? [head, entry] : [head]
      client.send(
        HEADERS,
        stream,
        Buffer.concat([...block, Buffer.alloc(12_000, 0xbe)]),
        END_STREAM | 4,
      )
    }
    await eventually('resets', () => client.isClosed() || resetOf(client, 9) !== undefined)
    t.ok(client.isClosed() || resetOf(client, 3) === CODE.calm)
  })
  t.same(upstream.received.filter(({ url }) => url === '/').length, 0)
})

for (const [what, send] of [
  ['PING', (c: RawHttp2Client) => c.send(PING, 0, Buffer.alloc(8))],
  ['SETTINGS', (c: RawHttp2Client) => c.send(SETTINGS, 0, setting(3, 100))],
] as const) {
  t.test(`S-20 ${what} without end, from one who reads no answers`, (t) =>
    attack(t, async () => {
      const client = await open(t, Buffer.alloc(0), true)
      client.socket.pause()
      await flood(client, 60_000, () => send(client))
      client.socket.resume()
      await Promise.race([client.closed, new Promise((resolve) => setTimeout(resolve, 500))])
    }),
  )
}

for (const [what, send] of [
  ['WINDOW_UPDATE', (c: RawHttp2Client) => c.send(WINDOW_UPDATE, 0, uint32(1))],
  ['PRIORITY', (c: RawHttp2Client) => c.send(PRIORITY, 3, Buffer.from([0, 0, 0, 0, 1]))],
  ['empty DATA', (c: RawHttp2Client) => c.send(DATA, 1, Buffer.alloc(0))],
] as const) {
  t.test(`S-20 ${what} without end`, (t) =>
    attack(t, async () => {
      const client = await open(t)
      client.sendHeaders(1, { ...GET, ':method': 'POST' })
      await flood(client, 60_000, () => send(client))
    }),
  )
}

t.test(
  'S-20 windows of nothing: many streams that nobody reads are held, then ended',
  async (t) => {
    const part = Buffer.alloc(64 * 1024)
    upstream.handle((request, response) => {
      if (request.url === '/public/other') return void response.end()
      const more = () => {
        while (!response.destroyed && response.write(part));
      }
      response.on('drain', more)
      more()
    })
    await attack(
      t,
      async () => {
        const clients = await Promise.all([1, 2].map(() => open(t, setting(4, 0))))
        for (const client of clients)
          for (let i = 0; i < 64; i++) client.sendHeaders(1 + 2 * i, GET, END_STREAM)
        for (const client of clients)
          await eventually(
            'the last is reset',
            () => client.isClosed() || resetOf(client, 127) !== undefined,
            8_000,
          )
      },
      { memory: 160 * MIB, waitMs: 4_000 },
    )
    upstream.handle(undefined)
  },
)

t.test('S-20 at most 128 streams at once; one more ends the connection', async (t) => {
  upstream.handle((request, response) => {
    if (request.url === '/public/other') response.end()
  })
  for (const streams of [128, 129]) {
    const client = await open(t)
    const isSettled = () =>
      client.frames.some(({ type, flags }) => type === SETTINGS && flags === 1)
    await eventually('its settings', isSettled)
    for (let i = 0; i < streams; i++) client.sendHeaders(1 + 2 * i, GET, END_STREAM)
    client.send(PING, 0, Buffer.alloc(8))
    const isAnswered = ({ type }: { type: number }) => type === PING || type === GOAWAY
    await eventually('an answer', () => client.frames.some(isAnswered))
    t.equal(goAwayOf(client), streams === 128 ? undefined : CODE.protocol, `${streams} streams`)
    client.socket.destroy()
  }
  await askAnother()
  upstream.handle(undefined)
})

/** A request line in fields; what is malformed about it stands in the name of the test. */
const fields = (...more: [string, string][]): [string, string][] => [
  ...Object.entries(GET),
  ...more,
]
const POST = fields().map(([name, value]): [string, string] => [
  name,
  name === ':method' ? 'POST' : value,
])
const MALFORMED: Readonly<Record<string, readonly [string, string][]>> = {
  'a Connection field': fields(['connection', 'close']),
  'a Transfer-Encoding field': fields(['transfer-encoding', 'chunked']),
  'an Upgrade field': fields(['upgrade', 'h2c']),
  'TE other than trailers': fields(['te', 'gzip']),
  'upper case': fields(['X-Name', '1']),
  'no path': fields().filter(([name]) => name !== ':path'),
  'an empty path': fields().map(([name, value]) => [name, name === ':path' ? '' : value]),
  'a path that is a URI': fields().map(([name, value]) => [
    name,
    name === ':path' ? 'http://b/public/x' : value,
  ]),
  'two paths': fields([':path', '/public/y']),
  'a pseudo-field that is none': fields([':other', 'x']),
  'a pseudo-field behind others': [['x', '1'], ...fields()],
  'a Host that differs': fields(['host', 'b']),
  'two Hosts': fields()
    .filter(([name]) => name !== ':authority')
    .concat([
      ['host', 'a'],
      ['host', 'b'],
    ]),
  'an authority with a user': fields().map(([name, value]) => [
    name,
    name === ':authority' ? 'u@a' : value,
  ]),
  'no authority at all': fields().filter(([name]) => name !== ':authority'),
  CONNECT: [
    [':method', 'CONNECT'],
    [':authority', 'a:80'],
  ],
  'extended CONNECT': fields([':protocol', 'websocket']).map(([name, value]) => [
    name,
    name === ':method' ? 'CONNECT' : value,
  ]),
  TRACE: fields().map(([name, value]) => [name, name === ':method' ? 'TRACE' : value]),
  'two Authorization fields': fields(['authorization', 'Bearer a'], ['authorization', 'Bearer b']),
  'two lengths': [...POST, ['content-length', '1'], ['content-length', '1']],
  'a length that is none': [...POST, ['content-length', 'x']],
}

t.test('S-20 what is malformed is reset or refused, and never forwarded', async (t) => {
  for (const [what, list] of Object.entries(MALFORMED)) {
    upstream.received.length = 0
    const client = await open(t)
    client.sendHeaders(1, list, END_STREAM)
    const isAnswered = () =>
      client.isClosed() ||
      client.frames.some(({ type, stream }) => stream === 1 && type <= RST_STREAM)
    await eventually(what, isAnswered)
    client.socket.destroy()
    await askAnother()
    t.same(
      upstream.received.map(({ url }) => url),
      ['/public/other'],
      what,
    )
  }
})

t.test('S-20 a value with a line end never becomes two lines', async (t) => {
  upstream.received.length = 0
  const client = await open(t)
  client.sendHeaders(1, fields(['x-name', 'a\r\nX-Other: b']), END_STREAM)
  await eventually('an answer', () => client.frames.some(({ stream }) => stream === 1))
  for (const { headers } of upstream.received)
    t.strictSame([headers['x-name'], headers['x-other']], [undefined, undefined])
})

t.test('S-20 a body that is not as long as it says is never whole', async (t) => {
  for (const length of [3, 9]) {
    upstream.received.length = 0
    const client = await open(t)
    client.sendHeaders(1, [...POST, ['content-length', String(length)]])
    client.send(DATA, 1, Buffer.from('hello'), END_STREAM)
    await eventually('an end', () => resetOf(client) !== undefined || client.isClosed())
    t.ok(resetOf(client) === CODE.protocol || goAwayOf(client) !== CODE.noError)
    await askAnother()
    t.same(
      upstream.received.map(({ url }) => url),
      ['/public/other'],
    )
  }
})
