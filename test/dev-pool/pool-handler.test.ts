// The dev pool's HTTP side: where it answers, in which shape, and to whom it does not.
import t from 'tap'
import { startDevPool } from '../../src/dev-pool/dev-pool.ts'
import { sendRaw } from '../support/raw-client.ts'
import { realClock } from '../support/real-clock.ts'

const pool = await startDevPool({ clock: realClock, port: 0 })
t.teardown(pool.stop)
const { port } = new URL(pool.origin)
const INITIATE = 'AWSCognitoIdentityProviderService.InitiateAuth'

function call(body: string, target: string | undefined = INITIATE) {
  const headers = target === '' ? {} : { 'x-amz-target': target }
  return fetch(pool.origin, { method: 'POST', body, headers })
}

t.test('a refusal has the status, headers and body of Cognito', async (t) => {
  const answer = await call(JSON.stringify({ ClientId: 'x', AuthFlow: 'USER_PASSWORD_AUTH' }))
  t.equal(answer.status, 400)
  t.equal(answer.headers.get('content-type'), 'application/x-amz-json-1.1')
  t.equal(answer.headers.get('x-amzn-errortype'), 'ResourceNotFoundException:')
  t.match(answer.headers.get('x-amzn-requestid'), /^[0-9a-f-]{36}$/)
  t.strictSame(await answer.json(), {
    __type: 'ResourceNotFoundException',
    message: 'User pool client x does not exist.',
  })
})

t.test('what is no call of the API is refused', async (t) => {
  const typeOf = async (answer: Response) => ((await answer.json()) as { __type: string }).__type
  for (const body of ['', 'x', '1', 'null', '"x"']) {
    t.equal(await typeOf(await call(body)), 'SerializationException', body)
  }
  t.equal(await typeOf(await call('[]')), 'InvalidParameterException')
  for (const target of ['', 'InitiateAuth', 'AWSCognitoSync.GetId', `x${INITIATE}`]) {
    t.equal(await typeOf(await call('{}', target)), 'UnknownOperationException', target)
  }
  const wrong = JSON.stringify({
    ClientId: pool.clientId,
    AuthFlow: 'USER_PASSWORD_AUTH',
    AuthParameters: { USERNAME: 1, PASSWORD: [] },
  })
  t.equal(await typeOf(await call(wrong)), 'InvalidParameterException')
})

t.test('the documents are for GET and HEAD, the rest for POST', async (t) => {
  const { pathname } = new URL(pool.jwksUri)
  const cases: [string, string, number][] = [
    ['GET', pathname, 200],
    ['HEAD', pathname, 200],
    ['GET', `${pathname}?x=1`, 200],
    ['POST', pathname, 405],
    ['GET', '/', 405],
    ['GET', '/_dev/mint', 405],
    ['GET', '/other_pool/.well-known/jwks.json', 404],
    ['GET', '/.well-known/jwks.json', 404],
    ['GET', '/oauth2/token', 405],
    ['POST', '/oauth2/authorize', 405],
    ['POST', '/oauth2/other', 404],
  ]
  for (const [method, path, status] of cases) {
    const answer = await fetch(pool.origin + path, { method })
    t.equal(answer.status, status, `${method} ${path}`)
    t.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    t.equal(answer.headers.has('allow'), status === 405)
  }
})

t.test('only names of loopback are answered', async (t) => {
  const { pathname } = new URL(pool.jwksUri)
  const ask = async (host: string) => {
    const head = `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
    return (await sendRaw(pool.origin, head)).statuses
  }
  const good = [
    '127.0.0.1',
    `127.0.0.1:${port}`,
    'localhost',
    'LOCALHOST:1',
    '127.9.9.9',
    '[::1]:1',
  ]
  for (const host of good) t.same(await ask(host), [200], host)
  const bad = [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    '',
    '127.0.0.1@evil.example',
    '0.0.0.0',
  ]
  for (const host of bad) t.same(await ask(host), [403], host)
})

t.test('a name that was rebound gets no token either', async (t) => {
  const body = 'user=admin'
  const head = `POST /_dev/mint HTTP/1.1\r\nHost: evil.example\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`
  const { text, statuses } = await sendRaw(pool.origin, head + body)
  t.same(statuses, [403])
  t.notMatch(text, /eyJ/)
})

t.test('a body has at most 64 KiB', async (t) => {
  const filled = (length: number) => `{"ClientId":"${'x'.repeat(length - 15)}"}`
  t.equal(filled(65_536).length, 65_536)
  t.equal((await call(filled(65_536))).status, 400)
  t.equal((await call(filled(65_537))).status, 413)
  t.equal((await call(filled(1_000_000))).status, 413)
})

t.test('the mint endpoint answers with nothing but a token', async (t) => {
  const mint = (body: string, headers = {}) =>
    fetch(`${pool.origin}/_dev/mint`, { method: 'POST', body, headers })
  const good = await mint('user=admin')
  t.equal(good.status, 200)
  t.match(await good.text(), /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/)
  t.equal(good.headers.get('cache-control'), 'no-store')
  const unknown = await mint('user=nobody')
  t.equal(unknown.status, 404)
  t.equal(await unknown.text(), 'no such user; there are admin, reader, guest\n')
  t.equal((await mint('use=id')).status, 400)
})

t.test("a browser's page gets no token", async (t) => {
  for (const origin of ['https://evil.example', 'null', pool.origin]) {
    const answer = await fetch(`${pool.origin}/_dev/mint`, {
      method: 'POST',
      body: 'user=admin',
      headers: { origin },
    })
    t.equal(answer.status, 403, origin)
    t.notMatch(await answer.text(), /eyJ/)
    t.notOk(answer.headers.has('access-control-allow-origin'))
  }
})

t.test('a client that breaks off in its body is no defect, and the pool goes on', async (t) => {
  const faults: unknown[] = []
  const other = await startDevPool({
    clock: realClock,
    port: 0,
    onFault: (error) => faults.push(error),
  })
  t.teardown(other.stop)
  const head = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc'
  await sendRaw(other.origin, head, { quietMs: 50 })
  t.equal((await fetch(other.jwksUri)).status, 200)
  t.same(faults, [])
})
