// One table of requests, whatever way they come in: paths, hosts and methods, header fields, tokens. How each is sent is for the test.
import { METHODS } from 'node:http'
import { createIssuer, type TestIssuer } from './issuer.ts'

export interface DecisionCase {
  readonly name: string
  readonly method: string
  readonly host: string
  /** As it stands in the request line. */
  readonly target: string
  /** Name, value, name, value …, without Host. */
  readonly headers: readonly string[]
}

/** Routes on which every reason of a decision comes up; `up` is the upstream's name. */
export const DECISION_ROUTES = `
  - {name: open, match: {path: /public/*}, access: public, upstream: up}
  - {name: api, match: {path: /api/*}, access: authenticated, upstream: up}
  - {name: admin, match: {path: /admin/*}, access: {groups: {anyOf: [admins], noneOf: [blocked]}}, upstream: up}
  - {name: orders, match: {path: /orders/*, methods: [GET]}, access: {scopes: {allOf: [orders/read]}}, upstream: up}
  - {name: profile, match: {path: /profile}, access: {tokenUse: id, claims: {email_verified: true}}, upstream: up}
  - {name: cookie, match: {path: /cookie/*}, access: authenticated, credentials: {cookie: tok}, upstream: up}
  - {name: inner, match: {hosts: [inner.example, '*.inner.example'], path: /public/*}, access: authenticated, upstream: up}
`

const PATHS = [
  ...['/public/x', '/public/', '/public', '/publicx', '/public/x/', '/public/x?y=/admin/', '/'],
  ...['/api/x', '/api/%41', '/api/a%20b', '/api/%E2%82%AC', '/api/x;v=1', '/api/x?%zz', '/api/~'],
  ...['/admin/x', '/admin/', '/admin', '/ADMIN/x', '/Admin/x', '/admin/x?public', '/aDmin/'],
  ...['/nowhere', '/profile', '/profile/', '/PROFILE', '/profile;x', '/_poolgate/x', '/_poolgate'],
  ...['/_POOLGATE/x', '/%5fpoolgate/x', '/_poolgate;x/y', '//admin/x', '/public//admin/x'],
  ...['/public/../admin/x', '/public/./x', '/public/..', '/public/.', '/./admin/x', '/../admin/x'],
  ...['/public/%2e%2e/admin/x', '/public/%2E%2e/x', '/public/.%2e/x', '/public/..;/admin/x'],
  ...[
    '/public/%252e%252e/admin/x',
    '/public;/../admin/x',
    '/public;x/y',
    '/admin;x/y',
    '/admin/;x',
  ],
  ...[
    '/admin%2fx',
    '/admin%2Fx',
    '/admin%5cx',
    '/public%2f..%2fadmin/x',
    '/%61dmin/x',
    '/%2561dmin/x',
  ],
  ...['/admin%', '/admin%2', '/admin%zz', '/admin%00', '/admin%0a', '/admin%7f', '/admin%c0%af'],
  ...[
    '/admin%ff',
    '/admin%ed%a0%80',
    '/admin/x%0d%0aa',
    '/public\\..\\admin',
    '/a\\b',
    '/public/x#y',
  ],
  ...['/public/#/../admin', '/%C4%B1dmin', '/adm%C4%B1n/x', '/%C5%BFecret', '/public/%E2%80%AE'],
  ...['/public/x|y', '/public/x"y', '/public/<x>', '/public/^', '/public/`', '/public/{x}'],
  ...[
    `/public/${'a'.repeat(9_000)}`,
    `/${'a/'.repeat(500)}`,
    '*',
    'public/x',
    '?x',
    '/?x',
    '/public/x??y',
  ],
  ...['/api/x/..%2f..%2fadmin/x', '/api/%2561', '/API/x', '/orders/x', '/orders/x/', '/Orders/x'],
]

const HOSTS = [
  ...['inner.example', 'INNER.EXAMPLE', 'inner.example.', 'inner.example:8080', 'a.inner.example'],
  ...['a.b.inner.example', 'other.example', '127.0.0.1', '[::1]:80', 'a..b', 'inner.example:99999'],
  ...['user@inner.example', 'inner.example/x', 'inner.example, other.example', '-', '[::1', 'a_b'],
]

/** By name, each made anew: a token that is wrong in two ways is refused for what was found first, and that is remembered. */
function tokensOf(issuer: TestIssuer): Record<string, () => string> {
  const now = Math.floor(Date.now() / 1000)
  const elsewhere = createIssuer({
    issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other0001',
  })
  const forger = createIssuer()
  const cut = (token: string) => `${token.slice(0, -8)}AAAAAAAA`
  return {
    good: () => issuer.access(),
    'in the group': () => issuer.access({ 'cognito:groups': ['admins'] }),
    'in a group of other case': () => issuer.access({ 'cognito:groups': ['Admins'] }),
    'in a blocked group': () => issuer.access({ 'cognito:groups': ['admins', 'blocked'] }),
    'with groups of another shape': () => issuer.access({ 'cognito:groups': 'admins' }),
    'with the scope': () => issuer.access({ scope: 'orders/read openid' }),
    'with a scope that begins so': () => issuer.access({ scope: 'orders/readwrite' }),
    'for identity': () => issuer.id({ email_verified: true }),
    'with a text for true': () => issuer.id({ email_verified: 'true' }),
    'of no use': () => issuer.access({ token_use: 'refresh' }),
    expired: () => issuer.access({ exp: now - 60 }),
    'not yet valid': () => issuer.access({ nbf: now + 600 }),
    'for too long': () => issuer.access({ exp: now + 90_000 }),
    'of another client': () => issuer.access({ client_id: 'another' }),
    'of no client': () => issuer.access({ client_id: undefined }),
    'of another pool': () => elsewhere.access(),
    'by another key': () => forger.access(),
    'by an unknown key': () => issuer.access({}, { kid: 'unknown' }),
    changed: () => cut(issuer.access()),
    'without algorithm': () => issuer.access({}, { alg: 'none' }),
    'with a secret': () => issuer.access({}, { alg: 'HS256' }),
    'with exp in text': () => issuer.access({ exp: String(now + 60) }),
    'with a sub of another type': () => issuer.access({ sub: 7 }),
    'of two parts': () => issuer.access().split('.').slice(0, 2).join('.'),
    text: () => 'abc',
    'too long': () => `${issuer.access()}${'A'.repeat(20_000)}`,
  }
}

export function createDecisionCases(issuer: TestIssuer): readonly DecisionCase[] {
  const tokens = tokensOf(issuer)
  const admin = issuer.access({ 'cognito:groups': ['admins'], scope: 'orders/read' })
  const bearer = (token: string) => ['Authorization', `Bearer ${token}`]
  const toCase = (name: string, changes: Partial<DecisionCase>): DecisionCase => ({
    ...{ name, method: 'GET', host: 'api.example', target: '/api/x', headers: [] },
    ...changes,
  })
  return [
    ...PATHS.flatMap((target) => [
      toCase(`nobody asks for ${target.slice(0, 60)}`, { target }),
      toCase(`an admin asks for ${target.slice(0, 60)}`, { target, headers: bearer(admin) }),
    ]),
    ...HOSTS.map((host) => toCase(`host ${host}`, { host, target: '/public/x' })),
    ...METHODS.filter((method) => method !== 'CONNECT').map((method) =>
      toCase(`method ${method}`, { method, target: '/orders/x', headers: bearer(admin) }),
    ),
    ...Object.entries(tokens).flatMap(([name, make]) =>
      ['/api/x', '/admin/x', '/orders/x', '/profile'].map((target) =>
        toCase(`a token ${name} for ${target}`, { target, headers: bearer(make()) }),
      ),
    ),
    ...toHeaderCases(admin).map(([name, changes]) => toCase(name, changes)),
  ]
}

function toHeaderCases(token: string): readonly [string, Partial<DecisionCase>][] {
  const cookie = ['Cookie', `a=b; tok=${token}; c=d`]
  const post = { method: 'POST', target: '/cookie/x' }
  return [
    ['two tokens', { headers: ['Authorization', `Bearer ${token}`, 'authorization', 'Bearer x'] }],
    ['another scheme', { headers: ['Authorization', `Basic ${token}`] }],
    ['a scheme in capitals', { headers: ['Authorization', `BEARER ${token}`] }],
    ['no scheme', { headers: ['Authorization', token] }],
    ['two spaces', { headers: ['Authorization', `Bearer  ${token}`] }],
    ['two tokens in one line', { headers: ['Authorization', `Bearer ${token}, Bearer ${token}`] }],
    ['an empty token', { headers: ['Authorization', 'Bearer'] }],
    ['a name with an underscore', { headers: ['X_Authorization', `Bearer ${token}`] }],
    ['spoofed identity', { headers: ['X-Auth-Subject', 'x', 'X_Auth_Groups', 'admins'] }],
    ['a cookie', { target: '/cookie/x', headers: cookie }],
    ['a cookie where none is taken', { headers: cookie }],
    ['two cookies', { target: '/cookie/x', headers: ['Cookie', `tok=${token}; tok=${token}`] }],
    ['a cookie of a page', { ...post, headers: cookie }],
    ['a cookie of its own page', { ...post, headers: [...cookie, 'Origin', 'http://api.example'] }],
    [
      'a cookie of a foreign page',
      { ...post, headers: [...cookie, 'Origin', 'http://evil.example'] },
    ],
    [
      'a cookie beside a token',
      { target: '/cookie/x', headers: [...cookie, 'Authorization', 'Bearer x'] },
    ],
    [
      'a preflight',
      {
        method: 'OPTIONS',
        headers: ['Origin', 'http://a.example', 'Access-Control-Request-Method', 'GET'],
      },
    ],
    [
      'too many fields',
      { headers: Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? `x-${i}` : 'y')) },
    ],
    ['two content types', { headers: ['Content-Type', 'a/b', 'Content-Type', 'a/c'] }],
    ['an old upgrade', { headers: ['HTTP2-Settings', 'x'] }],
    ['query as a token', { target: `/api/x?access_token=${token}` }],
  ]
}
