// The identity and forwarding header rows of the security catalogue: what a client says of itself never reaches an upstream as
// Poolgate's word, and Poolgate's word arrives exactly once.
import t, { type Test } from 'tap'
import { normaliseFieldName } from '../../src/http/headers.ts'
import { sendRaw } from '../support/raw-client.ts'
import { type SeenRequest, startRecordingUpstream } from '../support/recording-upstream.ts'
import { startGateway } from '../support/start-gateway.ts'
import { parseAnswers } from '../support/wire.ts'

const upstream = await startRecordingUpstream()
const ROUTES = `
  - {name: open, match: {path: /public/*}, access: public, upstream: up}
  - {name: api, match: {path: /api/*}, access: authenticated, upstream: up}
  - {name: any, match: {path: /any/*}, access: {tokenUse: any}, upstream: up}
  - {name: quiet, match: {path: /quiet/*}, access: authenticated, upstream: up, forwardToken: false}
`
const gate = await startGateway({ routes: ROUTES, upstreamOrigin: upstream.origin })
const trusting = await startGateway({
  routes: ROUTES,
  upstreamOrigin: upstream.origin,
  more: 'trustedProxies: [127.0.0.1, 10.0.0.0/8, "fd00::/8"]',
})
t.teardown(() => Promise.all([gate.stop(), trusting.stop(), upstream.close()]))

const token = gate.issuer.access({ 'cognito:groups': ['readers'] })
const bearer = `Authorization: Bearer ${token}`

/** One request as bytes, and what the upstream got of it. */
async function send(
  fields: readonly string[],
  options: { path?: string; method?: string; body?: string; origin?: string; host?: string } = {},
) {
  const { path = '/public/x', method = 'GET', body = '', origin = gate.origin } = options
  const { host = 'Host: probe.test' } = options
  upstream.take()
  const lines = [`${method} ${path} HTTP/1.1`, host, ...fields, 'Connection: close', '', body]
  const { text } = await sendRaw(origin, lines.join('\r\n'))
  const [answer] = parseAnswers(text, method === 'HEAD')
  return { text, status: answer?.status, seen: upstream.take() }
}

/** Values of a field, by the name that the loosest upstream reads. */
function valuesOf(request: SeenRequest | undefined, name: string): string[] {
  const headers = request?.headers ?? []
  return headers.filter((_, i) => i % 2 === 1 && normaliseFieldName(headers[i - 1] ?? '') === name)
}

/** Names that could pass for an identity, by the loosest reading. */
function identityNames(request: SeenRequest | undefined): string[] {
  const names = (request?.headers ?? []).filter((_, i) => i % 2 === 0).map(normaliseFieldName)
  return names.filter((name) => /auth-|oidc/.test(name)).sort()
}

const OURS = [
  'x-auth-client-id',
  'x-auth-groups',
  'x-auth-scopes',
  'x-auth-subject',
  'x-auth-token-use',
  'x-auth-username',
]
const SPELLINGS = [
  'X-Auth-Subject',
  'x_auth_subject',
  'X.Auth.Subject',
  'X~Auth~Subject',
  'X-AUTH_SUBJECT',
]
  .concat([
    'x-auth-groups',
    'X_Auth_Groups',
    'X!Auth!Groups',
    'x-auth-email',
    'X-Auth-Anything',
    'x*auth*username',
  ])
  .concat([
    "x'auth'scopes",
    'X+Auth+Client+Id',
    'x`auth`token`use',
    'X-Auth.Token_Use',
    'X|Auth|Subject',
    'X^auth^subject',
  ])

async function refuse(
  t: Test,
  fields: readonly string[],
  status: number,
  shown: string,
): Promise<void> {
  const answer = await send(fields, { path: '/api/x' })
  t.same([answer.status, answer.seen], [status, []], shown)
}

t.test('H-01 every spelling of an identity field is removed, and ours arrive once', async (t) => {
  const fields = SPELLINGS.map((name) => `${name}: root`)
  const { seen } = await send([...fields, bearer], { path: '/api/x' })
  t.same(identityNames(seen[0]), OURS)
  t.same(valuesOf(seen[0], 'x-auth-groups'), ['readers'])
  t.notOk(seen[0]?.headers.includes('root'))
  for (const field of fields) {
    const { seen } = await send([bearer, field], { path: '/api/x' })
    t.same(identityNames(seen[0]), OURS, field)
  }
})

t.test('H-02 a claim that the token lacks sends no field, whatever the client sends', async (t) => {
  const bare = `Authorization: Bearer ${gate.issuer.access({ scope: undefined, username: undefined })}`
  const fields = [
    'x-auth-email: a@b',
    'x-auth-groups: admins',
    'x-auth-scopes: all',
    'X-Auth-Username: root',
  ]
  const { seen } = await send([bare, ...fields], { path: '/api/x' })
  t.same(identityNames(seen[0]), ['x-auth-client-id', 'x-auth-subject', 'x-auth-token-use'])
})

t.test(
  'H-03 nobody is somebody on a public route, with a good token, a bad one or none',
  async (t) => {
    const fields = SPELLINGS.map((name) => `${name}: root`)
    for (const credential of [
      [],
      [bearer],
      ['Authorization: Bearer a.b.c'],
      ['Authorization: Basic eA=='],
    ]) {
      const { status, seen } = await send([...fields, ...credential])
      t.same([status, identityNames(seen[0])], [200, []], credential.join())
    }
  },
)

t.test('H-04 Connection can end the client’s fields, never ours', async (t) => {
  for (const named of [
    'X-Auth-Subject',
    'x-auth-subject, x-auth-groups',
    ' , ,X-AUTH-GROUPS',
    'x_auth_subject, close',
  ]) {
    for (const line of ['Connection', 'connection', 'CONNECTION']) {
      const fields = [bearer, `${line}: ${named}`, 'Connection: x-a', 'X-A: 1', 'X-B: 2']
      const { seen } = await send(fields, { path: '/api/x' })
      t.same(identityNames(seen[0]), OURS, `${line}: ${named}`)
      t.same([valuesOf(seen[0], 'x-a'), valuesOf(seen[0], 'x-b')], [[], ['2']])
    }
  }
})

t.test('H-05 Connection cannot take away framing, Host or what we add', async (t) => {
  const names = [
    'Content-Length',
    'Transfer-Encoding',
    'Host',
    'Authorization',
    'Cookie',
    'X-Forwarded-For',
  ]
  for (const name of [
    ...names,
    names.join(', '),
    'x-request-id, x-forwarded-proto, x-forwarded-host',
  ]) {
    const fields = [
      `Connection: ${name}`,
      'Content-Length: 5',
      'Cookie: a=b',
      'X-Forwarded-For: 1.2.3.4',
    ]
    const { status, seen } = await send(fields, { method: 'POST', body: 'hello' })
    const [request] = seen
    t.same([status, request?.body, request?.problem], [200, 'hello', undefined], name)
    for (const kept of [
      'host',
      'content-length',
      'x-forwarded-for',
      'x-forwarded-proto',
      'x-forwarded-host',
      'x-request-id',
    ]) {
      t.equal(valuesOf(request, kept).length, 1, `${name}: ${kept} stays`)
    }
    t.same(valuesOf(request, 'x-forwarded-for'), ['127.0.0.1'])
  }
  const chunked = await send(['Connection: transfer-encoding', 'Transfer-Encoding: chunked'], {
    method: 'POST',
    body: '5\r\nhello\r\n0\r\n\r\n',
  })
  t.same([chunked.status, chunked.seen[0]?.body], [200, 'hello'])
})

t.test('H-06 a name with an underscore is dropped, whatever it is', async (t) => {
  const { seen } = await send([
    'x_a: 1',
    'X_Forwarded_For: 1.2.3.4',
    '_: 1',
    'Coo_kie: 1',
    'X-B: 2',
  ])
  t.notOk(seen[0]?.headers.some((text, i) => i % 2 === 0 && text.includes('_')))
  t.same(valuesOf(seen[0], 'x-b'), ['2'])
})

t.test('H-07 a malformed field is 400', async (t) => {
  const names = [
    'X-A ',
    'X-A\t',
    'X-A\xa0',
    'X-A\x00',
    '\x00X-A',
    ' X-A',
    '',
    'X A',
    'X(A',
    'X"A',
    'X{A',
    'X/A',
    'X@A',
    'X\x7fA',
    'X\x80A',
  ]
  for (const name of names) await refuse(t, [bearer, `${name}: b`], 400, JSON.stringify(name))
  const values = [
    'a\r b',
    'a\rb',
    'a\nb',
    'a\x00b',
    'a\x01b',
    'a\x0bb',
    'a\x1fb',
    'a\x7fb',
    'a\r\n b',
    'a\r\n\tb',
  ]
  for (const value of values) await refuse(t, [bearer, `X-A: ${value}`], 400, JSON.stringify(value))
  await refuse(t, [bearer, 'no colon'], 400, 'no colon')
})

t.test('H-08 trailers never become fields of the request', async (t) => {
  const trailers = [
    'X-Auth-Subject: root',
    'X_Auth_Groups: admins',
    'X-Forwarded-For: 1.2.3.4',
    'Authorization: Bearer x',
  ]
  const { seen } = await send([bearer, 'Trailer: X-Auth-Subject', 'Transfer-Encoding: chunked'], {
    path: '/api/x',
    method: 'POST',
    body: `5\r\nhello\r\n0\r\n${trailers.join('\r\n')}\r\n\r\n`,
  })
  t.same([seen[0]?.body, identityNames(seen[0])], ['hello', OURS])
  t.same(valuesOf(seen[0], 'authorization'), [`Bearer ${token}`])
})

const FORWARDING = [
  'For',
  'Host',
  'Proto',
  'Port',
  'Prefix',
  'Uri',
  'Method',
  'Server',
  'Scheme',
  'Ssl',
  'User',
  'Client-Cert',
]
  .map((name) => `X-Forwarded-${name}`)
  .concat([
    'Forwarded',
    'X-Real-IP',
    'x_forwarded_for',
    'X.Forwarded.Host',
    'x_real_ip',
    'X-Real.Ip',
    'FORWARDED',
  ])

t.test('H-09 from an untrusted peer, forwarding fields are replaced or removed', async (t) => {
  const { seen } = await send(FORWARDING.map((name) => `${name}: evil.test`))
  t.notOk(seen[0]?.headers.includes('evil.test'), `${seen[0]?.headers}`)
  t.same(valuesOf(seen[0], 'x-forwarded-for'), ['127.0.0.1'])
  t.same(valuesOf(seen[0], 'x-forwarded-proto'), ['http'])
  t.same(valuesOf(seen[0], 'x-forwarded-host'), ['probe.test'])
})

t.test('H-10 the client’s address is the nearest that nobody trusted vouches for', async (t) => {
  const walks: [string, string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1, 10.1.2.3', '192.0.2.1'],
    ['1.1.1.1, 192.0.2.1, 10.1.2.3', '192.0.2.1'],
    ['192.0.2.1, ::ffff:10.0.0.1', '192.0.2.1'],
    ['192.0.2.1, ::FFFF:10.0.0.1', '192.0.2.1'],
    ['192.0.2.1, 10.0.0.1:4711', '192.0.2.1'],
    ['192.0.2.1, [fd00::1]:80', '192.0.2.1'],
    ['192.0.2.1, fd00::1%eth0', '192.0.2.1'],
    ['192.0.2.1, unknown, 10.0.0.1', '10.0.0.1'],
    ['192.0.2.1, _hidden', '127.0.0.1'],
    ['192.0.2.1, 10.0.0.1.', '127.0.0.1'],
    ['192.0.2.1, ,10.0.0.1', '10.0.0.1'],
    ['10.0.0.2, 10.0.0.1', '10.0.0.2'],
  ]
  for (const [forwardedFor, expected] of walks) {
    await send([`X-Forwarded-For: ${forwardedFor}`], { origin: trusting.origin })
    t.equal(trusting.accessLines().at(-1)?.client, expected, forwardedFor)
    const { seen } = await send([`X-Forwarded-For: ${forwardedFor}`])
    t.equal(gate.accessLines().at(-1)?.client, '127.0.0.1', `${forwardedFor} of somebody untrusted`)
    t.same(valuesOf(seen[0], 'x-forwarded-for'), ['127.0.0.1'])
  }
})

t.test(
  'H-10 one address has one spelling in the log, whatever becomes of the request',
  async (t) => {
    const dual = await startGateway({ listen: '"[::]:0"', upstreamOrigin: upstream.origin })
    t.teardown(dual.stop)
    const origin = `http://127.0.0.1:${new URL(dual.origin).port}`
    await send([], { origin })
    await send([], { origin, path: '/api/x' })
    await send([], { origin, path: '/public//x' })
    await send([], { origin, host: 'Host: a b' })
    await sendRaw(origin, 'hello\r\n\r\n')
    await sendRaw(origin, 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n')
    const clients = dual.accessLines().map(({ client }) => client)
    t.same(clients, Array(6).fill('127.0.0.1'))
  },
)

t.test('H-11 a Host that could break out of a generated field is 400', async (t) => {
  for (const host of ['a";for=1.2.3.4', 'a;for=1.2.3.4', 'a,b', 'a b', "a'b", 'a=b', 'a"']) {
    const { status, seen } = await send([], { host: `Host: ${host}` })
    t.same([status, seen], [400, []], host)
  }
  const { seen } = await send([], { host: 'Host: Probe.Test:81' })
  t.same(valuesOf(seen[0], 'x-forwarded-host'), ['probe.test:81'])
})

t.test('H-12, H-13 what load balancers and meshes say is nobody else’s to say', async (t) => {
  const names = [
    'X-Amzn-Oidc-Data',
    'x-amzn-oidc-identity',
    'X_Amzn_Oidc_Accesstoken',
    'X-Envoy-External-Address',
    'x-envoy-original-path',
  ].concat([
    'X-Forwarded-Client-Cert',
    'X-SSL-Client-Cert',
    'x-ssl-client-verify',
    'X.Envoy.Internal',
  ])
  for (const path of ['/public/x', '/api/x']) {
    const { seen } = await send([bearer, ...names.map((name) => `${name}: evil`)], { path })
    t.notOk(seen[0]?.headers.includes('evil'), `${seen[0]?.headers}`)
  }
  const { seen } = await send(['X-Amzn-Oidc-Data: evil'], { origin: trusting.origin })
  t.notOk(seen[0]?.headers.includes('evil'), 'not even a trusted peer’s')
})

t.test(
  'H-13 no client turns its request into another one, through a trusted peer either',
  async (t) => {
    // An ordinary load balancer passes on what a client says there.
    const names = ['X-Original-URL', 'X-Original-URI', 'X-Original-Method', 'X-Rewrite-URL']
      .concat(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'X-Override-URL'])
      .concat(['x_original_url', 'X.Rewrite.Url', 'x-http-method-OVERRIDE'])
    for (const origin of [gate.origin, trusting.origin]) {
      const { seen } = await send([...names.map((name) => `${name}: /admin`), 'X-Fine: 1'], {
        origin,
      })
      t.notOk(seen[0]?.headers.includes('/admin'), `${seen[0]?.headers}`)
      t.same(valuesOf(seen[0], 'x-fine'), ['1'])
    }
    const kept = ['X-Forwarded-Proto: https', 'X-Forwarded-Host: shop', 'X-Real-IP: 192.0.2.9']
    const { seen } = await send([...kept, 'Forwarded: for=x'], { origin: trusting.origin })
    for (const value of ['https', 'shop', '192.0.2.9', 'for=x'])
      t.ok(seen[0]?.headers.includes(value), `${value} is a trusted peer’s to say`)
  },
)

const CLAIMS = [
  'a\r\nX-Auth-Groups: admins',
  'a\nb',
  'a\0b',
  'a\u2028b',
  '\r',
  ' a ',
  'a  b',
  '',
  '%0d%0a',
  'a,b',
  '100%',
].concat([
  'Jäger',
  '日本',
  '😀',
  '\x80\xff',
  '\u202ea',
  'a;b="c"',
  'a\tb',
  '\ufeff',
  'İ',
  'x'.repeat(2000),
])

t.test('H-14, H-15 any claim arrives in one line that decodes to it', async (t) => {
  for (const claim of CLAIMS) {
    const id = gate.issuer.id({ email: claim, 'cognito:username': claim })
    const { seen } = await send([`Authorization: Bearer ${id}`], { path: '/any/x' })
    for (const name of ['x-auth-email', 'x-auth-username']) {
      const values = valuesOf(seen[0], name)
      t.same(
        values.map(decodeURIComponent),
        [claim],
        `${name} ${encodeURIComponent(claim).slice(0, 60)}`,
      )
      t.match(values[0], /^[ -~]*$/)
    }
  }
})

t.test('H-15 a claim that has no UTF-8 makes its token malformed', async (t) => {
  const id = gate.issuer.id({ email: '\ud800' })
  const { status, seen } = await send([`Authorization: Bearer ${id}`, 'x-auth-email: a@b'], {
    path: '/any/x',
  })
  t.same([status, seen], [401, []])
})

t.test('H-16 a list of groups comes apart as it was put together', async (t) => {
  const lists = [
    ['a', 'b'],
    ['a,b'],
    ['a', 'b,c', 'd'],
    ['%2C'],
    ['"a"', 'b;c', ' d '],
    ['a', ''],
    [''],
    ['ä,ö', '%'],
    ['a=b', "c'd"],
  ]
  for (const groups of lists) {
    const credential = `Authorization: Bearer ${gate.issuer.access({ 'cognito:groups': groups })}`
    const { seen } = await send([credential], { path: '/api/x' })
    const [value = 'none', ...more] = valuesOf(seen[0], 'x-auth-groups')
    t.same([value.split(',').map(decodeURIComponent), more], [groups, []], JSON.stringify(groups))
  }
})

t.test('H-17 identity fields that no upstream would take are 431, never cut', async (t) => {
  const toCredential = (count: number, letter: string) => {
    const groups = Array.from({ length: count }, (_, i) => `${i}`.padEnd(128, letter))
    return `Authorization: Bearer ${gate.issuer.access({ 'cognito:groups': groups })}`
  }
  const most = await send([toCredential(100, 'x')], { path: '/api/x' })
  t.same([most.status, valuesOf(most.seen[0], 'x-auth-groups')[0]?.length], [200, 100 * 129 - 1])
  const { status, seen } = await send([toCredential(25, 'é')], { path: '/api/x' })
  t.same([status, seen], [431, []], 'the same groups in other letters take six times the bytes')
})

t.test('H-18 one well-formed Authorization or none', async (t) => {
  for (const pair of [
    [bearer, bearer],
    [bearer, 'authorization: Basic eA=='],
    ['AUTHORIZATION: x', bearer],
    [bearer, 'Authorization:'],
  ]) {
    await refuse(t, pair, 400, pair.join(' | ').slice(0, 60))
  }
  const malformed = [
    '',
    'Bearer',
    'Bearer ',
    `Bearer${token}`,
    `Bearer\t${token}`,
    `Bearer "${token}"`,
    `Basic ${token}`,
    token,
  ]
    .concat([
      `Bearer ${token}, Bearer ${token}`,
      `Bearer ${token} x`,
      `Bearer\xa0${token}`,
      `Bearer ${token},`,
      `Bearer ${token};a`,
    ])
    .concat([
      `Bearer token=${token}`,
      `Bearer '${token}'`,
      `DPoP ${token}`,
      `Token ${token}`,
      `Bearer Bearer ${token}`,
    ])
  for (const value of malformed) {
    await refuse(t, [`Authorization: ${value}`], 401, value.replace(token, 'TOKEN'))
  }
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEARER']) {
    t.equal(
      (await send([`Authorization: ${scheme} ${token}`], { path: '/api/x' })).status,
      200,
      scheme,
    )
  }
})

t.test('H-19 a token in the query or the body is no credential, and is not logged', async (t) => {
  const inQuery = await send([], { path: `/api/x?access_token=${token}` })
  const inBody = await send(
    ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${token.length + 13}`],
    { path: '/api/x', method: 'POST', body: `access_token=${token}` },
  )
  const inCookie = await send([`Cookie: access_token=${token}; Authorization=Bearer ${token}`], {
    path: '/api/x',
  })
  t.same([inQuery.status, inBody.status, inCookie.status], [401, 401, 401])
  t.notOk(gate.logged.some((line) => line.includes(token.slice(-30))))
})

t.test('H-20 the token goes on, unless the route keeps it', async (t) => {
  const kept = await send([bearer], { path: '/api/x' })
  t.same(valuesOf(kept.seen[0], 'authorization'), [`Bearer ${token}`])
  const quiet = await send([bearer], { path: '/quiet/x' })
  t.same([valuesOf(quiet.seen[0], 'authorization'), identityNames(quiet.seen[0])], [[], OURS])
})

t.test('H-22 names of object members are names like any other', async (t) => {
  const names = ['constructor', 'hasOwnProperty', 'toString', 'valueOf', 'prototype']
  const { status, seen } = await send([...names, '__proto__'].map((name) => `${name}: x`))
  t.equal(status, 200)
  for (const name of names) t.ok(seen[0]?.headers.includes(name), name)
  t.notOk(seen[0]?.headers.includes('__proto__'), 'dropped for its underscores')
})

t.test('H-23 fields behind two thousand others are 431, not hidden', async (t) => {
  const fillers = Array.from({ length: 2001 }, (_, i) => `a${i}:`)
  await refuse(t, [...fillers, bearer], 431, 'Authorization last')
  const { status, seen } = await send([...fillers, 'Content-Length: 5'], {
    method: 'POST',
    body: 'hello',
  })
  t.same([status, seen], [431, []], 'Content-Length last')
})

t.test('H-24 an upstream gets one Content-Length, in whatever case it came', async (t) => {
  for (const name of ['content-length', 'CONTENT-LENGTH', 'Content-length', 'cOnTeNt-LeNgTh']) {
    const { seen } = await send([`${name}: 5`], { method: 'POST', body: 'hello' })
    t.same([valuesOf(seen[0], 'content-length'), seen[0]?.body], [['5'], 'hello'], name)
  }
  const { status, seen } = await send(['Content-Length: 5', 'content-length: 5'], {
    method: 'POST',
    body: 'hello',
  })
  t.same([status, seen], [400, []])
})

t.test('H-25 an upstream cannot speak as Poolgate to the client', async (t) => {
  upstream.reply((_, socket) => {
    const fields = SPELLINGS.map((name) => `${name}: root\r\n`).join('')
    socket.write(`HTTP/1.1 200 OK\r\n${fields}X-Fine: 1\r\nContent-Length: 2\r\n\r\nok`)
  })
  t.teardown(() => upstream.reply(undefined))
  const { text } = await send([])
  t.match(text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*X-Fine: 1/)
  t.notMatch(text, /root/)
})
