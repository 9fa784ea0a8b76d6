// What explain says is what a gateway answers, over a table of requests; and the check that it marks is the one that decides.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { fetchKeys, toPoolSettings } from '../../src/cli/fetch-keys.ts'
import { loadConfig } from '../../src/config/load.ts'
import { explain, type Question } from '../../src/explain/explain.ts'
import { createIssuer } from '../support/issuer.ts'
import { sendRaw } from '../support/raw-client.ts'
import { realClock } from '../support/real-clock.ts'
import { startGateway } from '../support/start-gateway.ts'

const running = await startGateway({
  more: 'trustedProxies: [127.0.0.1]',
  routes: `
  - {name: open, match: {path: /public/*}, access: public, upstream: up}
  - {name: api, match: {path: /api/*}, access: authenticated, upstream: up}
  - {name: admin, match: {path: /admin/*}, access: {groups: {anyOf: [admins], noneOf: [blocked]}}, upstream: up}
  - {name: orders, match: {path: /orders/*, methods: [GET]}, access: {scopes: {allOf: [orders/read]}}, upstream: up}
  - {name: profile, match: {path: /profile}, access: {tokenUse: id, claims: {email_verified: true}}, upstream: up}
  - {name: cookie, match: {path: /cookie/*}, access: authenticated, credentials: {cookie: tok}, upstream: up}
  - {name: inner, match: {hosts: [inner.example], path: /public/*}, access: authenticated, upstream: up}
  - {name: elsewhere, match: {path: /elsewhere}, access: public, upstream: none}
`,
})
t.teardown(() => running.stop())
const { issuer } = running
const { config } = loadConfig(running.config(), 'test.yaml', {})
const keyed = await Promise.all(
  Object.entries(config.userPools).map(async ([name, pool]) => ({
    settings: toPoolSettings(name, pool),
    keys: await fetchKeys(pool, realClock, (problem) => t.fail(problem)),
  })),
)
t.teardown(() => {
  for (const { keys } of keyed) keys.stop()
})
const ports = { clock: realClock, pools: keyed, keyProblemOf: () => undefined }

const stranger = createIssuer()
const other = createIssuer({
  issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other0001',
})
const now = () => Math.floor(Date.now() / 1000)
const good = issuer.access({ 'cognito:groups': ['admins'], scope: 'orders/read' })
/** Made anew for each case: what is wrong in two ways is refused for what was found first, and that is remembered. */
const TOKENS: Readonly<Record<string, () => string | undefined>> = {
  none: () => undefined,
  good: () => good,
  plain: () => issuer.access(),
  'letter case': () => issuer.access({ 'cognito:groups': ['Admins'] }),
  blocked: () => issuer.access({ 'cognito:groups': ['admins', 'blocked'] }),
  id: () => issuer.id({ email_verified: true }),
  unverified: () => issuer.id({ email_verified: 'true' }),
  expired: () => issuer.access({ exp: now() - 60 }),
  early: () => issuer.access({ nbf: now() + 600 }),
  client: () => issuer.access({ client_id: 'another' }),
  pool: () => other.access(),
  stranger: () => stranger.access(),
  changed: () => `${good.slice(0, -8)}AAAAAAAA`,
  none_alg: () => issuer.access({}, { alg: 'none' }),
  text: () => 'abc',
}
const PATHS = [
  ...['/public/x', '/api/x', '/admin/x', '/orders/x', '/profile', '/cookie/x', '/elsewhere'],
]
const ODD = [
  ...['/Admin/x', '/admin', '/nowhere', '/', '/_poolgate/x', '/public/../admin/x', '//admin/x'],
  ...['/admin%2fx', '/public;x/y', '/ADMIN/x', '/profile/', '/api/%41', '/api/%zz', '/a\\b'],
  ...['/public/%2e%2e/admin/x', '/elsewhere/', '/orders/x?token=y'],
]

async function ask({ method, authority, target, headers }: Question) {
  const lines = headers.flatMap((name, i) => (i % 2 === 0 ? `${name}: ${headers[i + 1]}` : []))
  const head = [`${method} ${target} HTTP/1.1`, `Host: ${authority}`, ...lines, '', ''].join('\r\n')
  const { text, statuses } = await sendRaw(running.origin, head, {
    until: (received) => received.includes('\r\n\r\n'),
  })
  return { status: statuses.at(-1), reason: /"reason":"(\w+)"/.exec(text)?.[1] ?? '' }
}

function toQuestion(target: string, token: string | undefined, changes: Partial<Question> = {}) {
  const headers = token === undefined ? [] : ['authorization', `Bearer ${token}`]
  const question: Question = {
    ...{ method: 'GET', scheme: 'http', authority: 'api.example', target, headers },
    ...{ peer: '127.0.0.1', via: undefined },
    ...changes,
  }
  return question
}

const CASES: readonly (readonly [string, Question])[] = [
  ...PATHS.flatMap((path) =>
    Object.entries(TOKENS).map(
      ([name, token]) => [`${path} ${name}`, toQuestion(path, token())] as const,
    ),
  ),
  ...ODD.map((path) => [path, toQuestion(path, good)] as const),
  ['method', toQuestion('/orders/x', good, { method: 'POST' })],
  ['host', toQuestion('/public/x', undefined, { authority: 'inner.example:80' })],
  ['bad host', toQuestion('/public/x', undefined, { authority: 'a..b' })],
  ['cookie', toQuestion('/cookie/x', undefined, { headers: ['cookie', `tok=${good}`] })],
  [
    'a page',
    toQuestion('/cookie/x', undefined, { method: 'POST', headers: ['cookie', `tok=${good}`] }),
  ],
  ['scheme', toQuestion('/api/x', undefined, { headers: ['authorization', `Basic ${good}`] })],
  [
    'two tokens',
    toQuestion('/api/x', good, {
      headers: ['authorization', `Bearer ${good}`, 'authorization', `Bearer ${good}`],
    }),
  ],
]

t.test('the verdict is the gateway’s, and a marked check has its reason', async (t) => {
  t.ok(CASES.length > 120, `${CASES.length} cases`)
  for (const [name, question] of CASES) {
    const [answer, { verdict, steps, advice }] = await Promise.all([
      ask(question),
      explain(config, question, ports),
    ])
    t.same({ status: verdict.status, reason: verdict.reason }, answer, name)
    if (verdict.reason === '') continue
    const failing = steps.flatMap(({ checks }) => checks).filter(({ result }) => result === 'no')
    const isOwn = /reserved|upstream: none|no Origin/.test(verdict.detail)
    t.ok(isOwn || failing.some(({ reason }) => reason === verdict.reason), `${name} is shown`)
    t.not(advice, '', name)
  }
})

t.test('an ingress that asks gets the same, in the statuses that it takes', async (t) => {
  for (const via of ['auth-request', 'forward-auth', 'ext-authz'] as const) {
    const allowed = await explain(config, toQuestion('/elsewhere', undefined, { via }), ports)
    t.match(allowed.verdict, { decision: 'allow', status: 200 })
    const unknown = await explain(config, toQuestion('/nowhere', undefined, { via }), ports)
    const status = via === 'ext-authz' ? 404 : 403
    t.match(unknown.verdict, { reason: 'route_not_found', status })
    const peer = await explain(
      config,
      toQuestion('/api/x', good, { via, peer: '192.0.2.1' }),
      ports,
    )
    t.match(peer.verdict, { reason: 'decision_untrusted_peer', status: 403 })
    t.match(peer.advice, /trustedProxies: \[192\.0\.2\.1\/32\]/)
  }
})

t.test('what would fail next is shown too', async (t) => {
  const token = issuer.access({ exp: now() - 60, client_id: 'another' })
  const { steps } = await explain(config, toQuestion('/admin/x', token), ports)
  const failing = steps.flatMap(({ checks }) => checks).filter(({ result }) => result === 'no')
  t.same(
    failing.map(({ reason }) => reason),
    ['token_client', 'token_expired', 'group_missing'],
  )
})

t.test('its files never read a signature out', async (t) => {
  t.notMatch(readFileSync('src/explain/explain-token.ts', 'utf8'), /jws\.signature/)
})
