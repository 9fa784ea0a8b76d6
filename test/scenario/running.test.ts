// A gateway as a process: what it listens on, how it ends, how it takes another configuration, which exit codes it has.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get as httpGet } from 'node:http'
import { get as httpsGet, type RequestOptions, request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import {
  createProcessConfig,
  type GatewayProcess,
  runCommand,
  startGatewayProcess,
} from '../support/gateway-process.ts'
import { connectRaw } from '../support/raw-connection.ts'
import { sendRaw } from '../support/raw-client.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { createSelfSigned } from '../support/self-signed.ts'
import { type ConfigParts, startGateway } from '../support/start-gateway.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const GET = 'GET /public/x HTTP/1.1\r\nHost: a\r\n\r\n'

const upstream = await startRawUpstream((socket) => socket.write(OK))
t.teardown(upstream.close)

async function start(t: Test, parts: ConfigParts) {
  const gate = await startGateway(parts)
  t.teardown(gate.stop)
  return gate
}

function startProcess(t: Test, more = ''): Promise<GatewayProcess> {
  return startGatewayProcess(t, createProcessConfig({ upstreamOrigin: upstream.origin, more }))
}

async function readyz({ adminOrigin }: { adminOrigin: string }): Promise<number> {
  return (await fetch(`${adminOrigin}/readyz`)).status
}

function makeCertificate(t: Test) {
  const { key, cert } = createSelfSigned()
  const directory = t.testdir({ 'key.pem': key, 'cert.pem': cert })
  return { cert, tls: `{cert: ${directory}/cert.pem, key: ${directory}/key.pem}` }
}

/** Status and body of a GET, with whatever options the address needs. */
function get(options: RequestOptions, by: typeof httpsGet = httpGet) {
  return new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const request = by(options, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode, body }))
    })
    request.on('error', reject)
  })
}

t.test('listens on Unix sockets, and nobody has an address there', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'poolgate-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const gate = await start(t, {
    listen: `unix:${directory}/data.sock`,
    admin: `unix:${directory}/admin.sock`,
  })
  t.equal(gate.origin, `unix:${directory}/data.sock`)
  const { status, body } = await get({ socketPath: `${directory}/data.sock`, path: '/public/x' })
  t.equal(status, 200)
  t.notHas(JSON.parse(body).headers, 'x-forwarded-for')
  t.match(gate.accessLines(), [{ client: '' }])
  const live = await get({ socketPath: `${directory}/admin.sock`, path: '/livez' })
  t.equal(live.status, 200)
})

t.test('serves TLS, says so to the upstream, and hangs up on plain HTTP', async (t) => {
  const { cert, tls } = makeCertificate(t)
  const listener = `{address: '127.0.0.1:0', tls: ${tls}}`
  const gate = await start(t, { listen: listener, admin: listener })
  const options = { ca: cert, servername: 'localhost', agent: false }
  const { status, body } = await get(
    { ...options, ...toAddress(gate.origin), path: '/public/x' },
    httpsGet,
  )
  t.equal(status, 200)
  t.match(JSON.parse(body).headers, {
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '127.0.0.1',
  })
  const live = await get({ ...options, ...toAddress(gate.adminOrigin), path: '/livez' }, httpsGet)
  t.equal(live.status, 200, 'on the admin listener too')
  t.ok((await sendRaw(gate.origin.replace('https', 'http'), GET)).closed)
  await t.rejects(get({ ...toAddress(gate.origin), agent: false }, httpsGet), 'unknown authority')
  const again = await get({ ...options, ...toAddress(gate.origin), path: '/public/x' }, httpsGet)
  t.equal(again.status, 200)
})

t.test('a TLS client that breaks off is no more than that', async (t) => {
  const { cert, tls } = makeCertificate(t)
  const gate = await start(t, {
    listen: `{address: '127.0.0.1:0', tls: ${tls}}`,
    upstreamOrigin: upstream.origin,
    more: 'timeouts: {tlsHandshake: 100ms}',
  })
  const silent = await connectRaw(gate.origin.replace('https', 'http'))
  await silent.closed()
  upstream.answer((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok'))
  const options = { ca: cert, servername: 'localhost', path: '/public/x', agent: false }
  const request = httpsRequest({ ...options, ...toAddress(gate.origin) })
  request.on('response', () => request.destroy()).on('error', () => undefined)
  request.end()
  await eventually('the line', () => gate.accessLines()[0]?.outcome === 'client_aborted')
  upstream.answer((socket) => socket.write(OK))
  t.match(await get({ ...options, ...toAddress(gate.origin) }, httpsGet), { body: 'ok' })
})

function toAddress(origin: string): { hostname: string; port: string } {
  const { hostname, port } = new URL(origin)
  return { hostname, port }
}

t.test('admin: none has no admin listener', async (t) => {
  const gate = await start(t, { admin: 'none' })
  t.equal(gate.adminOrigin, '')
  t.equal((await fetch(`${gate.origin}/public/x`)).status, 200)
})

t.test('a trusted proxy says who its client is; the next one does not', async (t) => {
  const gate = await start(t, { more: 'trustedProxies: [127.0.0.1/32]' })
  const headers = {
    'x-forwarded-for': '203.0.113.9, 198.51.100.7',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'shop.example',
    'x-auth-subject': 'root',
  }
  const seen = (await (await fetch(`${gate.origin}/public/x`, { headers })).json()) as {
    headers: Record<string, string>
  }
  t.match(seen.headers, {
    'x-forwarded-for': '203.0.113.9, 198.51.100.7, 127.0.0.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'shop.example',
  })
  t.notHas(seen.headers, 'x-auth-subject', 'identity is nobody’s but Poolgate’s')
  t.match(gate.accessLines(), [{ client: '198.51.100.7' }])
})

t.test('SIGTERM: what is under way ends, nothing new begins, exit 0', async (t) => {
  const gate = await startProcess(t)
  upstream.answer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')
    stream = socket
  })
  let stream: { write(text: string): unknown } | undefined
  const [busy, kept, idle] = await Promise.all([
    connectRaw(gate.origin),
    connectRaw(gate.origin),
    connectRaw(gate.origin),
  ])
  busy.send(GET)
  await busy.until(/hello/)
  let answer: (() => void) | undefined
  upstream.answer((socket) => {
    answer = () => socket.write(OK)
  })
  kept.send(GET)
  await eventually('the second request', () => answer)
  gate.process.kill('SIGTERM')
  await idle.closed()
  t.equal(await readyz(gate), 503)
  t.equal((await fetch(`${gate.adminOrigin}/livez`)).status, 200)
  await t.rejects(connectRaw(gate.origin), { code: 'ECONNREFUSED' })
  answer?.()
  t.match(await kept.until(/ok$/), /\r\nconnection: close\r\n/i)
  await kept.closed()
  stream?.write('world')
  await busy.until(/helloworld$/)
  await busy.closed()
  t.equal(await gate.exited, 0)
  t.match(
    gate.lines().filter((line) => 'decision' in line),
    [
      { outcome: 'complete', status: 200 },
      { outcome: 'complete', status: 200 },
    ],
  )
  upstream.answer((socket) => socket.write(OK))
})

for (const [way, more] of [
  ['the drain time', 'timeouts: {drain: 300ms}'],
  ['a second SIGTERM', 'timeouts: {drain: 1h}'],
] as const) {
  t.test(`${way} ends what would not end: 503, or a visible cut, and exit 0`, async (t) => {
    const gate = await startProcess(t, more)
    const asked = upstream.requests()
    upstream.answer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')
    })
    const begun = await connectRaw(gate.origin)
    begun.send(GET)
    await begun.until(/hello/)
    upstream.answer(() => undefined)
    const waiting = await connectRaw(gate.origin)
    waiting.send(GET)
    await eventually('both requests', () => upstream.requests() === asked + 2)
    gate.process.kill('SIGTERM')
    await eventually('draining', async () => (await readyz(gate)) === 503)
    if (way === 'a second SIGTERM') gate.process.kill('SIGTERM')
    t.match(await waiting.until(/}\n/), /^HTTP\/1\.1 503 [\s\S]*"reason":"draining"/)
    await begun.closed()
    t.match(begun.text(), /hello$/)
    t.equal(await gate.exited, 0)
    const lines = gate.lines().filter((line) => 'decision' in line)
    t.match(
      lines.sort((a, b) => Number(a.status) - Number(b.status)),
      [
        { status: 200, outcome: 'client_aborted' },
        { status: 503, outcome: 'complete', reason: 'draining' },
      ],
    )
    upstream.answer((socket) => socket.write(OK))
  })
}

t.test('SIGINT is as good as SIGTERM', async (t) => {
  const gate = await startProcess(t)
  gate.process.kill('SIGINT')
  t.equal(await gate.exited, 0)
})

t.test('SIGHUP reads the file again; a bad one changes nothing and is told', async (t) => {
  const gate = await startProcess(t)
  const isPublic = async (path: string) => (await fetch(gate.origin + path)).status === 200
  t.notOk(await isPublic('/more/x'))
  const config = createProcessConfig({ upstreamOrigin: upstream.origin })
  const more = '  - {name: more, match: {path: /more/*}, access: public, upstream: up}\n'
  for (const bad of [
    '',
    'version: 1\nlisten',
    `${config}unknown: 1\n`,
    `${config}${more}${more}`,
  ]) {
    writeFileSync(gate.file, bad)
    const told = gate.stderr().length
    gate.process.kill('SIGHUP')
    await eventually('the problem', () => gate.stderr().length > told)
    t.match(gate.stderr().slice(told), /poolgate\.yaml:\d+:\d+: /)
    t.ok(await isPublic('/public/x'))
    t.notOk(await isPublic('/more/x'))
  }
  writeFileSync(gate.file, config + more)
  gate.process.kill('SIGHUP')
  await eventually('the new route', () => isPublic('/more/x'))
  t.ok(await isPublic('/public/x'))
  gate.process.kill('SIGTERM')
  t.equal(await gate.exited, 0)
})

t.test(
  'exit 1: a bad file, an address that is taken, a certificate that is not there',
  async (t) => {
    const taken = await startProcess(t)
    const config = createProcessConfig({ upstreamOrigin: upstream.origin })
    const address = (origin: string) => new URL(origin).host
    const cases: [string, string, RegExp][] = [
      ['bad', `${config}unknown: 1\n`, /poolgate\.yaml:\d+:1: unknown/],
      ['listen', config.replace('127.0.0.1:0', address(taken.origin)), /EADDRINUSE/],
      ['admin', config.replace(/admin: .*/, `admin: ${address(taken.adminOrigin)}`), /EADDRINUSE/],
      [
        'certificate',
        config.replace(
          /listen: .*/,
          "listen: {address: '127.0.0.1:0', tls: {cert: /no, key: /no}}",
        ),
        /ENOENT/,
      ],
    ]
    for (const [what, text, told] of cases) {
      const file = join(t.testdir({ 'poolgate.yaml': text }), 'poolgate.yaml')
      const command = runCommand(t, ['serve', '--config', file])
      t.equal(await command.exited, 1, what)
      t.match(command.stderr(), told)
      t.notMatch(command.stderr(), /\n {4}at /, 'no stack trace')
    }
  },
)

t.test('exit 2: a command line that cannot be read', async (t) => {
  for (const args of [['serve'], ['serve', '--nonsense'], ['nonsense']]) {
    const command = runCommand(t, args)
    t.equal(await command.exited, 2, args.join(' '))
    t.match(command.stderr(), /^error: /)
    t.equal(command.stdout(), '')
  }
})
