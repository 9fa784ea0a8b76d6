// The main job, whole: a token is verified, a group decides, the claims arrive as headers and the request streams through.
import t from 'tap'
import { sendRaw } from '../support/raw-client.ts'
import { startGateway } from '../support/start-gateway.ts'

const gate = await startGateway()
t.teardown(gate.stop)

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

t.test('a good access token is forwarded with its claims as headers', async (t) => {
  const token = gate.issuer.access({ 'cognito:groups': ['readers', 'a,b'] })
  const answer = await fetch(`${gate.origin}/api/orders?x=1`, bearer(token))
  t.equal(answer.status, 200)
  const seen = (await answer.json()) as { url: string; headers: Record<string, string> }
  t.equal(seen.url, '/api/orders?x=1')
  t.match(seen.headers, {
    'x-auth-subject': '6235a4f4-0001-7000-a000-000000000001',
    'x-auth-username': 'jane',
    'x-auth-groups': 'readers,a%2Cb',
    'x-auth-scopes': 'aws.cognito.signin.user.admin',
    'x-auth-client-id': gate.issuer.clientId,
    'x-auth-token-use': 'access',
    authorization: `Bearer ${token}`,
    'x-forwarded-proto': 'http',
  })
  t.notHas(seen.headers, 'x-auth-email')
})

t.test('no token, a wrong token and a missing group are refused with a reason', async (t) => {
  const cases: [string, object, number, string][] = [
    ['/api/x', {}, 401, 'credential_missing'],
    ['/api/x', bearer(`${gate.issuer.access().slice(0, -8)}AAAAAAAA`), 401, 'token_signature'],
    ['/api/x', bearer(gate.issuer.id()), 401, 'token_use'],
    [
      '/admin/x',
      bearer(gate.issuer.access({ 'cognito:groups': ['readers'] })),
      403,
      'group_missing',
    ],
    ['/nowhere', {}, 404, 'route_not_found'],
    ['/_poolgate/x', {}, 404, 'route_not_found'],
  ]
  for (const [path, options, status, reason] of cases) {
    const before = gate.upstream.received.length
    const answer = await fetch(gate.origin + path, options)
    const body = (await answer.json()) as Record<string, string>
    t.equal(answer.status, status, `${path} ${reason}`)
    t.equal(body.reason, reason)
    t.equal(body.request_id, answer.headers.get('x-request-id'))
    t.equal(answer.headers.has('www-authenticate'), status === 401)
    t.equal(gate.upstream.received.length, before, 'nothing was forwarded')
  }
})

t.test('a public route asks for no token and still lets no client speak as somebody', async (t) => {
  const answer = await fetch(`${gate.origin}/public/x`, {
    headers: {
      'x-auth-subject': 'root',
      X_Auth_Groups: 'admins',
      'X.Auth.Email': 'a@b',
      'x-forwarded-for': '1.2.3.4',
    },
  })
  const seen = (await answer.json()) as { headers: Record<string, string> }
  t.notOk(Object.keys(seen.headers).some((name) => /auth/i.test(name)))
  t.equal(seen.headers['x-forwarded-for'], '127.0.0.1')
})

t.test('a POST body streams through and comes out whole', async (t) => {
  const body = 'x'.repeat(300_000)
  const answer = await fetch(`${gate.origin}/public/up`, { method: 'POST', body })
  const seen = (await answer.json()) as { body: string }
  t.equal(seen.body, body)
})

t.test('contradictory framing never reaches an upstream', async (t) => {
  const before = gate.upstream.received.length
  const { statuses, closed } = await sendRaw(
    gate.origin,
    'POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /public/smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  )
  t.same(statuses, [400])
  t.ok(closed)
  t.equal(gate.upstream.received.length, before)
})

t.test(
  'the access log has one line for each request, with the reason and never a token',
  async (t) => {
    const token = gate.issuer.access()
    await (await fetch(`${gate.origin}/admin/x?secret=1`, bearer(token))).text()
    await new Promise((resolve) => setImmediate(resolve))
    const line = gate.accessLines().at(-1)
    t.match(line, {
      route: 'admin',
      decision: 'deny',
      reason: 'group_missing',
      status: 403,
      path: '/admin/x',
    })
    t.notOk(
      gate.logged.some((text) => text.includes(token.slice(-20)) || text.includes('secret=1')),
    )
  },
)

t.test('readiness and metrics are on the admin listener alone', async (t) => {
  t.equal((await fetch(`${gate.adminOrigin}/readyz`)).status, 200)
  t.equal((await fetch(`${gate.origin}/readyz`)).status, 404)
  const text = await (await fetch(`${gate.adminOrigin}/metrics`)).text()
  t.match(text, /poolgate_requests_total\{[^}]*route="api"[^}]*\} \d+/)
})
