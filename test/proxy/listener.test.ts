// Sockets become requests here; what does not is answered or cut, and always told.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import type { ClientRequest, ClientResponse } from '../../src/proxy/client-side.ts'
import {
  createListener,
  type EarlyRefusal,
  type ListenerPorts,
  type ListenerSettings,
} from '../../src/proxy/listener.ts'
import { realClock } from '../support/real-clock.ts'
import { eventually } from '../support/eventually.ts'
import { connectRaw } from '../support/raw-connection.ts'
import { sendRaw } from '../support/raw-client.ts'
import { createSelfSigned } from '../support/self-signed.ts'

const SETTINGS: ListenerSettings = {
  address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
  http2: false,
  headerBytes: 2_048,
  connections: 10,
  requestsPerConnection: 10,
  headersMs: 1_000,
  requestMs: 0,
  idleMs: 1_000,
  keepAliveMs: 1_000,
  tlsHandshakeMs: 1_000,
  checkIntervalMs: 50,
}
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

async function start(
  t: Test,
  settings: Partial<ListenerSettings> = {},
  ports: Partial<ListenerPorts> = {},
) {
  const refusals: EarlyRefusal[] = []
  const waited: boolean[] = []
  let connections = 0
  const listener = createListener(
    { ...SETTINGS, ...settings },
    {
      handle(_: ClientRequest, response: ClientResponse, waits) {
        waited.push(waits)
        response.end('ok')
      },
      clock: realClock,
      nextId: () => 'id-1',
      refused: (refusal) => refusals.push(refusal),
      stalled: () => true,
      busy: () => false,
      unreadable: () => false,
      takesUpgrade: () => false,
      connected: (delta) => {
        connections += delta
      },
      ...ports,
    },
  )
  const address = await listener.listen()
  t.teardown(async () => {
    const closed = listener.close()
    listener.destroy()
    await closed
  })
  return { listener, origin: `http://${address}`, refusals, waited, connections: () => connections }
}

t.test('hands requests on, and says whether the client waits to be told to continue', async (t) => {
  const { origin, waited, refusals } = await start(t)
  t.same((await sendRaw(origin, GET, { until: (text) => text.includes('ok') })).statuses, [200])
  const waits = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n'
  await sendRaw(origin, waits, { until: (text) => text.includes('ok') })
  t.same(waited, [false, true])
  t.same(refusals, [])
})

t.test('what is no request is answered with a reason, told, and ended', async (t) => {
  const { origin, refusals, waited } = await start(t)
  const cases: [string, number, string][] = [
    ['hello\r\n\r\n', 400, 'request_malformed'],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(3_000)}\r\n\r\n`, 431, 'headers_too_large'],
    ['GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n', 417, 'expectation_failed'],
    ['CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n', 405, 'method_not_allowed'],
  ]
  for (const [request, status, reason] of cases) {
    const { text, statuses, closed } = await sendRaw(origin, request)
    t.same(statuses, [status])
    t.ok(closed)
    t.match(text, /\r\nconnection: close\r\n/)
    t.match(JSON.parse(text.slice(text.indexOf('{'))), { reason, request_id: 'id-1' })
    t.match(refusals.pop(), { id: 'id-1', status, reason, address: '127.0.0.1' })
  }
  t.same(waited, [])
})

t.test('an address has one spelling, also where IPv4 is written as IPv6', async (t) => {
  const { origin, refusals } = await start(t, { address: { kind: 'tcp', host: '::', port: 0 } })
  await sendRaw(`http://127.0.0.1:${new URL(origin).port}`, 'hello\r\n\r\n')
  t.same(
    refusals.map(({ address }) => address),
    ['127.0.0.1'],
  )
})

t.test('connections over the limit are told', async (t) => {
  const { origin, refusals } = await start(t, { connections: 1 })
  const first = await connectRaw(origin)
  const { text, closed } = await sendRaw(origin, GET)
  t.same([text, closed], ['', true])
  await eventually('the record', () => refusals.length === 1)
  t.match(refusals, [{ reason: 'overloaded', status: 0, address: '127.0.0.1' }])
  first.socket.destroy()
})

/** A listener that notes what it hands on, and answers `/slow` only when told to. */
async function startNoting(t: Test, settings: Partial<ListenerSettings> = {}) {
  const taken: string[] = []
  const slow: ClientResponse[] = []
  const running = await start(t, settings, {
    handle(request, response) {
      taken.push(`${request.method} ${request.url}`)
      if (request.url === '/slow') slow.push(response)
      else response.end('ok')
    },
    busy: () => slow.length > 0,
    unreadable: () => slow.length > 0,
  })
  return { ...running, taken, finish: () => slow.shift()?.end('ok') }
}

const UPGRADE = 'Host: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'
const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n'
const AROUND_HIDDEN = `POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: ${HIDDEN.length}\r\n\r\n`

t.test(
  'a request with Upgrade is the last that is taken, however what follows is cut',
  async (t) => {
    const { origin, taken } = await startNoting(t)
    for (const parts of [
      [`GET / HTTP/1.1\r\n${UPGRADE}`],
      [`GET / HTTP/1.1\r\n${UPGRADE}${HIDDEN}`],
      [`GET / HTTP/1.1\r\n${UPGRADE}`, HIDDEN],
      [`GET / HTTP/1.1\r\n${UPGRADE}GET /x HTTP/1.1\r\nHost: a\r\nX: `, HIDDEN],
      [`GET / HTTP/1.1\r\n${UPGRADE}${AROUND_HIDDEN}`, HIDDEN],
      [`GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\n\r\n${HIDDEN}`],
    ]) {
      const client = await connectRaw(origin)
      for (const part of parts) {
        client.send(part)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      t.equal(await client.closed(), 'ended')
      t.match(
        client.text(),
        /^HTTP\/1\.1 200 OK\r\n[\s\S]*connection: close\r\n[\s\S]*\r\n\r\nok$/i,
      )
      t.same(taken.splice(0), ['GET /'], JSON.stringify(parts))
    }
  },
)

t.test('while its answer is under way nothing behind an Upgrade is a request', async (t) => {
  let parsed = 0
  const count = () => parsed++
  subscribe('http.server.request.start', count)
  t.teardown(() => unsubscribe('http.server.request.start', count))
  const { origin, taken, finish } = await startNoting(t, { requestsPerConnection: 1e6 })
  const client = await connectRaw(origin)
  client.send(`${GET}GET /slow HTTP/1.1\r\n${UPGRADE}`)
  await eventually('the second', () => taken.length === 2)
  client.send(AROUND_HIDDEN)
  // Each write would be parsed from its own beginning.
  for (let i = 0; i < 20; i++) {
    client.send(HIDDEN.repeat(1_000))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  finish()
  await client.closed()
  t.equal(client.text().match(/HTTP\/1\.1 200/g)?.length, 2)
  t.same(taken, ['GET /', 'GET /slow'])
  t.ok(parsed < 4_000, `of 20,000 requests ${parsed} were looked at: no more than a read`)
})

t.test('who leaves behind an Upgrade is seen to leave', async (t) => {
  const closed: string[] = []
  const { origin } = await start(
    t,
    {},
    {
      handle: (_, response) => void response.on('close', () => closed.push('closed')),
    },
  )
  const client = await connectRaw(origin)
  client.send(`GET / HTTP/1.1\r\n${UPGRADE}`)
  client.send(HIDDEN)
  client.send(HIDDEN.repeat(10))
  await new Promise((resolve) => setTimeout(resolve, 30))
  client.socket.destroy()
  await eventually('the end', () => closed.length === 1)
})

t.test('behind an Upgrade in TLS nothing is a request either', async (t) => {
  const { key, cert } = createSelfSigned()
  const directory = t.testdir({ 'key.pem': key, 'cert.pem': cert })
  const tls = { key: `${directory}/key.pem`, cert: `${directory}/cert.pem` }
  const { origin, taken, finish } = await startNoting(t, { tls })
  const client = connectTls({ port: Number(new URL(origin).port), rejectUnauthorized: false })
  let text = ''
  client.on('data', (chunk) => {
    text += chunk
  })
  client.write(`GET /slow HTTP/1.1\r\n${UPGRADE}`)
  await eventually('the request', () => taken.length === 1)
  for (let i = 0; i < 3; i++) {
    client.write(HIDDEN)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  finish()
  await eventually('the end', () => client.readableEnded)
  t.match(text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/)
  t.same(taken, ['GET /slow'])
})

t.test('behind an expectation that cannot be met nothing is taken', async (t) => {
  const { origin, taken, finish } = await startNoting(t)
  const odd = 'POST /odd HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 0\r\n\r\n'
  const alone = await sendRaw(origin, odd + HIDDEN)
  t.same([alone.statuses, alone.closed, taken], [[417], true, []])
  const client = await connectRaw(origin)
  client.send(`GET /slow HTTP/1.1\r\nHost: a\r\n\r\n${odd}${odd}${HIDDEN}`)
  await eventually('the first', () => taken.length === 1)
  finish()
  await client.until(/ok$/)
  t.equal(client.text().match(/HTTP\/1\.1/g)?.length, 1, 'what is under way is still answered')
  t.same(taken, ['GET /slow'])
  client.socket.destroy()
})

t.test('what comes behind an answer that ends its connection is not taken', async (t) => {
  let taken = 0
  const { listener, origin } = await start(
    t,
    {},
    {
      handle(request, response) {
        taken++
        listener.takeNoMore(request.socket)
        response.shouldKeepAlive = false
        setTimeout(() => response.end('ok'), 50)
      },
    },
  )
  const client = await connectRaw(origin)
  client.send(GET + HIDDEN)
  client.send(HIDDEN)
  await client.closed()
  t.match(client.text(), /\r\n\r\nok$/)
  t.equal(taken, 1)
})

t.test('the last request that a connection may have ends it, also amid others', async (t) => {
  const { origin, taken, refusals } = await startNoting(t, { requestsPerConnection: 2 })
  const { text, statuses, closed } = await sendRaw(origin, GET.repeat(2) + HIDDEN.repeat(3))
  t.same([statuses, closed, taken], [[200, 200], true, ['GET /', 'GET /']])
  t.match(text, /connection: close\r\n[\s\S]*ok$/i)
  t.same(refusals, [])
})

t.test('never writes a second answer into one that is under way', async (t) => {
  const { origin, refusals } = await start(t, {}, { handle: () => undefined, busy: () => true })
  const { text, closed } = await sendRaw(origin, `${GET}hello\r\n\r\n`)
  t.equal(text, '')
  t.ok(closed)
  t.same(refusals, [])
})

t.test('an exchange under way may see to the end of its connection', async (t) => {
  const told: unknown[] = []
  const { origin, refusals } = await start(
    t,
    {},
    {
      unreadable(socket, reason) {
        told.push(reason)
        socket.destroy()
        return true
      },
    },
  )
  await sendRaw(origin, 'hello\r\n\r\nmore\r\n\r\n')
  t.same(told, ['request_malformed'], 'once')
  t.same(refusals, [])
})

t.test('a connection without traffic is cut, or left, as it is told', async (t) => {
  let asked = 0
  const stalled = () => ++asked === 3
  const { origin } = await start(t, { idleMs: 60 }, { handle: () => undefined, stalled })
  const connection = await connectRaw(origin)
  connection.send(GET)
  await connection.closed()
  t.equal(asked, 3)
})

t.test('counts connections, and closing waits for the last one', async (t) => {
  let answer: (() => void) | undefined
  const { listener, origin, connections } = await start(
    t,
    {},
    {
      handle: (_, response) => {
        answer = () => void response.end('ok')
      },
    },
  )
  const [busy, idle] = await Promise.all([connectRaw(origin), connectRaw(origin)])
  await eventually('both', () => connections() === 2)
  busy.send(GET)
  let isClosed = false
  await eventually('the request', () => answer)
  const closed = listener.close().then(() => {
    isClosed = true
  })
  await idle.closed()
  t.notOk(isClosed)
  answer?.()
  await busy.until(/ok$/)
  listener.closeIdle()
  await closed
  await eventually('none', () => connections() === 0)
})

t.test('a TLS handshake that stalls is cut in time, and at the end', async (t) => {
  const { key, cert } = createSelfSigned()
  const directory = t.testdir({ 'key.pem': key, 'cert.pem': cert })
  const tls = { key: `${directory}/key.pem`, cert: `${directory}/cert.pem` }
  const quick = await start(t, { tls, tlsHandshakeMs: 50 })
  const silent = await connectRaw(quick.origin)
  await silent.closed()
  t.equal(silent.text(), '')
  t.same((await sendRaw(quick.origin, GET)).statuses, [])
  const patient = await start(t, { tls, tlsHandshakeMs: 60_000 })
  const stuck = await connectRaw(patient.origin)
  await eventually('the connection', () => patient.connections() === 1)
  const closed = patient.listener.close()
  patient.listener.destroy()
  await stuck.closed()
  await closed
})

t.test('an address that is taken is told', async (t) => {
  const { origin } = await start(t)
  const port = Number(new URL(origin).port)
  await t.rejects(start(t, { address: { kind: 'tcp', host: '127.0.0.1', port } }), {
    code: 'EADDRINUSE',
  })
})

t.test(
  'only an upgrade that some route takes leaves the parser, with what came behind it',
  async (t) => {
    const taken: (string | undefined)[] = []
    let isBusy = false
    const { origin } = await start(
      t,
      {},
      {
        takesUpgrade: (protocol) => protocol === 'websocket',
        busy: () => isBusy,
        handle(_, response, _waits, early) {
          taken.push(early?.take().toString())
          response.end('ok')
        },
      },
    )
    const ask = (fields: string, version = '1.1') =>
      sendRaw(origin, `GET / HTTP/${version}\r\nHost: a\r\n${fields}\r\nbehind`)
    const sound = 'Connection: upgrade\r\nUpgrade: websocket\r\n'
    const answer = await ask(sound)
    t.same(answer.statuses, [200])
    t.match(answer.text, /\r\nconnection: close\r\n/i)
    t.ok(answer.closed)
    t.same(taken.splice(0), ['behind'])
    for (const fields of [
      'Connection: upgrade\r\nUpgrade: h2c\r\n',
      'Upgrade: websocket\r\n',
      'Connection: upgrade\r\nUpgrade: websocket, h2c\r\n',
    ]) {
      t.equal((await ask(fields)).statuses[0], 200)
      t.same(taken.splice(0), [undefined], fields)
    }
    await ask(sound, '1.0')
    t.same(taken.splice(0), [undefined], 'HTTP/1.0')
    isBusy = true
    await ask(sound)
    t.same(taken.splice(0), [undefined], 'behind another request')
  },
)
