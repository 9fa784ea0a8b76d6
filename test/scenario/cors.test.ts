// Pages of other origins, through a whole gateway: preflights are answered here, answers and refusals can be read, cookies can be used.
import t from 'tap'
import { startGateway } from '../support/start-gateway.ts'

const APP = 'https://app.example'
const gate = await startGateway({
  routes: `
  - name: api
    match: {path: /api/*}
    access: authenticated
    upstream: up
    credentials: {cookie: token, origins: [${APP}]}
    responseHeaders: {set: {x-frame-options: DENY}}
    cors: {origins: [${APP}], methods: [GET, PUT], headers: [authorization, x-a], exposeHeaders: [etag], credentials: true, maxAge: 5m}
  - {name: open, match: {path: /open}, access: public, upstream: up, cors: {origins: ['*']}}
  - {name: plain, match: {path: /plain}, access: authenticated, upstream: up}`,
})
t.teardown(() => gate.stop())

const authorization = `Bearer ${gate.issuer.access()}`

async function ask(path: string, init: RequestInit & { headers: Record<string, string> }) {
  const before = gate.upstream.received.length
  const answer = await fetch(`${gate.origin}${path}`, init)
  const text = await answer.text()
  const reason = text.includes('"reason"') ? JSON.parse(text).reason : ''
  const forwarded = gate.upstream.received.length - before
  return { status: answer.status, headers: answer.headers, reason, forwarded }
}

const preflight = (path: string, origin: string, method: string, names?: string) =>
  ask(path, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      ...(names !== undefined && { 'access-control-request-headers': names }),
    },
  })

t.test('P-20: a preflight is answered without a token, and goes nowhere', async (t) => {
  const { status, headers, forwarded } = await preflight('/api/x', APP, 'PUT', 'authorization,x-a')
  t.equal(status, 204)
  t.equal(forwarded, 0)
  t.match(Object.fromEntries(headers), {
    'access-control-allow-origin': APP,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'GET, PUT',
    'access-control-allow-headers': 'authorization, x-a',
    'access-control-max-age': '300',
    'x-request-id': /./,
  })
  t.match(headers.get('vary'), /^Origin\b/)
  t.match(gate.accessLines().at(-1), { decision: 'allow', route: 'api', status: 204 })
})

t.test('P-20: one that is not allowed is refused, and goes nowhere', async (t) => {
  for (const [origin, method, names] of [
    ['https://evil.example', 'GET', undefined],
    [APP, 'DELETE', undefined],
    [APP, 'GET', 'x-b'],
  ] as const) {
    const answer = await preflight('/api/x', origin, method, names)
    t.match(answer, { status: 403, reason: 'cors_denied', forwarded: 0 })
    t.notOk(answer.headers.has('access-control-allow-methods'))
  }
})

t.test('P-20: where nothing is said of it, OPTIONS needs a token like any method', async (t) => {
  t.match(await preflight('/plain', APP, 'GET'), { reason: 'credential_missing', forwarded: 0 })
  const method = 'OPTIONS'
  const known = await ask('/api/x', { method, headers: { origin: APP, authorization } })
  t.match(known, { status: 200, forwarded: 1 }, 'and so it does without a question')
})

t.test('an answer can be read, whatever the upstream says of that', async (t) => {
  gate.upstream.answer((_, response) => {
    response.writeHead(200, [
      ['Access-Control-Allow-Origin', '*'],
      ['access-control-allow-credentials', 'false'],
      ['Vary', 'Accept'],
    ])
    response.end()
  })
  t.teardown(() => gate.upstream.answer(undefined))
  const allowed = await ask('/api/x', { headers: { origin: APP, authorization } })
  t.equal(allowed.headers.get('access-control-allow-origin'), APP)
  t.equal(allowed.headers.get('access-control-allow-credentials'), 'true')
  t.equal(allowed.headers.get('access-control-expose-headers'), 'etag')
  t.equal(allowed.headers.get('vary'), 'Accept, Origin')
  t.equal(allowed.headers.get('x-frame-options'), 'DENY')
  const other = await ask('/api/x', { headers: { origin: 'https://evil.example', authorization } })
  t.equal(other.status, 200, 'whoever has a token may ask')
  t.equal(other.headers.get('access-control-allow-origin'), null, 'a browser lets nobody read it')
  t.equal(other.headers.get('vary'), 'Accept, Origin')
  const open = await ask('/open', { headers: { origin: APP } })
  t.equal(open.headers.get('access-control-allow-origin'), '*')
})

t.test('a refusal can be read too, with its reason', async (t) => {
  const denied = await ask('/api/x', { headers: { origin: APP } })
  t.match(denied, { status: 401, reason: 'credential_missing' })
  t.equal(denied.headers.get('access-control-allow-origin'), APP)
  t.equal(denied.headers.get('vary'), 'Origin')
  t.ok(denied.headers.has('www-authenticate'))
  gate.upstream.handle((request) => void request.socket.destroy())
  t.teardown(() => gate.upstream.handle(undefined))
  const broken = await ask('/api/x', { method: 'PUT', headers: { origin: APP, authorization } })
  t.equal(broken.status, 502)
  t.equal(broken.headers.get('access-control-allow-origin'), APP)
})

t.test('a page whose origin may use the cookie too can read what comes of it', async (t) => {
  const cookie = `token=${gate.issuer.access()}`
  const put = (origin: string) => ask('/api/x', { method: 'PUT', headers: { origin, cookie } })
  const known = await put(APP)
  t.match(known, { status: 200, forwarded: 1 })
  t.equal(known.headers.get('access-control-allow-credentials'), 'true')
  t.match(await put('https://evil.example'), { reason: 'origin_denied', forwarded: 0 })
})
