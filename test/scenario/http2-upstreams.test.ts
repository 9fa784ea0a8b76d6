// HTTP/2 to peers that people run: nginx, which ends its connections every few requests, and a gRPC server.
import {
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
} from '@grpc/grpc-js'
import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { createTarget } from '../../src/upstream/target.ts'
import { eventually } from '../support/eventually.ts'
import { realClock } from '../support/real-clock.ts'
import { createRecordingSink } from '../support/recording-sink.ts'
import { createSelfSigned } from '../support/self-signed.ts'
import { startGateway } from '../support/start-gateway.ts'

const ROUTES = '\n  - {name: all, match: {path: /*}, access: public, upstream: up}\n'

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function startNginx(t: Test, scheme: 'http' | 'https') {
  const port = await findPort()
  const { cert, key } = createSelfSigned()
  const folder = t.testdir({ cert, key, html: { small: 'small', large: 'x'.repeat(3_000_000) } })
  const ssl = `ssl_certificate ${folder}/cert; ssl_certificate_key ${folder}/key;`
  // Its worker would else be somebody who may not read the files.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const config = `${user} daemon off; pid ${folder}/pid; error_log stderr crit; worker_processes 1;
    events {} http { access_log off; keepalive_requests 5; client_body_temp_path ${folder};
    proxy_temp_path ${folder}/1; fastcgi_temp_path ${folder}/2; uwsgi_temp_path ${folder}/3;
    scgi_temp_path ${folder}/4; default_type text/plain;
    server { listen 127.0.0.1:${port} ${scheme === 'https' ? 'ssl' : ''} http2;
    ${scheme === 'https' ? ssl : ''} root ${folder}/html; } }`
  writeFileSync(`${folder}/conf`, config)
  const nginx = spawn('nginx', ['-c', `${folder}/conf`, '-p', folder], { stdio: 'ignore' })
  t.teardown(() => nginx.kill('SIGTERM'))
  return { origin: `${scheme}://127.0.0.1:${port}`, ca: `${folder}/cert` }
}

const hasNginx = spawnSync('nginx', ['-v']).status === 0

for (const scheme of ['http', 'https'] as const) {
  const skip = hasNginx ? false : 'nginx is not installed'
  t.test(`nginx that ends each connection after five requests: ${scheme}`, { skip }, async (t) => {
    const { origin, ca } = await startNginx(t, scheme)
    const tls = scheme === 'https' ? `\n    tls: {ca: ${ca}}` : ''
    const up = `    http2: true\n    connections: 4${tls}`
    const running = await startGateway({ routes: ROUTES, upstreamOrigin: origin, up })
    t.teardown(running.stop)
    await eventually('nginx', async () => (await fetch(`${running.origin}/small`)).ok)
    const ask = async (path: string) => {
      const response = await fetch(running.origin + path)
      return [response.status, (await response.text()).length].join()
    }
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask('/small')))
    t.same(new Set(answers), new Set(['200,5']))
    t.same(await Promise.all([ask('/large'), ask('/large')]), ['200,3000000', '200,3000000'])
    t.equal(await ask('/none').then((answer) => answer.split(',')[0]), '404')
  })
}

t.test('a client that leaves resets the stream of its request', async (t) => {
  const codes: unknown[] = []
  const server = createHttp2Server()
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined)
    stream.on('close', () => codes.push(stream.rstCode))
    stream.respond({ ':status': 200 })
    stream.write('first')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const upstreamOrigin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const running = await startGateway({ routes: ROUTES, upstreamOrigin, up: '    http2: true' })
  t.teardown(running.stop)
  const leaving = new AbortController()
  const response = await fetch(`${running.origin}/`, { signal: leaving.signal })
  t.equal(response.status, 200)
  leaving.abort()
  await eventually('the reset', () => codes.length === 1)
  t.same(codes, [8])
})

const identity = (bytes: Buffer) => bytes
const method = (path: string, isStream: boolean) => ({
  path,
  requestStream: isStream,
  responseStream: isStream,
  requestSerialize: identity,
  requestDeserialize: identity,
  responseSerialize: identity,
  responseDeserialize: identity,
})

/** A message as gRPC frames it: not compressed, its length, itself. */
function toMessage(text: string): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(text.length, 1)
  return Buffer.concat([head, Buffer.from(text)])
}

async function startGrpc(t: Test) {
  const server = new Server()
  server.addService(
    { unary: method('/echo.Echo/Unary', false), bidi: method('/echo.Echo/Bidi', true) },
    {
      unary: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
        if (call.request.toString() === 'fail') done({ code: 5, details: 'not there' })
        else done(null, Buffer.from(`got ${call.request}`))
      },
      bidi: (call: ServerDuplexStream<Buffer, Buffer>) => {
        call.on('data', (message: Buffer) => call.write(Buffer.from(`got ${message}`)))
        call.on('end', () => call.end())
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  const times = { connectMs: 5_000, responseMs: 5_000, idleMs: 5_000, keepAliveMs: 5_000 }
  const bounds = { connections: 2, queue: 1, queueMs: 5_000, engine: 'lean' as const, http2: true }
  const target = createTarget(
    { target: `http://127.0.0.1:${port}`, ...times, ...bounds },
    realClock,
  )
  t.teardown(async () => {
    await target.destroy()
    server.forceShutdown()
  })
  return (path: string) => {
    const body = new PassThrough()
    const sink = createRecordingSink()
    const headers = ['Host', 'a.test', 'content-type', 'application/grpc']
    const request = { method: 'POST', target: path, headers, body, takesTrailers: true }
    target.dispatch(request, sink)
    return { body, sink }
  }
}

t.test('gRPC: one message each way, and a status behind', async (t) => {
  const call = await startGrpc(t)
  const good = call('/echo.Echo/Unary')
  good.body.end(toMessage('this'))
  await good.sink.done
  t.match(good.sink.heard[0], ['head', 200])
  t.match(good.sink.heard.at(-2), ['data', /got this$/])
  t.match(good.sink.heard.at(-1)?.[1], ['grpc-status', '0'])
  const bad = call('/echo.Echo/Unary')
  bad.body.end(toMessage('fail'))
  await bad.sink.done
  const said = JSON.stringify(bad.sink.heard)
  t.match(said, '"grpc-status","5"')
  t.match(said, 'not%20there')
})

t.test('gRPC: messages both ways, each answered before the next is sent', async (t) => {
  const call = await startGrpc(t)
  const { body, sink } = call('/echo.Echo/Bidi')
  for (let i = 1; i <= 3; i++) {
    body.write(toMessage(`m${i}`))
    await eventually('its answer', () => JSON.stringify(sink.heard).includes(`got m${i}`))
  }
  body.end()
  await sink.done
  t.match(sink.heard.at(-1)?.[1], ['grpc-status', '0'])
})
