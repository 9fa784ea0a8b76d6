// The path, method and host rows of the security catalogue, as bytes to a running gateway: the weakest route takes everything, and
// nothing that any reader could take for the protected path passes without what that path asks for.
import { METHODS } from 'node:http'
import t, { type Test } from 'tap'
import { sendRaw } from '../support/raw-client.ts'
import { type RunningGateway, startGateway } from '../support/start-gateway.ts'
import { parseAnswers } from '../support/wire.ts'

/** Everybody may do anything but what lies below /admin, /user and /desk, and nobody may anything on the inner host. */
const weak = await startGateway({
  routes: `
  - {name: rest, match: {path: /*}, access: public, upstream: up}
  - {name: admin, match: {path: /admin}, access: {groups: {anyOf: [admins]}}, upstream: up}
  - {name: below-admin, match: {path: /admin/*}, access: {groups: {anyOf: [admins]}}, upstream: up}
  - {name: user, match: {path: /user/*}, access: authenticated, upstream: up}
  - {name: desk, match: {path: /desk/*}, access: authenticated, upstream: up}
  - {name: inner, match: {hosts: [inner.example], path: /*}, access: {groups: {anyOf: [admins]}}, upstream: up}
`,
})
/** Two public paths and one protected; whatever else is asked for has no route. */
const strict = await startGateway({
  routes: `
  - {name: health, match: {path: /health}, access: public, upstream: up}
  - {name: v1, match: {path: /v1.0/*}, access: public, upstream: up}
  - {name: write, match: {path: /api/*}, access: {groups: {anyOf: [admins]}}, upstream: up}
  - {name: read, match: {path: /api/*, methods: [GET, HEAD]}, access: public, upstream: up}
  - {name: deep, match: {path: /api/open/deep/*}, access: authenticated, upstream: up}
  - {name: open, match: {path: /api/open/*}, access: public, upstream: up}
`,
})
t.teardown(() => Promise.all([weak.stop(), strict.stop()]))

interface Answer {
  readonly status: number | undefined
  readonly reason: string
  /** Targets that the upstream got. */
  readonly forwarded: readonly string[]
}

/** One request as bytes; `line` may lack its version, and Host is added where no field gives one. */
async function ask(gate: RunningGateway, line: string, ...fields: string[]): Promise<Answer> {
  const before = gate.upstream.received.length
  const request = /HTTP\/1\.\d$/.test(line) ? line : `${line} HTTP/1.1`
  const host = fields.some((field) => /^host:/i.test(field)) ? [] : ['Host: probe.test']
  const lines = [request, ...host, ...fields, 'Connection: close', '', '']
  const { text } = await sendRaw(gate.origin, lines.join('\r\n'))
  return {
    status: parseAnswers(text, line.startsWith('HEAD'))[0]?.status,
    reason: /"reason":"(\w+)"/.exec(text)?.[1] ?? '',
    forwarded: gate.upstream.received.slice(before).map(({ url }) => url),
  }
}

function answers(t: Test, answer: Answer, wanted: Partial<Answer>, shown = ''): void {
  const told = Object.keys(wanted).map((key) => [key, answer[key as keyof Answer]])
  t.same(Object.fromEntries(told), wanted, shown)
}

/** Every target is answered with this status, and reason if given, and not forwarded. */
async function refuseTargets(
  t: Test,
  targets: readonly string[],
  status: number,
  reason?: string,
  gate = weak,
): Promise<void> {
  for (const target of targets) {
    const answer = await ask(gate, `GET ${target}`)
    const wanted = { status, forwarded: [], ...(reason !== undefined && { reason }) }
    answers(t, answer, wanted, JSON.stringify(target))
  }
}

const AMBIGUOUS = 'target_ambiguous'
const bearer = (token: string) => `Authorization: Bearer ${token}`

t.test('the routes are as weak and as strict as the tests below take them for', async (t) => {
  answers(t, await ask(weak, 'GET /anything'), { status: 200, forwarded: ['/anything'] })
  answers(t, await ask(weak, 'GET /admin/x'), { status: 401 })
  const user = bearer(weak.issuer.access())
  const admin = bearer(weak.issuer.access({ 'cognito:groups': ['admins'] }))
  answers(t, await ask(weak, 'GET /admin/x', user), { status: 403 })
  answers(t, await ask(weak, 'GET /admin/x', admin), { status: 200, forwarded: ['/admin/x'] })
})

t.test('P-01 dot segments are ambiguous', (t) =>
  refuseTargets(
    t,
    [
      '/public/../admin',
      '/public/./x',
      '/..',
      '/.',
      '/../',
      '/a/..',
      '/a/.',
      '/a/../../admin/x',
      '/./admin',
    ],
    400,
    AMBIGUOUS,
  ),
)

t.test('P-02 encoded dot segments are ambiguous', (t) =>
  refuseTargets(
    t,
    ['/a/%2e%2e/admin', '/a/.%2e/admin', '/a/%2E./admin', '/%2e/admin', '/a/%2E%2e', '/a/%2e'],
    400,
    AMBIGUOUS,
  ),
)

t.test('P-03 encoded slashes are ambiguous in both cases', (t) =>
  refuseTargets(
    t,
    ['/a/..%2fadmin', '/a/..%2Fadmin', '/%2fadmin', '/admin%2Fx', '/a%2f'],
    400,
    AMBIGUOUS,
  ),
)

t.test('P-04 backslashes are ambiguous, raw and encoded', (t) =>
  refuseTargets(
    t,
    ['/a\\admin', '\\admin', '/a/..\\admin', '/public\\..\\admin', '/%5cadmin', '/a%5C..%5cadmin'],
    400,
  ),
)

t.test('P-05 dot segments before parameters are ambiguous', (t) =>
  refuseTargets(
    t,
    [
      '/a/..;/admin',
      '/a/..;a=b/admin',
      '/.;/admin',
      '/a/..%3b/admin',
      '/a/.%3Bx/admin',
      '/a/%2e%2e;/admin',
      '/a/..;',
    ],
    400,
    AMBIGUOUS,
  ),
)

t.test('P-06 parameters never lead to a weaker rule', (t) =>
  refuseTargets(
    t,
    [
      '/admin;x=1',
      '/admin;/y',
      '/admin/;x',
      '/admin;a/x;b',
      '/admin%3bx',
      '/admin;x/',
      '/admin/x;y=../z',
    ],
    401,
  ),
)

t.test('P-07 empty segments are ambiguous', (t) =>
  refuseTargets(
    t,
    ['//admin', '/a//b', '///', '//', '/admin//x', '/admin/x//', '//admin?x'],
    400,
    AMBIGUOUS,
  ),
)

t.test('P-08 control characters, spaces and bytes beyond ASCII are refused, raw and encoded', (t) =>
  refuseTargets(
    t,
    ['%00', '%0a', '%0d', '%09', '%7f', '%1f', '%0d%0aX:%20y', '%c2%85']
      .concat(['\x00', '\x01', '\t', ' ', '\x0b', '\x7f', '\x80', '\xff', '\xc3\xa9'])
      .map((text) => `/a${text}b`)
      .concat('/a?\x00', '/a?\x7f', '/a?\xe9', '/a?x y'),
    400,
  ),
)

t.test('P-09 broken percent-encoding and what is no UTF-8 are ambiguous', (t) =>
  refuseTargets(
    t,
    [
      '%',
      '%1',
      '%zz',
      '%u002e',
      '%c0%ae',
      '%c0%af',
      '%ed%a0%80',
      '%ff',
      '%e2%82',
      '%f5%80%80%80',
      '%-1',
      '%%32e',
    ].map((text) => `/a/${text}/admin`),
    400,
    AMBIGUOUS,
  ),
)

t.test('P-10 what gains segments by a second decoding is ambiguous', (t) =>
  refuseTargets(
    t,
    [
      '/a/%252e%252e/admin',
      '/a%252fadmin',
      '/a%252Fadmin',
      '/a%255cadmin',
      '/a/.%252e/admin',
      '/a/%25%32%65./x',
    ],
    400,
    AMBIGUOUS,
  ),
)

t.test('P-10 a second decoding never leads to a weaker rule', (t) =>
  refuseTargets(t, ['/%2561dmin', '/adm%2569n/x', '/%2541DMIN/x'], 401),
)

t.test('P-11 an encoded letter is the letter', (t) =>
  refuseTargets(t, ['/%61dmin', '/adm%69n', '/%61%64%6d%69%6e/x', '/adm%69n%3bx'], 401),
)

t.test('P-12 no spelling in other letters leads to a weaker rule', (t) =>
  refuseTargets(
    t,
    [
      '/ADMIN',
      '/Admin',
      '/aDMIN/x',
      '/%41dmin/x',
      '/adm%C4%B1n/x',
      '/u%C5%BFer/x',
      '/des%E2%84%AA/x',
      '/U%c5%bfER/x',
    ],
    401,
  ),
)

t.test('P-13 a query takes no part in the choice of a route', async (t) => {
  const queries = ['?x=/public/', '?/../public', '?;/public', '?%2f..', '??', '?a=b?c/d']
  await refuseTargets(
    t,
    queries.map((query) => `/admin${query}`),
    401,
  )
  for (const query of queries) {
    const target = `/public${query}/admin`
    answers(t, await ask(weak, `GET ${target}`), { status: 200, forwarded: [target] }, 'as written')
  }
})

t.test('P-14 a fragment is ambiguous, an encoded one is text', async (t) => {
  await refuseTargets(t, ['/admin#/public', '/public#', '/#admin', '/public?x#y'], 400, AMBIGUOUS)
  await refuseTargets(t, ['#frag', '#'], 400)
  answers(t, await ask(weak, 'GET /a%23b'), { status: 200, forwarded: ['/a%23b'] })
})

t.test('P-15 an exact rule stands for its one path', async (t) => {
  answers(t, await ask(strict, 'GET /health'), { status: 200, forwarded: ['/health'] })
  answers(t, await ask(strict, 'GET /health?x'), { status: 200, forwarded: ['/health?x'] })
  const others = [
    '/health/',
    '/healthz',
    '/health;x',
    '/health%20',
    '/HEALTH',
    '/health.',
    '/health/x',
  ]
  await refuseTargets(t, others, 404, 'route_not_found', strict)
  await refuseTargets(
    t,
    ['/health/../admin', '/health/.', '/health%2f', '/health%00'],
    400,
    AMBIGUOUS,
    strict,
  )
})

t.test('P-16 no User-Agent changes the decision', async (t) => {
  for (const agent of [
    'kube-probe/1.30',
    'ELB-HealthChecker/2.0',
    'GoogleHC/1.0',
    'Prometheus/2.0',
  ]) {
    const answer = await ask(weak, 'GET /admin', `User-Agent: ${agent}`)
    answers(t, answer, { status: 401, forwarded: [] }, agent)
  }
})

t.test('P-17 the most specific route decides, and a dot is a dot', async (t) => {
  answers(t, await ask(strict, 'GET /v1.0/x'), { status: 200 })
  await refuseTargets(t, ['/v1x0/x', '/v1/x', '/a/v1.0/x', '/v1.0'], 404, 'route_not_found', strict)
  answers(t, await ask(strict, 'POST /api/open/x'), { status: 200 })
  answers(t, await ask(strict, 'POST /api/open/deep/x'), { status: 401 })
  answers(t, await ask(strict, 'GET /api/open/deep/x'), { status: 401 })
})

t.test('P-19 a method is decided like every other, unless a rule names methods', async (t) => {
  const others = METHODS.filter((method) => !['CONNECT', 'TRACE', 'GET', 'HEAD'].includes(method))
  for (const method of others) {
    const [decided, named] = [
      await ask(weak, `${method} /admin/x`),
      await ask(strict, `${method} /api/x`),
    ]
    // The methods that RTSP alone has are no HTTP to Node's parser.
    const expected = decided.status === 400 ? 400 : 401
    t.same([decided.status, named.status], [expected, expected], method)
    t.same([decided.forwarded, named.forwarded], [[], []], method)
  }
  for (const method of ['GET', 'HEAD']) {
    answers(t, await ask(weak, `${method} /admin/x`), { status: 401, forwarded: [] }, method)
    answers(t, await ask(strict, `${method} /api/x`), { status: 200 }, method)
  }
})

t.test('P-19 what is no method is 400, and TRACE is 405', async (t) => {
  for (const method of ['get', 'Get', 'FOO', 'G\x00T', 'GET\x00', 'G ET', 'X-GET', '']) {
    answers(
      t,
      await ask(weak, `${method} /public`),
      { status: 400, forwarded: [] },
      JSON.stringify(method),
    )
  }
  answers(t, await ask(weak, 'TRACE /public'), {
    status: 405,
    forwarded: [],
    reason: 'method_not_allowed',
  })
  answers(t, await ask(weak, 'TRACE /admin'), { status: 405, forwarded: [] })
})

t.test('P-21 no field changes the method or the path, for us or behind us', async (t) => {
  const names = [
    'X-HTTP-Method-Override',
    'X-HTTP-Method',
    'X-Method-Override',
    'X_HTTP_Method_Override',
  ]
  const paths = [
    'X-Original-URL',
    'X-Original-URI',
    'X-Rewrite-URL',
    'X-Forwarded-Uri',
    'X-Forwarded-Prefix',
    'X-Forwarded-Path',
  ]
  const fields = [
    ...names.map((name) => `${name}: GET`),
    ...paths.map((name) => `${name}: /public`),
    'X-Original-Method: GET',
    'X-Forwarded-Method: GET',
  ]
  for (const field of fields) {
    answers(t, await ask(strict, 'POST /api/x', field), { status: 401, forwarded: [] }, field)
    answers(t, await ask(weak, 'GET /admin/x', field), { status: 401, forwarded: [] }, field)
  }
  answers(t, await ask(weak, 'GET /public', ...fields), { status: 200, forwarded: ['/public'] })
  const seen = Object.keys(weak.upstream.received.at(-1)?.headers ?? {})
  t.notOk(
    seen.some((name) => /method|original|rewrite|uri|prefix|path/i.test(name)),
    seen.join(),
  )
})

t.test(
  'P-22 the absolute form goes on in origin form, and only for the request’s own host',
  async (t) => {
    const host = 'Host: probe.test'
    for (const [target, forwarded] of [
      ['http://probe.test/public', '/public'],
      ['http://PROBE.test:80/public?x', '/public?x'],
      ['HTTP://probe.test', '/'],
      ['http://probe.test?x', '/?x'],
      ['http://probe.test./public', '/public'],
    ] as const) {
      answers(
        t,
        await ask(weak, `GET ${target}`, host),
        { status: 200, forwarded: [forwarded] },
        target,
      )
    }
    answers(t, await ask(weak, 'GET http://probe.test/admin', host), { status: 401, forwarded: [] })
    await refuseTargets(
      t,
      [
        'http://evil.test/public',
        'http://inner.example/public',
        'http://probe.test:81/public',
        'http://user@probe.test/public',
        'http://user:x@probe.test/public',
        'http://probe.test:x/public',
        'http://probe.test:99999/public',
        'http://probe.test@evil.test/public',
        'http:///public',
        'http://probe.test\\@evil.test/public',
        'http://probe.test/a/../admin',
        'http://probe.test//admin',
        'ftp://probe.test/public',
        'http:/public',
        'probe.test/public',
      ],
      400,
    )
  },
)

t.test(
  'P-23 a target that is no path is 400; OPTIONS * is answered here; CONNECT is 405 and the end',
  async (t) => {
    await refuseTargets(t, ['*', 'admin', '?x', '*/admin', 'a:443', '.', ''], 400)
    answers(t, await ask(weak, 'OPTIONS *'), { status: 204, forwarded: [] })
    for (const target of ['probe.test:443', '/x', 'http://probe.test/', '*']) {
      const answer = await ask(weak, `CONNECT ${target}`)
      answers(t, answer, { forwarded: [] }, target)
      t.ok([400, 405].includes(answer.status ?? 0), `CONNECT ${target}: ${answer.status}`)
    }
    const { statuses, closed } = await sendRaw(
      weak.origin,
      'CONNECT probe.test:443 HTTP/1.1\r\nHost: probe.test:443\r\n\r\nGET /public HTTP/1.1\r\nHost: probe.test\r\n\r\n',
    )
    t.same([statuses, closed], [[405], true], 'what follows is not read')
  },
)

t.test('P-24 one sound Host or 400', async (t) => {
  const hosts = [
    'user@probe.test',
    'probe.test/x',
    'probe.test, inner.example',
    '',
    ' ',
    'probe.test:x',
    'probe.test:99999',
  ]
    .concat([
      'probe.test:',
      'probe test',
      'probe.test\x00',
      'probe.test\t.x',
      'a..b',
      '.probe.test',
      'probe.test#',
      'probe.test?',
    ])
    .concat([
      '[::1',
      '[::1]x',
      '[fe80::1%25eth0]',
      'http://probe.test',
      'pröbe.test',
      'probe.test\\x',
      '%70robe.test',
      '-',
      'a"b',
    ])
  for (const host of hosts) {
    answers(
      t,
      await ask(weak, 'GET /public', `Host: ${host}`),
      { status: 400, forwarded: [] },
      JSON.stringify(host),
    )
  }
  for (const second of ['probe.test', 'inner.example', '']) {
    const fields = ['Host: probe.test', `host: ${second}`]
    answers(
      t,
      await ask(weak, 'GET /public', ...fields),
      { status: 400, forwarded: [] },
      fields.join(),
    )
  }
  const { statuses } = await sendRaw(
    weak.origin,
    'GET /public HTTP/1.1\r\nConnection: close\r\n\r\n',
  )
  t.same(statuses, [400], 'none')
  const aliased = await ask(weak, 'GET /public', 'Host: probe.test', 'X_Host: inner.example')
  t.equal(aliased.status, 200)
})

t.test('P-25 a host in another spelling has the same routes', async (t) => {
  for (const host of [
    'inner.example',
    'INNER.example',
    'Inner.Example.',
    'inner.example:80',
    'inner.example.:8080',
  ]) {
    answers(
      t,
      await ask(weak, 'GET /public', `Host: ${host}`),
      { status: 401, forwarded: [] },
      host,
    )
  }
  for (const host of ['xinner.example', 'inner.example.x', 'a.inner.example']) {
    answers(t, await ask(weak, 'GET /public', `Host: ${host}`), { status: 200 }, host)
  }
})

t.test('P-29 what has no route is 404, with a token or without', async (t) => {
  const admin = bearer(strict.issuer.access({ 'cognito:groups': ['admins'] }))
  for (const target of ['/', '/x', '/apis/x', '/api']) {
    const both = [await ask(strict, `GET ${target}`), await ask(strict, `GET ${target}`, admin)]
    for (const answer of both) {
      answers(t, answer, { status: 404, reason: 'route_not_found', forwarded: [] }, target)
    }
  }
})

t.test(
  'P-29 what is the gateway’s own is 404 in every reading, whatever the routes allow',
  async (t) => {
    const admin = bearer(weak.issuer.access({ 'cognito:groups': ['admins'] }))
    const targets = ['/_poolgate', '/_poolgate/x', '/_POOLGATE/x', '/_Poolgate', '/_poolgate;a/x']
      .concat(['/_pool%67ate/x', '/%255fpoolgate/x', '/%255FPOOLGATE;a/x', '/_poolgate%3Ba/x'])
      .concat(['/_poolgate?x', 'http://probe.test/_PoolGate/'])
    for (const target of targets) {
      for (const answer of [
        await ask(weak, `GET ${target}`),
        await ask(weak, `GET ${target}`, admin),
      ]) {
        answers(t, answer, { status: 404, reason: 'route_not_found', forwarded: [] }, target)
      }
    }
    for (const target of ['/_poolgates/x', '/x/_poolgate', '/_POOLGATER'])
      answers(t, await ask(weak, `GET ${target}`), { status: 200, forwarded: [target] })
  },
)
