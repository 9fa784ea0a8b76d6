// The same request over HTTP/1.1 and over HTTP/2: the same answer, for the same reason, and the same fields at the upstream.
import { connect } from 'node:http2'
import t from 'tap'
import { sendRaw } from '../support/raw-client.ts'
import { startGateway } from '../support/start-gateway.ts'

const gate = await startGateway({
  listen: '{address: "127.0.0.1:0", http2: true}',
  more: 'limits: {target: 512B, headerFields: 20, body: 1KiB}',
  routes: `
  - {name: open, match: {path: /public/*}, access: public, upstream: up}
  - {name: api, match: {path: /api/*}, access: authenticated, upstream: up}
  - {name: admin, match: {path: /admin/*}, access: {groups: {anyOf: [admins]}}, upstream: up}
  - {name: reader, match: {path: /read/*, methods: [GET]}, access: {scopes: {allOf: [read]}}, upstream: up, forwardToken: false}
  - {name: hosted, match: {path: /hosted/*, hosts: [a.test]}, access: authenticated, upstream: up}
  - {name: cookie, match: {path: /cookie/*}, access: authenticated, upstream: up, credentials: {cookie: token}}
`,
})
const session = connect(gate.origin)
t.teardown(async () => {
  session.destroy()
  await gate.stop()
})

type Field = readonly [name: string, value: string]
interface Case {
  readonly path: string
  readonly method?: string
  readonly host?: string
  readonly fields?: readonly Field[]
  readonly body?: string
}

const plain = gate.issuer.access()
const bearer = (token: string): Field => ['authorization', `Bearer ${token}`]
const TOKENS: readonly Field[][] = [
  [],
  [bearer(plain)],
  [bearer(gate.issuer.access({ 'cognito:groups': ['admins'] }))],
  [bearer(gate.issuer.access({ scope: 'read' }))],
  [bearer(gate.issuer.id())],
  [bearer(gate.issuer.access({ exp: 1 }))],
  [bearer(gate.issuer.access({ client_id: 'other' }))],
  [bearer(`${plain}x`)],
  [bearer('a.b')],
  [['authorization', 'Basic YTpi']],
  [['authorization', 'Bearer']],
]
const PATHS = [
  '/',
  '/nowhere',
  '/public',
  '/public/a%2Fb',
  '/public/a%5cb',
  '/public/../admin/x',
  '/public/%2e%2e/admin/x',
  '/public//admin',
  '/public/a;b=c',
  '/public/%00',
  '/public/%zz',
  '/public/a?b=c%20d&e',
  '/admin%2Fx',
  '/ADMIN/x',
  '/_poolgate/x',
  `/public/${'x'.repeat(600)}`,
  '/public/a#b',
  '/public/%C3%A9',
]
const CASES: readonly Case[] = [
  ...['/api/x', '/admin/x', '/read/x', '/hosted/x'].flatMap((path) =>
    TOKENS.map((fields) => ({ path, fields })),
  ),
  ...PATHS.map((path) => ({ path })),
  ...['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'get', 'Post', 'FOO'].map(
    (method) => ({
      method,
      path: '/read/x',
      fields: [bearer(plain)],
    }),
  ),
  ...['A.TEST', 'a.test.', 'a.test:80', 'b.test', 'a..test'].map((host) => ({
    host,
    path: '/hosted/x',
    fields: [bearer(plain)],
  })),
  ...(
    [
      ['x-auth-groups', 'admins'],
      ['x_auth_groups', 'admins'],
      ['x-forwarded-for', '192.0.2.1'],
      ['x-original-url', '/admin/x'],
      ['x-http-method-override', 'DELETE'],
      ['content-type', 'application/json'],
      ['cookie', `token=${plain}; a=b`],
      ['expect', 'tea'],
      ['origin', 'https://evil.test'],
    ] as Field[]
  ).map((field) => ({ path: '/cookie/x', fields: [field] })),
  {
    path: '/public/x',
    fields: [
      ['a', '1'],
      ['a', '2'],
      ['a', ''],
    ],
  },
  { path: '/public/x', fields: Array.from({ length: 30 }, (_, i): Field => [`x-${i}`, '1']) },
  { path: '/public/x', method: 'POST', body: 'hello' },
  { path: '/public/x', method: 'POST', body: 'x'.repeat(2_000) },
  { path: '/admin/x', method: 'POST', body: 'hello', fields: [bearer(plain)] },
]

interface Seen {
  readonly status: number
  readonly reason: string | undefined
  readonly upstream: unknown
}

/** What is of a connection, and differs from request to request. */
const OWN = ['connection', 'keep-alive', 'x-request-id', 'transfer-encoding']

function toSeen(status: number, text: string): Seen {
  const [got] = gate.upstream.received
  const upstream = got && {
    method: got.method,
    url: got.url,
    body: got.body,
    fields: Object.entries(got.headers)
      .filter(([name]) => !OWN.includes(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  }
  return { status, reason: /"reason":"(\w+)"/.exec(text)?.[1], upstream }
}

async function overHttp1({ path, method = 'GET', host = 'a.test', fields = [], body }: Case) {
  gate.upstream.received.length = 0
  const length: Field[] = body === undefined ? [] : [['content-length', String(body.length)]]
  const lines = [['host', host], ...fields, ...length, ['connection', 'close']]
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const request = `${method} ${path} HTTP/1.1\r\n${head}\r\n${body ?? ''}`
  const { text, statuses } = await sendRaw(gate.origin, request)
  return toSeen(statuses[0] ?? 0, text)
}

async function overHttp2({ path, method = 'GET', host = 'a.test', fields = [], body }: Case) {
  gate.upstream.received.length = 0
  const length: Field[] = body === undefined ? [] : [['content-length', String(body.length)]]
  const line = [
    [':method', method],
    [':scheme', 'http'],
    [':authority', host],
    [':path', path],
  ]
  const list = [...line, ...fields, ...length].flat()
  const stream = session.request(list as never, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  let status = 0
  let text = ''
  stream.on('response', (headers) => {
    status = Number(headers[':status'])
  })
  stream.on('error', () => undefined)
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await new Promise((resolve) => stream.on('close', resolve))
  return toSeen(status, text)
}

t.test(`${CASES.length} requests are decided alike in both versions`, async (t) => {
  const statuses = new Set<number>()
  for (const one of CASES) {
    const http1 = await overHttp1(one)
    const http2 = await overHttp2(one)
    const { method = 'GET', path, host = '', fields = [] } = one
    const name = `${method} ${host}${path.slice(0, 60)} ${String(fields[0]).slice(0, 40)}`
    t.same(http2, http1, name)
    statuses.add(http1.status)
  }
  t.ok(CASES.length >= 60)
  for (const status of [200, 400, 401, 403, 404, 405, 413, 414, 417, 431])
    t.ok(statuses.has(status), `some are ${status}`)
})
