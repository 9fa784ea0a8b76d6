// The decision endpoints as an ingress asks them (catalogue section F): only trusted peers, each by its own protocol, and whatever
// goes wrong denies.
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { sendRaw } from '../support/raw-client.ts'
import { type ConfigParts, startGateway } from '../support/start-gateway.ts'

const TRUSTED = 'trustedProxies: [127.0.0.1]'
const NAMES = ['subject', 'username', 'groups', 'scopes', 'client-id', 'email', 'token-use']

interface Asked {
  readonly method?: string
  readonly url?: string
  readonly token?: string | undefined
  /** Further header lines. */
  readonly more?: string
}

/** How each protocol asks about one request. */
const PROTOCOLS: Readonly<Record<string, (asked: Asked) => string>> = {
  'auth-request': ({ method = 'GET', url = '/api/x', ...rest }) =>
    toHead('GET', '/_poolgate/auth-request', 'poolgate', rest, [
      `X-Original-Method: ${method}`,
      `X-Original-URL: https://api.example${url}`,
    ]),
  'forward-auth': ({ method = 'GET', url = '/api/x', ...rest }) =>
    toHead('GET', '/_poolgate/forward-auth', 'poolgate', rest, [
      `X-Forwarded-Method: ${method}`,
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: api.example',
      `X-Forwarded-Uri: ${url}`,
    ]),
  'nginx-gateway-fabric': ({ method = 'GET', url = '/api/x', ...rest }) =>
    toHead('GET', '/_poolgate/nginx-gateway-fabric', 'api.example', rest, [
      `Method: ${method}`,
      `Path: ${url}`,
    ]),
  'ext-authz': ({ method = 'GET', url = '/api/x', ...rest }) =>
    toHead(method, `/_poolgate/ext-authz${url}`, 'api.example', rest, []),
}

function toHead(
  method: string,
  target: string,
  host: string,
  { token, more = '' }: Asked,
  lines: readonly string[],
): string {
  const all = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...lines]
  if (token !== undefined) all.push(`Authorization: Bearer ${token}`)
  return `${all.join('\r\n')}\r\n${more}\r\n`
}

async function start(t: Test, parts: ConfigParts = {}) {
  const running = await startGateway({ more: TRUSTED, ...parts })
  t.teardown(() => running.stop())
  const raw = async (head: string) => {
    const { text, statuses } = await sendRaw(running.origin, head, {
      until: (received) => received.includes('\r\n\r\n'),
    })
    const fieldOf = (name: string) =>
      new RegExp(`^${name}: ?(.*)\r$`, 'im').exec(`${text.split('\r\n\r\n')[0]}\r\n`)?.[1]
    return { status: statuses.at(-1), text, reason: fieldOf('x-poolgate-reason'), fieldOf }
  }
  const ask = (protocol: string, asked: Asked = {}) => raw(PROTOCOLS[protocol]!(asked))
  return { ...running, raw, ask }
}

t.test('each protocol is answered by the one policy, with the caller’s identity', async (t) => {
  const { ask, issuer, accessLines, upstream } = await start(t)
  const token = issuer.access({ 'cognito:groups': ['admins'] })
  for (const protocol of Object.keys(PROTOCOLS)) {
    const allowed = await ask(protocol, { token, url: '/admin/x?y' })
    t.equal(allowed.status, 200, protocol)
    t.equal(allowed.fieldOf('x-auth-groups'), 'admins')
    t.match(allowed.fieldOf('x-auth-subject'), /^6235a4f4-/)
    t.equal(allowed.fieldOf('x-auth-email'), '', 'said to be empty, so that it overwrites')
    t.match(await ask(protocol), { status: 401, reason: 'credential_missing' })
    const missing = await ask(protocol, { url: '/admin/x', token: issuer.access() })
    t.match(missing, { status: 403, reason: 'group_missing' })
    const open = await ask(protocol, { url: '/public/x' })
    t.equal(open.status, 200)
    for (const name of NAMES) t.equal(open.fieldOf(`x-auth-${name}`), '', name)
  }
  t.equal(upstream.received.length, 0, 'nothing is forwarded')
  t.match(
    accessLines().filter(({ path }) => path === '/admin/x'),
    Object.keys(PROTOCOLS).flatMap((endpoint) => [
      { endpoint, host: 'api.example', method: 'GET', decision: 'allow', status: 200 },
      { endpoint, decision: 'deny', reason: 'group_missing', status: 403 },
    ]),
  )
})

t.test('without sessions too, Cookie is said to whoever copies it', async (t) => {
  const { ask, issuer } = await start(t)
  const token = issuer.access()
  for (const url of ['/api/x', '/public/x']) {
    for (const protocol of Object.keys(PROTOCOLS)) {
      const cookieOf = async (...lines: string[]) => {
        const more = lines.map((line) => `Cookie: ${line}\r\n`).join('')
        const { status, fieldOf } = await ask(protocol, { url, token, more })
        t.equal(status, 200)
        const removed = fieldOf('x-envoy-auth-headers-to-remove')?.split(',').includes('cookie')
        return [fieldOf('cookie'), removed]
      }
      // Envoy leaves what it is not told of, and would set an empty one.
      const isEnvoy = protocol === 'ext-authz'
      const as = (value: string) => (isEnvoy ? [undefined, false] : [value, undefined])
      t.same(await cookieOf(), as(''), protocol)
      t.same(await cookieOf('a=b; c'), as('a=b; c'))
      const isRemoved = isEnvoy ? false : undefined
      t.same(await cookieOf('a=b; __Host-poolgate-old=x', 'c'), ['a=b; c', isRemoved])
      t.same(await cookieOf('__Host-poolgate-old=x'), ['', isEnvoy ? true : undefined])
    }
  }
})

t.test('F-01: nobody who is not trusted gets a verdict', async (t) => {
  const { ask, issuer, accessLines } = await start(t, { more: 'trustedProxies: [10.0.0.0/8]' })
  for (const protocol of Object.keys(PROTOCOLS)) {
    const { status, reason, text } = await ask(protocol, { token: issuer.access() })
    t.match({ status, reason }, { status: 403, reason: 'decision_untrusted_peer' })
    t.notMatch(text, /x-auth-/)
  }
  t.match(accessLines()[0], { detail: /127\.0\.0\.1 .*add 127\.0\.0\.1\/32/ })
})

t.test('F-02, F-03: a request that is named in two ways, or not at all, is denied', async (t) => {
  const { ask, raw, issuer } = await start(t)
  const token = issuer.access({ 'cognito:groups': ['admins'] })
  const targets = ['/public/../admin/x', '//admin/x', '/admin/%2e%2e/x', '/admin%2fx', '/a#b']
  for (const protocol of Object.keys(PROTOCOLS)) {
    for (const url of targets) {
      const { status, reason } = await ask(protocol, { url, token })
      t.equal(status, protocol === 'ext-authz' ? 400 : 403, `${protocol} ${url}`)
      t.equal(reason, 'target_ambiguous')
    }
    for (const more of ['X-Original-Uri: /public/x\r\n', 'X_Forwarded_Uri: /public/x\r\n']) {
      const confused = await ask(protocol, { token, more })
      t.match(confused, { reason: 'request_malformed' }, `${protocol} ${more}`)
      t.not(confused.status, 200)
    }
    const two = await ask(protocol, { token, more: `Authorization: Bearer ${token}\r\n` })
    t.equal(two.reason, 'credential_ambiguous')
  }
  for (const protocol of ['auth-request', 'forward-auth', 'nginx-gateway-fabric']) {
    const bare = await raw(`GET /_poolgate/${protocol} HTTP/1.1\r\nHost: a\r\n\r\n`)
    t.match(bare, { status: 403, reason: 'request_malformed' })
    for (const method of ['get', 'GET, POST', 'CONNECT', ''])
      t.equal((await ask(protocol, { method, token })).status, 403, method)
  }
  const relative = PROTOCOLS['auth-request']!({ token }).replace('https://api.example', '')
  t.match(await raw(relative), { status: 403, reason: 'request_malformed' })
})

t.test('F-09: nginx and its like get 200, 401 and 403, others the status itself', async (t) => {
  const { ask } = await start(t)
  for (const [protocol, status] of [
    ['auth-request', 403],
    ['forward-auth', 403],
    ['nginx-gateway-fabric', 403],
    ['ext-authz', 404],
  ] as const) {
    t.match(await ask(protocol, { url: '/nowhere' }), { status, reason: 'route_not_found' })
    t.match(await ask(protocol, { url: '/_poolgate/x' }), { status, reason: 'route_not_found' })
    t.match(await ask(protocol), { status: 401 })
  }
})

t.test('F-08: a body is left where it is, and ends the connection', async (t) => {
  const { ask, issuer } = await start(t)
  for (const token of [issuer.access(), undefined]) {
    for (const protocol of Object.keys(PROTOCOLS)) {
      const answer = await ask(protocol, { token, more: 'Content-Length: 1000000000\r\n' })
      t.equal(answer.status, token === undefined ? 401 : 200)
      t.equal(answer.fieldOf('connection'), 'close')
    }
  }
})

t.test('F-12: without keys, or with a defect, nobody is let through', async (t) => {
  const { ask, issuer } = await start(t, { keys: { keys: [] } })
  const token = issuer.access()
  t.match(await ask('ext-authz', { token }), { status: 503, reason: 'keys_unavailable' })
  t.match(await ask('auth-request', { token }), { status: 403, reason: 'keys_unavailable' })
  t.match(await ask('forward-auth', { token }), { status: 403, reason: 'keys_unavailable' })
})

t.test('a route for decisions alone forwards nothing', async (t) => {
  const routes =
    '[{name: a, match: {path: /api/*}, access: authenticated, upstream: none, forwardToken: false}]'
  const { ask, raw, issuer } = await start(t, { routes })
  const token = issuer.access()
  t.equal((await ask('forward-auth', { token })).status, 200)
  const { status, text } = await raw(
    `GET /api/x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  )
  t.equal(status, 404)
  t.match(text, /"reason":"route_not_found"/)
  const removed = (await ask('ext-authz', { token })).fieldOf('x-envoy-auth-headers-to-remove')
  t.match(removed, /x-auth-email/)
  t.match(removed, /authorization/)
})

t.test('a page’s cookie opens no WebSocket by way of an ingress', async (t) => {
  const routes =
    '[{name: a, match: {path: /api/*}, access: authenticated, upstream: none, credentials: {cookie: tok}}]'
  const { ask, issuer } = await start(t, { routes })
  const cookie = `Cookie: tok=${issuer.access()}\r\n`
  const foreign = `${cookie}Origin: https://evil.example\r\n`
  for (const protocol of Object.keys(PROTOCOLS)) {
    t.equal((await ask(protocol, { more: foreign })).status, 200, 'a GET that nobody can read')
    const socket = await ask(protocol, { more: `${foreign}Sec-WebSocket-Key: x\r\n` })
    t.match(socket, { status: 403, reason: 'origin_denied' })
    const own = `${cookie}Origin: https://api.example\r\nX-Forwarded-Proto: https\r\nSec-WebSocket-Key: x\r\n`
    if (protocol !== 'forward-auth') t.equal((await ask(protocol, { more: own })).status, 200)
  }
})

t.test(
  'a preflight is answered where the answer can be passed on, and denied elsewhere',
  async (t) => {
    const routes =
      '[{name: a, match: {path: /api/*}, access: authenticated, upstream: up, cors: {origins: [https://app.example]}}]'
    const { ask } = await start(t, { routes })
    const more = 'Origin: https://app.example\r\nAccess-Control-Request-Method: GET\r\n'
    const asked = { method: 'OPTIONS', more }
    const answered = await ask('ext-authz', asked)
    t.equal(answered.status, 204)
    t.equal(answered.fieldOf('access-control-allow-origin'), 'https://app.example')
    for (const protocol of ['auth-request', 'forward-auth', 'nginx-gateway-fabric'])
      t.match(await ask(protocol, asked), { status: 403, reason: 'policy_denied' })
  },
)

t.test('F-05: what else a client says of its way here changes nothing', async (t) => {
  const { ask, issuer } = await start(t)
  const more = [
    'X-Forwarded-Prefix: /public',
    'X-Forwarded-Port: 1',
    'X-Envoy-Original-Path: /public/x',
    '',
  ]
  for (const protocol of Object.keys(PROTOCOLS)) {
    const denied = await ask(protocol, {
      url: '/admin/x',
      token: issuer.access(),
      more: more.join('\r\n'),
    })
    t.match(denied, { status: 403, reason: 'group_missing' }, protocol)
  }
})

t.test('F-06: a broken cookie is no token', async (t) => {
  const routes =
    '[{name: a, match: {path: /api/*}, access: authenticated, upstream: none, credentials: {cookie: tok}}]'
  const { ask } = await start(t, { routes })
  for (const cookie of [
    'tok=',
    'tok=abc',
    'tok="',
    'tok=a.b.c',
    'tok',
    '=',
    'tok=%ff%00',
    'tok=a; tok=b',
  ]) {
    for (const protocol of Object.keys(PROTOCOLS)) {
      const { status } = await ask(protocol, { more: `Cookie: ${cookie}\r\n` })
      t.ok([400, 401, 403].includes(status ?? 0), `${protocol} ${cookie}: ${status}`)
    }
  }
})

t.test('F-10: who leaves while it is decided harms nobody', async (t) => {
  const waiting: ServerResponse[] = []
  const { origin, ask, issuer, accessLines } = await start(t, {
    keys: (_: IncomingMessage, response: ServerResponse) => void waiting.push(response),
  })
  const token = issuer.access()
  const sockets = Object.values(PROTOCOLS).map((toText) => {
    const socket = connect(Number(new URL(origin).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(toText({ token }), () => socket.resetAndDestroy())
    return once(socket, 'close')
  })
  await Promise.all(sockets)
  await eventually('they are logged', () => accessLines().length >= sockets.length)
  for (const response of waiting) response.end(JSON.stringify(issuer.jwks()))
  t.equal((await ask('forward-auth', { token })).status, 200)
  t.match(
    accessLines().slice(0, -1),
    sockets.map(() => ({ outcome: 'client_aborted' })),
  )
})

t.test('what Host and target are put together of is taken apart as it was', async (t) => {
  const { raw, issuer } = await start(t, {
    routes:
      '[{name: root, match: {path: /}, access: public, upstream: none}, {name: admin, match: {path: /admin/*}, access: {groups: {anyOf: [admins]}}, upstream: none}]',
  })
  for (const host of ['app.example?', 'app.example#', 'app.example\\', 'app.example', '']) {
    const asked = toHead('GET', '/_poolgate/auth-request', 'poolgate', { token: issuer.access() }, [
      'X-Original-Method: GET',
      `X-Original-URL: http://${host}/admin/x`,
    ])
    t.equal((await raw(asked)).status, 403, host)
  }
})
