// U-12: who an upstream is shows its certificate, checked against the configured name by both engines that speak TLS. Nothing switches
// that off, and nothing that a client writes changes it.
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls'
import t, { type Test } from 'tap'
import type { UpstreamTls } from '../../src/upstream/engine.ts'
import { createTarget, type Target } from '../../src/upstream/target.ts'
import { realClock } from '../support/real-clock.ts'
import { createRecordingSink } from '../support/recording-sink.ts'
import { createSelfSigned } from '../support/self-signed.ts'

const own = createSelfSigned()
const other = createSelfSigned()
const client = createSelfSigned({ names: ['client.test'] })

/** Speaks both protocols, and says of each connection what it was. */
async function startServer(t: Test, options: TlsOptions) {
  const sockets: TLSSocket[] = []
  const server = createSecureServer({ allowHTTP1: true, ...options }, (_, response) => {
    response.end('ok')
  })
  const reused: boolean[] = []
  server.on('secureConnection', (socket: TLSSocket) => {
    sockets.push(socket)
    reused.push(socket.isSessionReused())
  })
  server.on('sessionError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, sockets, reused }
}

interface Asked {
  readonly tls?: UpstreamTls
  readonly host?: string
  readonly http2: boolean
}

function open(port: number, { tls = {}, http2 }: Asked) {
  const times = { connectMs: 5_000, responseMs: 5_000, idleMs: 5_000, queueMs: 5_000 }
  const bounds = { connections: 1, queue: 1, keepAliveMs: 5_000, engine: 'lean' as const }
  const settings = { target: `https://127.0.0.1:${port}`, tls, http2, ...times, ...bounds }
  return createTarget(settings, realClock)
}

async function askOf(target: Target, host = '127.0.0.1') {
  const sink = createRecordingSink()
  let detail = ''
  const { failed } = sink
  sink.failed = (failure) => {
    detail = failure.detail
    failed(failure)
  }
  target.dispatch({ method: 'GET', target: '/', headers: ['Host', host], body: null }, sink)
  await sink.done
  const [what, status] = sink.heard[0] as [string, unknown]
  return { outcome: what === 'failed' ? 'refused' : status, kind: status, detail }
}

async function ask(port: number, asked: Asked) {
  const target = open(port, asked)
  const answer = await askOf(target, asked.host)
  await target.destroy()
  return answer
}

for (const http2 of [false, true]) {
  const by = http2 ? 'http2' : 'undici'

  t.test(
    `U-12 a certificate is for the name, in its time and trusted, or refused: ${by}`,
    async (t) => {
      const expired = createSelfSigned({ until: '210101000000Z' })
      const wild = createSelfSigned({ names: ['*.a.test'] })
      const nul = createSelfSigned({ names: ['a.test\0.evil.test'] })
      const capitals = createSelfSigned({ names: ['A.Test'] })
      const cases: readonly [string, typeof own, UpstreamTls, 200 | 'refused'][] = [
        ['the address', own, { ca: own.cert }, 200],
        ['the name', own, { ca: own.cert, serverName: 'localhost' }, 200],
        ['another name', own, { ca: own.cert, serverName: 'b.test' }, 'refused'],
        ['letter case', capitals, { ca: capitals.cert, serverName: 'a.test' }, 200],
        ['nobody trusts it', own, {}, 'refused'],
        ['another is trusted', own, { ca: other.cert }, 'refused'],
        ['expired', expired, { ca: expired.cert }, 'refused'],
        ['a wildcard', wild, { ca: wild.cert, serverName: 'b.a.test' }, 200],
        ['a wildcard, a label more', wild, { ca: wild.cert, serverName: 'c.b.a.test' }, 'refused'],
        ['a wildcard, a label less', wild, { ca: wild.cert, serverName: 'a.test' }, 'refused'],
        ['NUL in the name', nul, { ca: nul.cert, serverName: 'a.test' }, 'refused'],
        ['NUL in the name, the rest', nul, { ca: nul.cert, serverName: 'evil.test' }, 'refused'],
      ]
      for (const [name, { cert, key }, tls, expected] of cases) {
        const { port } = await startServer(t, { cert, key })
        const { outcome, kind, detail } = await ask(port, { tls, http2 })
        t.equal(outcome, expected, `${name} ${detail}`)
        if (expected === 'refused') t.equal(kind, 'unreachable', `${name}: nothing was sent`)
      }
    },
  )

  t.test(
    `U-12 the Host of a request changes neither the name asked for nor the check: ${by}`,
    async (t) => {
      const evil = createSelfSigned({ names: ['evil.test'] })
      const { port, sockets } = await startServer(t, own)
      const tls = { ca: own.cert, serverName: 'localhost' }
      t.equal((await ask(port, { tls, host: 'evil.test', http2 })).outcome, 200)
      t.equal(sockets[0]?.servername, 'localhost')
      const posing = await startServer(t, evil)
      const trusting = { ca: evil.cert }
      t.equal(
        (await ask(posing.port, { tls: trusting, host: 'evil.test', http2 })).outcome,
        'refused',
      )
    },
  )

  t.test(`U-12 no session is resumed, and no older TLS than 1.2 is spoken: ${by}`, async (t) => {
    const { port, sockets, reused } = await startServer(t, own)
    const tls = { ca: own.cert }
    const target = open(port, { tls, http2 })
    for (let i = 0; i < 3; i++) {
      t.equal((await askOf(target)).outcome, 200)
      sockets[i]?.destroy()
      // It is heard of before the next request.
      for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve))
    }
    await target.destroy()
    t.same(reused, [false, false, false])
    const old = {
      ...own,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    } as const
    const older = await startServer(t, old)
    t.equal((await ask(older.port, { tls, http2 })).outcome, 'refused')
  })

  t.test(`a client certificate is shown where one is configured: ${by}`, async (t) => {
    const { port, sockets } = await startServer(t, { ...own, requestCert: true, ca: client.cert })
    const tls = { ca: own.cert, cert: client.cert, key: client.key }
    t.equal((await ask(port, { tls, http2 })).outcome, 200)
    t.match(sockets[0]?.getPeerCertificate().subjectaltname, /client\.test/)
    t.equal((await ask(port, { tls: { ca: own.cert }, http2 })).outcome, 'refused')
  })
}

t.test('an https target that does not choose HTTP/2 is told so', async (t) => {
  for (const ALPNProtocols of [undefined, ['http/1.1']]) {
    const server = createTlsServer(
      { ...own, ...(ALPNProtocols && { ALPNProtocols }) },
      (socket) => {
        socket.on('error', () => undefined)
      },
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    const { port } = server.address() as AddressInfo
    const { outcome, kind, detail } = await ask(port, { tls: { ca: own.cert }, http2: true })
    t.same([outcome, kind], ['refused', 'protocol'])
    t.match(detail, /does not choose HTTP\/2/)
  }
})
