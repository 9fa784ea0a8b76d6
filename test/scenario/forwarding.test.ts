// What goes through the gateway is what was sent, both ways, but for what ends at a hop and what only Poolgate may say.
import { request as httpRequest } from 'node:http'
import { gunzipSync, gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { connectRaw } from '../support/raw-connection.ts'
import { sendRaw } from '../support/raw-client.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { startGateway } from '../support/start-gateway.ts'

const upstream = await startRawUpstream()
const gate = await startGateway()
const raw = await startGateway({
  upstreamOrigin: upstream.origin,
  routes: `
  - {name: open, match: {path: /public/*}, access: public, upstream: up}
  - {name: api, match: {path: /api/*}, access: authenticated, upstream: up, forwardToken: false}
  - {name: small, match: {path: /small/*}, access: public, upstream: up, maxBody: 1KiB}`,
})
t.teardown(async () => {
  await Promise.all([gate.stop(), raw.stop()])
  await upstream.close()
})

/** What the gateway makes of `answer`, for one request on a connection of its own; `seen` is what the upstream got. */
async function relay(answer: string, request = 'GET /public/x HTTP/1.1\r\nHost: a\r\n\r\n') {
  let seen = ''
  upstream.answer((socket, head) => {
    seen = head
    socket.end(answer, 'latin1')
  })
  const isWhole = (text: string) =>
    /\r\n0\r\n[\s\S]*\r\n$/.test(text) || /content-length: (\d+)[\s\S]*\r\n\r\n/i.test(text)
  const { text } = await sendRaw(raw.origin, request, { until: isWhole, quietMs: 300 })
  return { text, seen, lines: text.split('\r\n') }
}

function fieldsOf(head: string, name: string): string[] {
  const lines = head.split('\r\n').slice(1)
  return lines.filter((line) => line.toLowerCase().startsWith(`${name}:`))
}

t.test('every method goes through, with its body', async (t) => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY']) {
    const body = method === 'GET' ? null : `body of ${method}`
    const answer = await fetch(`${gate.origin}/public/x`, { method, body })
    t.equal(answer.status, 200, method)
    t.match(await answer.json(), { method, body: body ?? '' })
  }
})

t.test('HEAD is answered with the header fields of GET and no body', async (t) => {
  gate.upstream.answer((_, response) => response.setHeader('content-length', '1000').end())
  const { text } = await sendRaw(gate.origin, 'HEAD /public/x HTTP/1.1\r\nHost: a\r\n\r\n', {
    quietMs: 150,
  })
  gate.upstream.answer(undefined)
  t.match(text, /^HTTP\/1\.1 200 OK\r\n/)
  t.match(text, /\r\ncontent-length: 1000\r\n/i)
  t.ok(text.endsWith('\r\n\r\n'))
})

t.test('204 and 304 have no body and keep their fields and the connection', async (t) => {
  for (const [status, field] of [
    [204, 'x-kept: 1'],
    [304, 'etag: "a"'],
  ] as const) {
    gate.upstream.answer((_, response) => {
      const [name = '', value = ''] = field.split(': ')
      response.writeHead(status, { [name]: value }).end()
    })
    const connection = await connectRaw(gate.origin)
    connection.send('GET /public/x HTTP/1.1\r\nHost: a\r\n\r\n')
    const text = await connection.until(/\r\n\r\n/)
    t.match(text, `HTTP/1.1 ${status} `)
    t.match(text, field)
    t.notMatch(text, /transfer-encoding/i)
    connection.send('GET /public/x HTTP/1.1\r\nHost: a\r\n\r\n')
    await connection.until(/\r\n\r\n[\s\S]+\r\n\r\n/)
    connection.socket.destroy()
  }
  gate.upstream.answer(undefined)
})

t.test('response fields keep their order, their lines and their bytes', async (t) => {
  const fields =
    'Set-Cookie: a=1\r\nX-B: \xe9\xff\r\nset-cookie: b=2; Path=/\r\nSet-Cookie: a=3\r\n'
  const { text } = await relay(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 2\r\n\r\nok`)
  t.match(text, fields)
  t.ok(text.endsWith('\r\n\r\nok'))
})

t.test('request fields keep their order, their lines and their bytes', async (t) => {
  const fields = 'Accept: a\r\nX-B: \xe9\xff\r\nCookie: a=1\r\naccept: b\r\nX-Empty: \r\n'
  const { seen } = await relay(
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    `GET /public/x?a=%7E&b HTTP/1.1\r\nHost: A.example:80\r\n${fields}\r\n`,
  )
  t.match(seen, fields)
  t.match(seen, 'GET /public/x?a=%7E&b HTTP/1.1\r\n')
  t.same(
    fieldsOf(seen, 'host').map((line) => line.slice(5)),
    [' A.example:80'],
  )
})

t.test('what ends at a hop goes no further than the gateway, to the upstream', async (t) => {
  const { seen } = await relay(
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    'GET /public/x HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Secret, TE\r\nX-Secret: 1\r\nKeep-Alive: timeout=9\r\nTE: trailers\r\nProxy-Authorization: Basic x\r\nProxy-Connection: close\r\nUpgrade: h2c\r\nX-Kept: 1\r\n\r\n',
  )
  t.match(seen, 'X-Kept: 1')
  for (const name of ['x-secret', 'te', 'proxy-authorization', 'proxy-connection', 'upgrade'])
    t.same(fieldsOf(seen, name), [], name)
  t.notMatch(seen, 'timeout=9')
})

t.test('what ends at a hop goes no further than the gateway, to the client', async (t) => {
  const { lines } = await relay(
    'HTTP/1.1 200 OK\r\nConnection: close, X-Secret\r\nX-Secret: 1\r\nProxy-Authenticate: Basic\r\nKeep-Alive: timeout=77\r\nUpgrade: h2c\r\nX-Kept: 1\r\nContent-Length: 2\r\n\r\nok',
  )
  t.ok(lines.includes('X-Kept: 1'))
  t.notMatch(lines.join('\n'), /secret|proxy-authenticate|timeout=77|upgrade|close/i)
})

t.test('an upstream cannot answer in the words that are for upstreams', async (t) => {
  const { lines } = await relay(
    'HTTP/1.1 200 OK\r\nX-Auth-Subject: root\r\nx_auth_groups: admins\r\nX-Amzn-Oidc-Data: x\r\nX-Authority: kept\r\nContent-Length: 2\r\n\r\nok',
  )
  t.notMatch(lines.join('\n'), /root|admins|oidc/)
  t.ok(lines.includes('X-Authority: kept'))
})

t.test('trailers of a chunked response arrive, but for owned names', async (t) => {
  const { text } = await relay(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: \xe9abc\r\nX-Auth-Subject: root\r\n\r\n',
  )
  t.match(text, /\r\n0\r\nX-Sum: \xe9abc\r\n\r\n$/)
  t.notMatch(text, 'root')
})

t.test('103 and 102 are passed on before the answer, whatever they hold', async (t) => {
  const { text } = await relay(
    'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\nLink: </b.js>; rel=preload\r\nX-Auth-Subject: root\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: not a link\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  )
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])
  t.same(statuses, ['102', '103', '103', '200'])
  t.match(
    text,
    /HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload; as=style\r\nLink: <\/b/,
  )
  t.notMatch(text, 'root')
})

t.test('a flood of interim responses is bounded, and HTTP/1.0 gets none', async (t) => {
  const flood = 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(200)
  const many = await relay(`${flood}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`)
  const count = [...many.text.matchAll(/ 102 /g)].length
  t.ok(count > 0 && count <= 32, `${count} passed on`)
  t.ok(many.text.endsWith('ok'))
  const old = await relay(
    `${flood}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
    'GET /public/x HTTP/1.0\r\nHost: a\r\n\r\n',
  )
  t.match(old.text, /^HTTP\/1\.1 200 OK/)
})

t.test('a client that waits for 100 gets it once it is allowed, then the answer', async (t) => {
  const connection = await connectRaw(gate.origin)
  connection.send(
    'POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
  )
  t.match(await connection.until(/\r\n\r\n/), /^HTTP\/1\.1 100 Continue\r\n\r\n$/)
  connection.send('hello')
  t.match(await connection.until(/"body":"hello"/), /HTTP\/1\.1 200 OK/)
  t.notMatch(connection.text(), /"expect"/i)
  connection.socket.destroy()
})

t.test('a client that waits for 100 and is denied gets that alone, and the end', async (t) => {
  const before = gate.upstream.received.length
  for (const [path, length, status] of [
    ['/api/x', 5, 401],
    ['/nowhere', 5, 404],
  ] as const) {
    const { statuses, closed, text } = await sendRaw(
      gate.origin,
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`,
    )
    t.same(statuses, [status])
    t.match(text, /\r\nconnection: close\r\n/i)
    t.ok(closed)
  }
  t.equal(gate.upstream.received.length, before)
})

t.test('another expectation is refused, also behind a request that is under way', async (t) => {
  const request = 'GET /public/x HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n'
  t.same((await sendRaw(gate.origin, request)).statuses, [417])
  const first = 'GET /public/x HTTP/1.1\r\nHost: a\r\n\r\n'
  t.notMatch((await sendRaw(gate.origin, [first + request])).statuses, [200, 200])
  t.equal((await fetch(`${gate.origin}/public/x`)).status, 200, 'the gateway is still there')
})

t.test('redirects are passed on and never followed', async (t) => {
  const before = upstream.requests()
  const { text } = await relay(
    `HTTP/1.1 302 Found\r\nLocation: ${upstream.origin}/elsewhere\r\nContent-Length: 0\r\n\r\n`,
  )
  t.match(text, `Location: ${upstream.origin}/elsewhere\r\n`)
  t.equal(upstream.requests(), before + 1)
})

t.test('a compressed body is passed on as it is', async (t) => {
  const body = gzipSync('hello '.repeat(1000))
  gate.upstream.answer((_, response) => {
    response.setHeader('content-encoding', 'gzip').end(body)
  })
  const received = await new Promise<Buffer>((resolve) => {
    httpRequest(`${gate.origin}/public/x`, (response) => {
      const chunks: Buffer[] = []
      t.equal(response.headers['content-encoding'], 'gzip')
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => resolve(Buffer.concat(chunks)))
    }).end()
  })
  gate.upstream.answer(undefined)
  t.same(received, body)
  t.equal(gunzipSync(received).length, 6000)
})

t.test('forwardToken: false keeps the token back and still says who calls', async (t) => {
  const { seen } = await relay(
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    `GET /api/x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${raw.issuer.access()}\r\n\r\n`,
  )
  t.same(fieldsOf(seen, 'authorization'), [])
  t.match(fieldsOf(seen, 'x-auth-username'), ['x-auth-username: jane'])
})

t.test("an HTTP/1.0 client's answer is not chunked and ends with the connection", async (t) => {
  const chunked =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'
  upstream.answer((socket) => socket.end(chunked))
  const { text, closed } = await sendRaw(raw.origin, 'GET /public/x HTTP/1.0\r\nHost: a\r\n\r\n')
  t.ok(closed)
  t.notMatch(text, /transfer-encoding/i)
  t.ok(text.endsWith('\r\n\r\nhello'))
})

t.test('a body over its limit is 413, by its length and while it comes', async (t) => {
  await testBodyLimits(t, raw.origin, '/small/x', 1024)
  const limited = await startGateway({ more: 'limits: {body: 2KiB}' })
  t.teardown(limited.stop)
  await testBodyLimits(t, limited.origin, '/public/x', 2048)
})

async function testBodyLimits(t: Test, origin: string, path: string, limit: number) {
  upstream.answer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  })
  const head = `POST ${path} HTTP/1.1\r\nHost: a\r\n`
  const send = async (text: string) => {
    const until = (text: string) => text.includes('\r\n\r\n')
    return (await sendRaw(origin, text, { until })).statuses
  }
  const chunked = (length: number) =>
    `${head}Transfer-Encoding: chunked\r\n\r\n${length.toString(16)}\r\n${'x'.repeat(length)}\r\n0\r\n\r\n`
  t.same(await send(`${head}Content-Length: ${limit}\r\n\r\n${'x'.repeat(limit)}`), [200])
  t.same(await send(`${head}Content-Length: ${limit + 1}\r\n\r\n`), [413], 'before a byte of it')
  const waits = `${head}Content-Length: ${limit + 1}\r\nExpect: 100-continue\r\n\r\n`
  t.same(await send(waits), [413], 'without 100')
  t.same(await send(chunked(limit)), [200])
  t.same(await send(chunked(limit + 1)), [413])
}

t.test(
  'an answer that comes before the upload has ended arrives, and the upload ends',
  async (t) => {
    upstream.answer((socket) => {
      socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
    })
    const connection = await connectRaw(raw.origin)
    const chunk = Buffer.alloc(64 * 1024)
    let sent = 0
    const pump = () => {
      do sent += chunk.length
      while (connection.socket.write(chunk))
    }
    connection.send('POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n')
    connection.socket.on('drain', pump)
    pump()
    t.match(await connection.until(/\r\n\r\nno$/), /^HTTP\/1\.1 403 /)
    await connection.closed()
    t.ok(sent < 100_000_000, 'it was cut, not read to its end')
  },
)

t.test('an upload goes on while its answer already comes', async (t) => {
  gate.upstream.handle((request, response) => {
    response.write('started ')
    request.on('data', (chunk) => response.write(chunk))
    request.on('end', () => response.end(' ended'))
  })
  const connection = await connectRaw(gate.origin)
  connection.send('POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst')
  await connection.until(/started [\s\S]*first/)
  connection.send('later')
  t.match(await connection.until(/ ended\r\n0\r\n\r\n$/), /later/)
  connection.socket.destroy()
  gate.upstream.handle(undefined)
})
