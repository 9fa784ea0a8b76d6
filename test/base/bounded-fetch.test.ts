// fetch for a library: one question, one answer within its bounds, and a rejection for everything else.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createBoundedFetch } from '../../src/base/bounded-fetch.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { realClock } from '../support/real-clock.ts'
import { createSelfSigned } from '../support/self-signed.ts'

const MAX_BYTES = 64 * 1024
const POST = { method: 'POST', headers: { accept: 'application/json' } } as const

const fetch = createBoundedFetch({ clock: realClock, deadlineMs: 10_000, maxBytes: MAX_BYTES })

async function serve(
  t: Test,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?a=b`
}

t.test('method, target, fields and body go out; status, fields and body come back', async (t) => {
  const url = await serve(t, async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const { method, headers } = request
    response.writeHead(400, { 'content-type': 'application/json', 'x-two': ['a', 'b'] })
    response.end(JSON.stringify({ method, url: request.url, text, headers }))
  })
  const response = await fetch(url, { ...POST, body: new URLSearchParams({ code: 'a b' }) })
  t.equal(response.status, 400)
  t.equal(response.headers.get('content-type'), 'application/json')
  t.equal(response.headers.get('x-two'), 'a, b')
  t.match(await response.json(), {
    method: 'POST',
    url: '/token?a=b',
    text: 'code=a+b',
    headers: { accept: 'application/json', 'accept-encoding': 'identity' },
  })
})

t.test('a body may be missing, both ways', async (t) => {
  for (const status of [200, 204, 304]) {
    const url = await serve(t, (request, response) => {
      t.equal(request.headers['content-length'], undefined)
      response.writeHead(status).end()
    })
    const response = await fetch(url, { ...POST, method: 'GET' })
    t.equal(response.status, status)
    t.equal(await response.text(), '')
  }
})

t.test('a redirect is an answer, and not followed', async (t) => {
  let visits = 0
  const url = await serve(t, (_request, response) => {
    visits++
    response.writeHead(307, { location: '/elsewhere' }).end()
  })
  t.equal((await fetch(url, POST)).status, 307)
  t.equal(visits, 1)
})

t.test('64 KiB are read, one byte more is not, and nothing that is encoded', async (t) => {
  const ofBytes = (bytes: number) =>
    serve(t, (_request, response) => response.end(Buffer.alloc(bytes)))
  t.equal((await (await fetch(await ofBytes(MAX_BYTES), POST)).arrayBuffer()).byteLength, MAX_BYTES)
  await t.rejects(fetch(await ofBytes(MAX_BYTES + 1), POST), { message: /more than 65536 bytes/ })
  const encoded = await serve(t, (_request, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(),
  )
  await t.rejects(fetch(encoded, POST), { message: /Content-Encoding/ })
})

t.test('the deadline is the given clock’s, and holds inside the body', async (t) => {
  const clock = createFakeClock()
  const timed = createBoundedFetch({ clock, deadlineMs: 5_000, maxBytes: 10 })
  const arrived = Promise.withResolvers<void>()
  const url = await serve(t, (_request, response) => {
    response.writeHead(200).write('x')
    arrived.resolve()
  })
  const answer = timed(url, POST)
  await arrived.promise
  await clock.advance(4_999)
  t.equal(clock.pending(), 1)
  await Promise.all([t.rejects(answer, { message: 'no answer in 5000 ms' }), clock.advance(1)])
  t.equal(clock.pending(), 0)
})

t.test('each question has a connection of its own', async (t) => {
  const ports = new Set<number | undefined>()
  const url = await serve(t, (request, response) => {
    ports.add(request.socket.remotePort)
    response.end()
  })
  await fetch(url, POST)
  await fetch(url, POST)
  t.equal(ports.size, 2)
})

t.test('a certificate that nobody vouches for is refused before anything is said', async (t) => {
  let requests = 0
  const server = createTlsServer(createSelfSigned(), () => requests++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  await t.rejects(fetch(`https://localhost:${port}/`, POST), { message: /self.signed/i })
  t.equal(requests, 0)
})

t.test('another kind of URL, or one with a password in it, is not asked', async (t) => {
  for (const url of ['', 'file:///etc/passwd', 'https://user:secret@127.0.0.1/']) {
    await t.rejects(fetch(url, POST), { message: /^not an http or https URL/ }, url)
  }
})
