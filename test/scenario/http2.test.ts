// HTTP/2 from clients through a whole gateway: the same decisions, both bodies at once, and no end that looks whole and is not.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { sendRaw } from '../support/raw-client.ts'
import { createSelfSigned } from '../support/self-signed.ts'
import { startGateway } from '../support/start-gateway.ts'

const H2C = '{address: "127.0.0.1:0", http2: true}'

async function start(t: Test, parts: Parameters<typeof startGateway>[0] = {}) {
  const gate = await startGateway({ listen: H2C, ...parts })
  t.teardown(() => gate.stop())
  return gate
}

function open(t: Test, origin: string, options = {}): ClientHttp2Session {
  const session = connect(origin, options)
  session.on('error', () => undefined)
  t.teardown(() => session.destroy())
  return session
}

interface Answer {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly trailers: Record<string, unknown>
  readonly body: string
  readonly end: 'whole' | number
}

async function ask(
  session: ClientHttp2Session,
  fields: OutgoingHttpHeaders,
  body?: string,
): Promise<Answer> {
  const stream = session.request(fields, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  let headers: Record<string, unknown> = {}
  let trailers: Record<string, unknown> = {}
  const chunks: Buffer[] = []
  stream.on('response', (got) => {
    headers = got
  })
  stream.on('trailers', (got) => {
    trailers = got
  })
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('error', () => undefined)
  await new Promise((resolve) => stream.on('close', resolve))
  const end = stream.rstCode === 0 ? 'whole' : stream.rstCode
  return {
    status: Number(headers[':status'] ?? 0),
    headers,
    trailers,
    body: Buffer.concat(chunks).toString(),
    end,
  }
}

t.test('many requests share a connection, and each is decided on its own', async (t) => {
  const gate = await start(t)
  const session = open(t, gate.origin)
  const authorization = `Bearer ${gate.issuer.access({ 'cognito:groups': ['admins'] })}`
  const [open1, none, api, admin, missing, posted] = await Promise.all([
    ask(session, { ':path': '/public/a?b=1' }),
    ask(session, { ':path': '/api/a' }),
    ask(session, { ':path': '/api/a', authorization }),
    ask(session, { ':path': '/admin/a', authorization: `Bearer ${gate.issuer.access()}` }),
    ask(session, { ':path': '/nowhere' }),
    ask(session, { ':path': '/admin/a', ':method': 'POST', authorization }, 'hello'),
  ])
  t.same(
    [open1, none, api, admin, missing, posted].map(({ status, end }) => [status, end]),
    [200, 401, 200, 403, 404, 200].map((status) => [status, 'whole']),
  )
  t.match(JSON.parse(none?.body ?? ''), { reason: 'credential_missing' })
  t.match(none?.headers, { 'www-authenticate': 'Bearer realm="poolgate"' })
  const seen = gate.upstream.received.find(({ method }) => method === 'POST')
  t.match(seen, { url: '/admin/a', body: 'hello' })
  t.match(seen?.headers, { 'x-auth-groups': 'admins', 'transfer-encoding': 'chunked' })
  t.equal(seen?.headers.host, new URL(gate.origin).host)
})

t.test('HTTP/1.1 goes on beside it, on the same port, byte by byte too', async (t) => {
  const gate = await start(t)
  const get = 'GET /public/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  t.same((await sendRaw(gate.origin, get)).statuses, [200])
  const post =
    'POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi'
  const socket = connectTcp(Number(new URL(gate.origin).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString()
  })
  for (const byte of post) {
    socket.write(byte)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await once(socket, 'close')
  t.match(text, /^HTTP\/1\.1 200 /)
  t.equal(gate.upstream.received.at(-1)?.body, 'hi')
  const almost = await sendRaw(gate.origin, 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n')
  t.same(almost.statuses, [400])
  const { origin } = await start(t, { listen: '127.0.0.1:0' })
  t.same((await sendRaw(origin, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).statuses, [400], 'S-12: off')
})

t.test('with TLS it is chosen by ALPN, unless it is off', async (t) => {
  const { cert, key } = createSelfSigned()
  const files = { cert: join(t.testdir(), 'cert.pem'), key: join(t.testdir(), 'key.pem') }
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, key)
  const tls = `tls: ${JSON.stringify(files)}`
  const gate = await start(t, { listen: `{address: "127.0.0.1:0", ${tls}}` })
  const session = open(t, gate.origin, { ca: cert })
  const { status, end } = await ask(session, { ':path': '/public/x' })
  t.same([status, end], [200, 'whole'])
  t.match(gate.upstream.received.at(-1)?.headers, { 'x-forwarded-proto': 'https' })
  const chosen = async (origin: string, ALPNProtocols: string[]) => {
    const { port } = new URL(origin)
    const socket = connectTls({ port: Number(port), host: '127.0.0.1', ca: cert, ALPNProtocols })
    await once(socket, 'secureConnect')
    socket.destroy()
    return socket.alpnProtocol
  }
  t.equal(await chosen(gate.origin, ['h2', 'http/1.1']), 'h2')
  t.equal(await chosen(gate.origin, ['http/1.1']), 'http/1.1')
  const off = await start(t, { listen: `{address: "127.0.0.1:0", http2: false, ${tls}}` })
  t.equal(await chosen(off.origin, ['h2', 'http/1.1']), 'http/1.1')
})

t.test('a response that breaks is a stream that breaks, and others go on', async (t) => {
  const gate = await start(t)
  gate.upstream.handle((request, response) => {
    if (request.url !== '/public/broken') return void response.end('whole')
    response.write('part', () => response.destroy())
  })
  const session = open(t, gate.origin)
  const [broken, whole] = await Promise.all([
    ask(session, { ':path': '/public/broken' }),
    ask(session, { ':path': '/public/fine' }),
  ])
  t.equal(broken?.end, constants.NGHTTP2_INTERNAL_ERROR)
  t.same([whole?.body, whole?.end], ['whole', 'whole'])
  const isBroken = ({ path }: Record<string, unknown>) => path === '/public/broken'
  const line = await eventually('its line', () => gate.accessLines().find(isBroken))
  t.match(line, { outcome: 'upstream_truncated' })
})

t.test('who leaves resets its stream, and the upstream is let go of', async (t) => {
  const gate = await start(t)
  const isAborted = Promise.withResolvers<void>()
  gate.upstream.handle((_, response) => {
    response.on('close', () => isAborted.resolve())
    response.write('data')
  })
  const stream = open(t, gate.origin).request({ ':path': '/public/x' })
  stream.on('error', () => undefined)
  await once(stream, 'data')
  stream.close(constants.NGHTTP2_CANCEL)
  await isAborted.promise
  const line = await eventually('its line', () => gate.accessLines()[0])
  t.match(line, { outcome: 'client_aborted', status: 200 })
})

t.test('a request that is answered early is reset behind its answer', async (t) => {
  const gate = await start(t)
  const stream = open(t, gate.origin).request({ ':path': '/api/x', ':method': 'POST' })
  stream.on('error', () => undefined)
  stream.write('x'.repeat(30_000))
  const [headers] = await once(stream, 'response')
  stream.resume()
  await once(stream, 'close')
  t.equal(headers[':status'], 401)
  t.equal(stream.rstCode, constants.NGHTTP2_NO_ERROR)
  t.equal(gate.upstream.received.length, 0)
})

t.test('a stop says so, and lets what is under way end', async (t) => {
  const gate = await startGateway({ listen: H2C })
  const isSeen = Promise.withResolvers<void>()
  const isFree = Promise.withResolvers<void>()
  gate.upstream.handle((_, response) => {
    isSeen.resolve()
    void isFree.promise.then(() => response.end('late'))
  })
  const session = open(t, gate.origin)
  const idle = open(t, gate.origin)
  await once(idle, 'connect')
  const answer = ask(session, { ':path': '/public/x' })
  await isSeen.promise
  const goneAway = once(session, 'goaway')
  const stopped = gate.gateway.stop()
  t.equal((await goneAway)[0], constants.NGHTTP2_NO_ERROR)
  isFree.resolve()
  t.match(await answer, { status: 200, body: 'late', end: 'whole' })
  await stopped
  await gate.stop()
})

t.test('a connection has so many requests, and then another one is needed', async (t) => {
  const gate = await start(t, { more: 'limits: {requestsPerConnection: 2}' })
  const session = open(t, gate.origin)
  const goneAway = once(session, 'goaway')
  t.equal((await ask(session, { ':path': '/public/1' })).status, 200)
  t.equal((await ask(session, { ':path': '/public/2' })).status, 200)
  t.equal((await goneAway)[0], constants.NGHTTP2_NO_ERROR)
  await once(session, 'close')
})

t.test('what moves nothing is ended', async (t) => {
  const gate = await start(t, {
    more: 'timeouts: {idle: 100ms, headers: 150ms, keepAlive: 200ms, checkInterval: 50ms}',
  })
  const silent = open(t, gate.origin)
  await once(silent, 'close')
  const post = open(t, gate.origin).request({ ':path': '/public/x', ':method': 'POST' })
  post.on('error', () => undefined)
  post.write('a')
  const [headers] = await once(post, 'response')
  t.equal(headers[':status'], 408)
  const session = open(t, gate.origin)
  t.equal((await ask(session, { ':path': '/public/x' })).status, 200)
  await once(session, 'close')
})

t.test('events end cleanly with their token', async (t) => {
  const gate = await start(t, {
    routes: '\n  - {name: e, match: {path: /e}, access: authenticated, upstream: up}',
  })
  gate.upstream.handle((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
  })
  const exp = Math.ceil((Date.now() + 300) / 1000)
  const authorization = `Bearer ${gate.issuer.access({ exp })}`
  const answer = await ask(open(t, gate.origin), { ':path': '/e', authorization })
  t.match(answer, { status: 200, body: 'data: 1\n\n', end: 'whole' })
})

t.test('trailers of an upstream reach the client', async (t) => {
  const gate = await start(t)
  gate.upstream.handle((_, response) => {
    response.writeHead(200, { trailer: 'x-sum' })
    response.write('a')
    response.addTrailers({ 'x-sum': '1' })
    response.end()
  })
  const answer = await ask(open(t, gate.origin), { ':path': '/public/x' })
  t.match(answer, { body: 'a', trailers: { 'x-sum': '1' }, end: 'whole' })
})

t.test('trailers of a request reach an upstream that speaks HTTP/2', async (t) => {
  const upstream = createServer()
  const got = Promise.withResolvers<unknown>()
  upstream.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('trailers', (fields) => got.resolve(Object.entries(fields)))
    stream.on('end', () => {
      stream.respond({ ':status': 200 })
      stream.end()
    })
    stream.resume()
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  t.teardown(() => upstream.close())
  const { port } = upstream.address() as AddressInfo
  const gate = await start(t, { upstreamOrigin: `http://127.0.0.1:${port}`, up: '    http2: true' })
  const session = open(t, gate.origin)
  const path = { ':path': '/public/x', ':method': 'POST' }
  const stream = session.request(path, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1', 'x-auth-groups': 'admins' }))
  stream.resume().end('body')
  t.strictSame(await got.promise, [['x-sum', '1']])
  await once(stream, 'close')
})

const run = promisify(execFile)

function versionOf(program: string): Promise<string> {
  return run(program, ['--version']).then(
    ({ stdout }) => stdout,
    () => '',
  )
}

const hasCurl = await versionOf('curl').then((text) => text.includes('HTTP2'))
const withCurl = hasCurl ? {} : { skip: 'curl with HTTP/2 is not on PATH' }

t.test('curl speaks it with both', withCurl, async (t) => {
  const gate = await start(t)
  const format = ['-s', '-o', '/dev/null', '-w', '%{http_version} %{http_code}']
  const url = `${gate.origin}/public/x`
  t.equal((await run('curl', [...format, '--http2-prior-knowledge', url])).stdout, '2 200')
  t.equal((await run('curl', [...format, url])).stdout, '1.1 200')
  t.notMatch((await run('curl', [...format, '--http2', url])).stdout, /^2 /, 'no h2c upgrade')
})

const hasH2load = (await versionOf('h2load')) !== ''
const withH2load = hasH2load ? {} : { skip: 'h2load is not on PATH' }

t.test('h2load asks a thousand times over four connections', withH2load, async (t) => {
  const gate = await start(t)
  const load = ['-n', '1000', '-c', '4', '-m', '32', `${gate.origin}/public/x`]
  t.match((await run('h2load', load)).stdout, /1000 succeeded, 0 failed, 0 errored/)
})

for (const http2 of [false, true]) {
  t.test(
    `what an upstream of HTTP/${http2 ? 2 : 1} says and HTTP/2 cannot ends its own response alone`,
    async (t) => {
      const answers: Record<string, (stream: ServerHttp2Stream) => void> = {
        '/public/twice': (stream) => {
          stream.respond(
            [
              'etag',
              'a',
              'etag',
              'b',
              'x-content-type-options',
              'nosniff',
              'x-content-type-options',
              'nosniff',
            ] as never,
            { endStream: true },
          )
        },
        '/public/trailers': (stream) => {
          stream.respond({}, { waitForTrailers: true })
          stream.on('wantTrailers', () =>
            stream.sendTrailers({ ['constructor' as string]: 'x', etag: ['a', 'b'] as never }),
          )
          stream.end('x')
        },
        '/public/fine': (stream) => stream.respond({}, { endStream: true }),
      }
      const texts: Record<string, string> = {
        '/public/twice':
          'HTTP/1.1 200 OK\r\nETag: a\r\nETag: b\r\nX-Content-Type-Options: nosniff\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 0\r\n\r\n',
        '/public/999': 'HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n',
        '/public/999-body':
          'HTTP/1.1 999 No\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
        '/public/trailers':
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nconstructor: x\r\nETag: a\r\nETag: b\r\n\r\n',
        '/public/fine': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      }
      const raw = await startRawUpstream((socket, head) => {
        socket.write(texts[head.split(' ')[1] ?? ''] ?? '')
      })
      const server = createServer({ strictSingleValueFields: false })
      server.on('stream', (stream, headers) =>
        answers[String(headers[':path'])]?.(stream as ServerHttp2Stream),
      )
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      t.teardown(async () => {
        await raw.close()
        server.close()
      })
      const gate = await start(t, {
        upstreamOrigin: http2 ? `http://127.0.0.1:${port}` : raw.origin,
        up: `    http2: ${http2}`,
      })
      const session = open(t, gate.origin)
      for (const path of Object.keys(http2 ? answers : texts)) {
        const answer = await ask(session, { ':path': path })
        const isSayable = !path.includes('999')
        t.equal(answer.end === 'whole' && answer.status === 200, isSayable, path)
        t.equal(
          (await ask(session, { ':path': '/public/fine' })).status,
          200,
          'and the next is answered',
        )
      }
    },
  )
}

t.test('a client that half-closes its connection is gone', async (t) => {
  const upstream = await startRawUpstream(() => undefined)
  t.teardown(upstream.close)
  const gate = await start(t, { upstreamOrigin: upstream.origin })
  const { port } = new URL(gate.origin)
  const socket = connectTcp({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true })
  socket.on('error', () => undefined)
  const session = connect(gate.origin, { createConnection: () => socket })
  session.on('error', () => undefined)
  const stream = session.request({ ':path': '/public/hang' })
  stream.on('error', () => undefined)
  await eventually('the request to be at the upstream', () => upstream.requests() === 1)
  socket.end()
  await eventually('it to be let go of', () => upstream.open() === 0)
  session.destroy()
})
