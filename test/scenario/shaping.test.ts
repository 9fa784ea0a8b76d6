// What a route changes on the way: the path, header fields and the Host that its upstream gets.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { sendRaw } from '../support/raw-client.ts'
import { startGateway } from '../support/start-gateway.ts'

const gate = await startGateway({
  more: 'trustedProxies: [127.0.0.1]\nforwardedHeader: true',
  up: '    host: upstream',
  routes: `
  - name: api
    match: {path: /api/*}
    access: public
    upstream: up
    forwardToken: false
    rewrite: {stripPrefix: /api, addPrefix: /v1}
    requestHeaders: {set: {x-env: prod, authorization: Basic eDp5}, remove: [x-debug]}
    responseHeaders: {set: {x-frame-options: DENY}, remove: [server]}
  - {name: who, match: {path: /who}, access: authenticated, upstream: up, requestHeaders: {remove: [x-debug]}}`,
})
t.teardown(() => gate.stop())

async function ask(path: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${gate.origin}${path}`, { headers })
  return { answer, seen: (await answer.json()) as { url: string; rawHeaders: string[] } }
}

function valuesOf({ rawHeaders }: { rawHeaders: string[] }, name: string): string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name)
}

t.test('the upstream gets the rewritten path, and the query as it was', async (t) => {
  t.equal((await ask('/api/a%20b?x=/api')).seen.url, '/v1/a%20b?x=/api')
  t.equal((await ask('/%61pi/x')).seen.url, '/v1/x')
})

t.test('encoded tricks do not come through a rewrite', async (t) => {
  for (const path of [
    '/api/%2e%2e/x',
    '/api/..%2fx',
    '/api//x',
    '/api/%252e%252e/x',
    '/api/;/../x',
  ]) {
    const { text } = await sendRaw(
      gate.origin,
      `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    )
    t.match(text, /^HTTP\/1\.1 400 [\s\S]*target_ambiguous/, path)
  }
})

t.test('header fields are set and removed in every spelling', async (t) => {
  const { seen, answer } = await ask('/api/x', {
    'X-Env': 'dev',
    'X.Debug': '1',
    authorization: 'Bearer x',
  })
  t.same(valuesOf(seen, 'x-env'), ['prod'])
  t.same(valuesOf(seen, 'authorization'), ['Basic eDp5'])
  t.same(valuesOf(seen, 'x.debug'), [])
  t.equal(answer.headers.get('x-frame-options'), 'DENY')
})

t.test('H-01: with fields removed, identity still is Poolgate’s alone', async (t) => {
  const authorization = `Bearer ${gate.issuer.access()}`
  const { seen } = await ask('/who', { authorization, 'X-Auth-Subject': 'root', 'x-debug': '1' })
  t.equal(valuesOf(seen, 'x-auth-subject').length, 1)
  t.notOk(seen.rawHeaders.includes('root'))
  t.same(valuesOf(seen, 'x-debug'), [])
})

t.test('an upstream may get its own name, and still learns the client’s', async (t) => {
  const { seen } = await ask('/api/x')
  t.same(valuesOf(seen, 'host'), [new URL(gate.upstream.origin).host])
  t.same(valuesOf(seen, 'x-forwarded-host'), [new URL(gate.origin).host])
})

t.test('the id that a trusted proxy gave is kept, where it can stand in a log', async (t) => {
  const kept = `a.B_1:/+=-${'x'.repeat(118)}`
  t.same(valuesOf((await ask('/api/x', { 'x-request-id': kept })).seen, 'x-request-id'), [kept])
  for (const id of [`${kept}x`, 'a"b', 'a b'])
    t.not(valuesOf((await ask('/api/x', { 'x-request-id': id })).seen, 'x-request-id')[0], id)
  const denied = await ask('/who', { 'x-request-id': 'id-7' })
  t.equal(denied.answer.headers.get('x-request-id'), 'id-7')
})

t.test('Forwarded has what a trusted proxy said, then what was seen here', async (t) => {
  const { seen } = await ask('/api/x', { forwarded: 'for=198.51.100.7' })
  const { host } = new URL(gate.origin)
  const own = `for=127.0.0.1;host="${host}";proto=http`
  t.same(valuesOf(seen, 'forwarded'), [`for=198.51.100.7, ${own}`])
})

t.test('trace context goes through untouched', async (t) => {
  const fields = {
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    tracestate: 'x=1',
    baggage: 'a=b',
  }
  const { seen } = await ask('/api/x', fields)
  for (const [name, value] of Object.entries(fields)) t.same(valuesOf(seen, name), [value])
})

t.test('an upgrade goes to the rewritten path, with the same changes both ways', async (t) => {
  const server = createServer()
  const sockets = new WebSocketServer({ server })
  sockets.on('headers', (headers) => headers.push('Server: secret'))
  const asked = new Promise<IncomingMessage>((resolve) => {
    sockets.on('connection', (_, request) => resolve(request))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const chat = await startGateway({
    upstreamOrigin: `http://127.0.0.1:${port}`,
    up: '    host: upstream',
    routes: `
  - name: chat
    match: {path: /api/*}
    access: public
    upstream: up
    upgrades: [websocket]
    rewrite: {stripPrefix: /api}
    requestHeaders: {set: {x-env: prod}, remove: [x-debug]}
    responseHeaders: {set: {x-frame-options: DENY}, remove: [server]}`,
  })
  t.teardown(async () => {
    await chat.stop()
    server.close()
    server.closeAllConnections()
  })
  const headers = { 'x-debug': '1' }
  const socket = new WebSocket(`${chat.origin.replace('http', 'ws')}/api/chat?x=1`, { headers })
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    socket.on('upgrade', resolve).on('error', reject)
  })
  const request = await asked
  socket.terminate()
  t.equal(request.url, '/chat?x=1')
  t.match(request.headers, { host: `127.0.0.1:${port}`, 'x-env': 'prod' })
  t.notOk('x-debug' in request.headers)
  t.equal(answer.headers['x-frame-options'], 'DENY')
  t.notOk('server' in answer.headers)
})

t.test('behind a unix socket, the name of its own is localhost', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'poolgate-'))
  const path = join(folder, 's')
  const server = createServer(({ headers }, response) => response.end(headers.host))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const local = await startGateway({ upstreamOrigin: `unix:${path}`, up: '    host: upstream' })
  t.teardown(async () => {
    await local.stop()
    server.close()
    rmSync(folder, { recursive: true })
  })
  t.equal(await (await fetch(`${local.origin}/public/x`)).text(), 'localhost')
})

t.test('a circle ends where it began', async (t) => {
  const front = createServer((request, response) => {
    // The route of a service that leads back to the gateway it stands behind.
    const via = String(request.headers.via)
    fetch(`${circle.origin}/public/x`, { headers: { via } }).then(
      async (answer) => response.writeHead(answer.status).end(await answer.text()),
      () => response.destroy(),
    )
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  const { port } = front.address() as AddressInfo
  const more = 'loopGuard: true'
  const circle = await startGateway({ more, upstreamOrigin: `http://127.0.0.1:${port}` })
  t.teardown(async () => {
    await circle.stop()
    front.close()
    front.closeAllConnections()
  })
  const answer = await fetch(`${circle.origin}/public/x`)
  t.equal(answer.status, 508)
  t.match(await answer.json(), { error: 'loop_detected', reason: 'loop_detected' })
  t.same(
    circle.accessLines().map(({ status, decision }) => [status, decision]),
    [
      [508, 'deny'],
      [508, 'allow'],
      [508, 'allow'],
    ],
  )
})
