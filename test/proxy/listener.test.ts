// Sockets become requests here; what does not is answered or cut, and always told.
import type { IncomingMessage, ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import {
  createListener,
  type EarlyRefusal,
  type ListenerPorts,
  type ListenerSettings,
} from '../../src/proxy/listener.ts'
import { eventually } from '../support/eventually.ts'
import { connectRaw } from '../support/raw-connection.ts'
import { sendRaw } from '../support/raw-client.ts'
import { createSelfSigned } from '../support/self-signed.ts'

const SETTINGS: ListenerSettings = {
  address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
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
      handle(_: IncomingMessage, response: ServerResponse, waits) {
        waited.push(waits)
        response.end('ok')
      },
      nextId: () => 'id-1',
      refused: (refusal) => refusals.push(refusal),
      stalled: () => true,
      busy: () => false,
      unreadable: () => false,
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
