// A document is read from a good server; everything else that a server can do is a failure with a name.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { fetchJson } from '../../src/base/fetch-json.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { realClock } from '../support/real-clock.ts'
import { createSelfSigned } from '../support/self-signed.ts'

const MAX_BYTES = 64 * 1024

/** Sockets are real here, so the deadline is too; it is far off wherever it is not what a test is about. */
function fetch(url: string, deadlineMs = 10_000) {
  return fetchJson(url, { clock: realClock, deadlineMs, maxBytes: MAX_BYTES })
}

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
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
}

/** A server that says exactly `bytes` to whoever connects, and then keeps quiet or hangs up. */
async function serveBytes(t: Test, bytes: string, then: 'hang' | 'end' | 'reset'): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write(bytes, () => {
        if (then === 'end') socket.end()
        if (then === 'reset') socket.resetAndDestroy()
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
}

t.test('a 200 with JSON gives the parsed value, whatever its Content-Type', async (t) => {
  for (const type of ['application/json', 'text/html', undefined]) {
    const url = await serve(t, (_request, response) => {
      if (type) response.setHeader('content-type', type)
      response.end('{"keys":[1,"é"]}')
    })
    t.same(await fetch(url), { ok: true, value: { keys: [1, 'é'] } })
  }
})

t.test('the request is a GET for path and query that asks for no encoding', async (t) => {
  let seen: Partial<IncomingMessage> = {}
  const url = await serve(t, (request, response) => {
    seen = request
    response.end('null')
  })
  t.same(await fetch(`${url}?a=b%20c#fragment`), { ok: true, value: null })
  t.equal(seen.method, 'GET')
  t.equal(seen.url, '/keys?a=b%20c')
  t.match(seen.headers, { 'accept-encoding': 'identity', accept: 'application/json' })
})

t.test('each call has a connection of its own and closes it', async (t) => {
  const closed: Promise<unknown>[] = []
  const url = await serve(t, (request, response) => {
    closed.push(new Promise((resolve) => request.socket.once('close', resolve)))
    response.end('{}')
  })
  await fetch(url)
  await fetch(url)
  t.equal(closed.length, 2)
  await Promise.all(closed)
})

t.test('URLs that are not plain http or https are refused unasked', async (t) => {
  const urls = [
    '',
    'keys.json',
    'file:///etc/passwd',
    'ftp://127.0.0.1/',
    'data:application/json,1',
  ]
  for (const url of [...urls, 'http://user@127.0.0.1/', 'https://:secret@127.0.0.1/']) {
    const result = await fetch(url)
    t.match(result, { ok: false, message: /^not an http or https URL/ }, url)
    t.notMatch(JSON.stringify(result), 'secret')
  }
})

t.test('nobody listening: unreachable', async (t) => {
  const free = createTcpServer()
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve))
  const { port } = free.address() as AddressInfo
  await new Promise((resolve) => free.close(resolve))
  t.match(await fetch(`http://127.0.0.1:${port}/`), { ok: false, message: /ECONNREFUSED/ })
})

t.test('a server that hangs up without a word is a protocol failure', async (t) => {
  const url = await serveBytes(t, '', 'end')
  t.match(await fetch(url), { ok: false, message: /UND_ERR_SOCKET/ })
})

t.test('a connection that ends inside the body is a failure', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{"keys":'
  t.match(await fetch(await serveBytes(t, head, 'end')), { ok: false, message: /UND_ERR_SOCKET/ })
  const reset = await fetch(await serveBytes(t, head, 'reset'))
  t.equal(reset.ok, false)
  t.match(reset, { message: /ECONNRESET|UND_ERR_SOCKET/ })
})

t.test('a complete document without its last chunk is not taken', async (t) => {
  const bytes = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n'
  t.match(await fetch(await serveBytes(t, bytes, 'end')), { ok: false, message: /UND_ERR_SOCKET/ })
  t.same(await fetch(await serveBytes(t, `${bytes}0\r\n\r\n`, 'end')), { ok: true, value: {} })
})

t.test('what is not HTTP is a protocol failure', async (t) => {
  for (const bytes of [
    'SSH-2.0-x\r\n',
    'HTTP/1.1 abc\r\n\r\n',
    'HTTP/1.1 200 OK\r\nx y: z\r\n\r\n',
  ]) {
    t.match(
      await fetch(await serveBytes(t, bytes, 'end')),
      { ok: false, message: /does not match the HTTP\/1\.1 protocol/ },
      bytes,
    )
  }
})

t.test('header fields beyond 16 KiB are a protocol failure', async (t) => {
  const url = await serve(t, (_request, response) => {
    response.setHeader('x-long', 'x'.repeat(17 * 1024))
    response.end('{}')
  })
  t.match(await fetch(url), { ok: false, message: /UND_ERR_HEADERS_OVERFLOW/ })
})

t.test('the deadline holds for silence before the answer and inside the body', async (t) => {
  const silent = await serveBytes(t, '', 'hang')
  t.match(await fetch(silent, 200), { ok: false, message: /^no answer in \d+ ms$/ })
  const stalled = await serveBytes(t, 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{', 'hang')
  t.match(await fetch(stalled, 200), { ok: false, message: /^no answer in \d+ ms$/ })
})

t.test('the deadline is overall: one byte at a time does not push it back', async (t) => {
  const url = await serve(t, (_request, response) => {
    response.write('[')
    const drip = setInterval(() => response.write(' '), 20)
    response.once('close', () => clearInterval(drip))
  })
  t.match(await fetch(url, 300), { ok: false, message: 'no answer in 300 ms' })
})

t.test('the deadline is the given clock’s', async (t) => {
  const clock = createFakeClock()
  const arrived = Promise.withResolvers<void>()
  const url = await serve(t, () => arrived.resolve())
  const result = fetchJson(url, { clock, deadlineMs: 5000, maxBytes: 10 })
  await arrived.promise
  await clock.advance(4999)
  t.equal(clock.pending(), 1)
  await clock.advance(1)
  t.match(await result, { ok: false, message: /^no answer in \d+ ms$/ })
})

t.test('no timer stays behind', async (t) => {
  const clock = createFakeClock()
  const url = await serve(t, (_request, response) => response.end('1'))
  await fetchJson(url, { clock, deadlineMs: 5000, maxBytes: 10 })
  t.equal(clock.pending(), 0)
})

t.test('a body of exactly the cap is read and one byte more is not', async (t) => {
  const body = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`
  const urlOf = (bytes: number) => serve(t, (_request, response) => response.end(body(bytes)))
  t.match(await fetch(await urlOf(MAX_BYTES)), { ok: true })
  t.match(await fetch(await urlOf(MAX_BYTES + 1)), {
    ok: false,
    message: /^answered with more than \d+ bytes$/,
  })
})

t.test('10 MB and an endless body are cut off at the cap', async (t) => {
  const large = await serve(t, (_request, response) => response.end(Buffer.alloc(10_000_000, ' ')))
  t.match(await fetch(large), { ok: false, message: /^answered with more than \d+ bytes$/ })
  let sent = 0
  const endless = await serve(t, (_request, response) => {
    const fill = (): void => {
      sent += 16 * 1024
      if (!response.destroyed)
        response.write(Buffer.alloc(16 * 1024, ' '), () => setImmediate(fill))
    }
    fill()
  })
  t.match(await fetch(endless), { ok: false, message: /^answered with more than \d+ bytes$/ })
  t.ok(sent < 50_000_000, `${sent} bytes left the server`)
})

t.test('any Content-Encoding is refused', async (t) => {
  for (const encoding of ['gzip', 'br', 'identity']) {
    const url = await serve(t, (_request, response) => {
      response.setHeader('content-encoding', encoding)
      response.end(encoding === 'gzip' ? gzipSync('{}') : '{}')
    })
    t.match(
      await fetch(url),
      { ok: false, message: /^answered with a Content-Encoding$/ },
      encoding,
    )
  }
})

t.test('only 200 will do, and a redirect is not followed', async (t) => {
  let visits = 0
  const target = await serve(t, (_request, response) => {
    visits++
    response.end('{}')
  })
  for (const status of [201, 204, 301, 302, 303, 307, 308, 304, 401, 404, 500, 503]) {
    const url = await serve(t, (_request, response) => {
      response.writeHead(status, { location: target }).end(status === 204 ? undefined : '{}')
    })
    t.match(await fetch(url), { ok: false, message: `answered ${status}, not 200` }, `${status}`)
  }
  t.equal(visits, 0)
})

t.test('a body that is not JSON in UTF-8 is refused', async (t) => {
  const bodies = ['', '<!doctype html>', '{"keys":', '{} {}', Buffer.from([0x22, 0xff, 0x22])]
  for (const body of bodies) {
    const url = await serve(t, (_request, response) => response.end(body))
    t.match(
      await fetch(url),
      { ok: false, message: /^answered with something that is not JSON$/ },
      String(body),
    )
  }
})

t.test('no message repeats what the server sent', async (t) => {
  const url = await serve(t, (_request, response) => response.end('client_secret=hunter2'))
  t.notMatch(JSON.stringify(await fetch(url)), 'hunter2')
})

t.test('a certificate that nobody vouches for is refused', async (t) => {
  const server = createTlsServer(createSelfSigned(), (_request, response) => response.end('{}'))
  let requests = 0
  server.on('request', () => requests++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const result = await fetch(`https://localhost:${port}/`)
  t.match(result, { ok: false, message: /self.signed/i })
  t.equal(requests, 0)
})

t.test('a server without TLS behind an https URL is refused', async (t) => {
  const url = await serve(t, (_request, response) => response.end('{}'))
  t.match(await fetch(url.replace('http:', 'https:')), { ok: false, message: /SSL|TLS|EPROTO/ })
})
