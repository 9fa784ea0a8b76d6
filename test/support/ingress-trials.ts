// What holds of every ingress that asks Poolgate, whatever its protocol: one table of requests, sent to the recipe as it stands in
// examples/. Each peer answers by its own words; what reaches the service is the same.
import t, { type Test } from 'tap'
import { ask, identityOf, type Question, valuesOf } from './ingress-client.ts'
import { tryCookies } from './ingress-cookies.ts'
import { type SignInTraits, trySignIn } from './ingress-sign-in.ts'
import { sendRaw } from './raw-client.ts'
import { findProgram, type Recipe, type RunningRecipe, startRecipe } from './recipe.ts'

export interface Trial extends Omit<Recipe, 'program'>, SignInTraits {
  /** The program's name. */
  readonly peer: string
}

/** What a client could name a request with, or pass for somebody. */
const SPOOFED_IDENTITY = [
  'x-auth-subject: evil',
  'X-Auth-Email: evil@example.com',
  'X_Auth_Subject: evil',
  'x_auth_email: evil@example.com',
  'X-Auth_Groups: admins',
  'X.Auth.Subject: evil',
  'X-Auth-Role: admin',
  'X-AUTH-USER: evil',
  'X%2DAuth%2DSubject: evil',
  'x-amzn-oidc-identity: evil',
  'X_Amzn_Oidc_Identity: evil',
]
const SPOOFED_REQUEST = [
  'X-Original-URL: http://app.example/public/spoofed',
  'X-Original-Method: HEAD',
  'X-Original-URI: /public/spoofed',
  'X-Forwarded-Uri: /public/spoofed',
  'X-Forwarded-Method: HEAD',
  'X-Forwarded-Host: spoofed.example',
  'X-Forwarded-Proto: https',
  'X-HTTP-Method-Override: spoofed',
  'X-HTTP-Method: spoofed',
  'X-Method-Override: spoofed',
  'X-Rewrite-URL: /public/spoofed',
  'X-Override-URL: /public/spoofed',
  'X_HTTP_Method_Override: spoofed',
  'X_Original_URL: http://app.example/public/spoofed',
  'X_Forwarded_Uri: /public/spoofed',
]

/** Some service or ingress reads each of them as /admin/x, or as something below it. */
const TRICKS = [
  '/admin/x',
  '/ADMIN/x',
  '/Admin/x',
  '//admin/x',
  '/public//admin/x',
  '/admin;x/y',
  '/public;/../admin/x',
  '/public/../admin/x',
  '/public/./../admin/x',
  '/public/..;/admin/x',
  '/public/%2e%2e/admin/x',
  '/public/.%2E/admin/x',
  '/public/%252e%252e/admin/x',
  '/public%2f..%2fadmin/x',
  '/public/..%2fadmin/x',
  '/admin%2fx',
  '/%61dmin/x',
  '/%2561dmin/x',
  '/admin%5cx',
  '/public\\..\\admin\\x',
  '/public/x%00/../../admin/x',
  '/public/#/../../admin/x',
  '/public/?/../../admin/x',
  '/public/x?url=/admin/x#/admin/x',
  'http://app.example/admin/x',
  'http://app.example/public/../admin/x',
  'http://other.example/public/x',
  '/admin/x?/public/',
]

export function tryIngress({ peer, renewsCookies, ...rest }: Trial): void {
  const program = findProgram(peer)
  if (program === undefined) {
    t.test(rest.folder, { skip: `${peer} is not here to ask` }, async () => undefined)
    return
  }
  t.test(rest.folder, async (t) => {
    const running = await startRecipe(t, { ...rest, program })
    running.service.take()
    await t.test('an allowed request arrives with who is calling', (t) => tryAllowed(t, running))
    await t.test('a denied one is told why, and does not arrive', (t) => tryDenied(t, running))
    await t.test('nobody passes for somebody', (t) => trySpoofedIdentity(t, running))
    await t.test('nobody takes away who is calling', (t) => tryConnection(t, running))
    await t.test('no client chooses what is judged', (t) => trySpoofedRequest(t, running))
    await t.test('what was judged is what arrives', (t) => tryTricks(t, running))
    await t.test('of cookies, Poolgate’s own do not arrive', (t) =>
      tryCookies(t, running, {
        '/public/x': undefined,
        '/orders': reader(running),
        '/admin/x': admin(running),
        '/app/x': reader(running),
      }),
    )
    await t.test('browsers sign in', (t) => trySignIn(t, running, { renewsCookies }))
    await t.test('without Poolgate nothing arrives', (t) => tryWithoutPoolgate(t, running))
  })
}

function reader({ issuer }: RunningRecipe): string {
  return issuer.access({ 'cognito:groups': ['readers', 'Zoë'] })
}

function admin({ issuer }: RunningRecipe): string {
  return issuer.access({ 'cognito:groups': ['admins'] })
}

async function tryAllowed(t: Test, running: RunningRecipe): Promise<void> {
  const token = reader(running)
  const body = 'x'.repeat(100_000)
  const { status, arrived } = await ask(running, {
    method: 'POST',
    target: '/orders/a%20b;v=1?c=%2F&d',
    token,
    fields: ['X-Other: kept'],
    body,
  })
  t.equal(status, 200)
  t.equal(arrived.length, 1)
  t.equal(arrived[0]?.method, 'POST')
  t.equal(arrived[0]?.target, '/orders/a%20b;v=1?c=%2F&d')
  t.equal(arrived[0]?.body, body)
  t.equal(arrived[0]?.problem, undefined)
  t.same(identityOf(arrived[0]), toIdentity(running, 'readers,Zo%C3%AB'))
  t.same(valuesOf(arrived[0], 'x-other'), ['kept'])
  t.same(valuesOf(arrived[0], 'host'), ['app.example'])
  const line = running.accessLines().at(-1)
  t.match(line, { endpoint: String, decision: 'allow', method: 'POST', host: 'app.example' })
  const admins = await ask(running, { target: '/admin/x', token: admin(running) })
  t.equal(admins.status, 200)
  t.same(identityOf(admins.arrived[0]), toIdentity(running, 'admins'))
  const open = await ask(running, { target: '/public/x' })
  t.equal(open.status, 200)
  t.same(identityOf(open.arrived[0]), [], 'nobody was asked for a token')
}

async function tryDenied(t: Test, running: RunningRecipe): Promise<void> {
  const { issuer } = running
  const now = Math.floor(Date.now() / 1000)
  const cases: [Question, number, string][] = [
    [{ target: '/orders' }, 401, 'credential_missing'],
    [{ target: '/admin/x' }, 401, 'credential_missing'],
    [{ target: '/orders', token: 'nonsense' }, 401, 'token_malformed'],
    [{ target: '/orders', token: issuer.access({ exp: now - 5 }) }, 401, 'token_expired'],
    [{ target: '/admin/x', token: reader(running) }, 403, 'group_missing'],
    [
      { method: 'POST', target: '/admin/x', token: reader(running), body: 'x'.repeat(10_000) },
      403,
      'group_missing',
    ],
  ]
  for (const [question, expected, reason] of cases) {
    const { status, text, arrived } = await ask(running, question)
    const about = `${question.target} ${reason}`
    t.equal(status, expected, about)
    t.same(arrived, [], about)
    t.match(text, new RegExp(`^x-poolgate-reason: ${reason}\r$`, 'im'), about)
    t.match(text, new RegExp(`"reason": ?"${reason}"`), about)
    if (expected === 401) t.match(text, /^www-authenticate: Bearer/im, about)
  }
  const twice = await ask(running, {
    target: '/orders',
    token: reader(running),
    fields: [`Authorization: Bearer ${admin(running)}`],
  })
  t.ok(twice.status >= 400, `two tokens: ${twice.status}`)
  t.same(twice.arrived, [])
}

async function trySpoofedIdentity(t: Test, running: RunningRecipe): Promise<void> {
  const token = reader(running)
  for (const [target, expected] of [
    ['/public/x', []],
    ['/orders', toIdentity(running, 'readers,Zo%C3%AB')],
  ] as const) {
    for (const fields of [SPOOFED_IDENTITY, ...SPOOFED_IDENTITY.map((field) => [field, field])]) {
      const { status, arrived } = await ask(running, {
        target,
        token: target === '/orders' ? token : undefined,
        fields,
      })
      const about = `${target} ${fields.join(', ')}`
      // A peer may refuse it outright.
      if (status !== 200) t.ok(status === 400 || status === 403, `${status} ${about}`)
      else t.same(identityOf(arrived[0]), expected, about)
      t.equal(arrived.length, status === 200 ? 1 : 0, about)
    }
  }
}

/** A client may name any field as one of its connection (RFC 9110 section 7.6.1, CVE-2024-45410): Poolgate's are not among them. */
async function tryConnection(t: Test, running: RunningRecipe): Promise<void> {
  const token = reader(running)
  const names = ['x-auth-subject', 'X-Auth-Groups', 'authorization', 'x-forwarded-uri', 'host']
  for (const name of names) {
    for (const fields of [[`Connection: ${name}`], [`Connection: ${name}`, `${name}: x`]]) {
      const { status, arrived } = await ask(running, { target: '/orders', token, fields })
      const about = fields.join(', ')
      t.ok(status === 200 || status >= 400, `${status} ${about}`)
      for (const request of arrived) {
        t.same(identityOf(request), toIdentity(running, 'readers,Zo%C3%AB'), about)
      }
    }
  }
}

async function trySpoofedRequest(t: Test, running: RunningRecipe): Promise<void> {
  const token = reader(running)
  for (const fields of [SPOOFED_REQUEST, ...SPOOFED_REQUEST.map((field) => [field])]) {
    const about = fields.join(', ')
    for (const [target, bearer, expected] of [
      ['/admin/x', undefined, 401],
      ['/admin/x', token, 403],
    ] as const) {
      const { status, arrived } = await ask(running, { target, token: bearer, fields })
      t.ok(status === expected || status === 403, `${status} ${about}`)
      t.same(arrived, [], about)
    }
    const { status, arrived } = await ask(running, { target: '/orders?x', token, fields })
    t.ok(status === 200 || status === 403, `${status} ${about}`)
    for (const request of arrived) {
      t.equal(request.target, '/orders?x')
      t.notMatch(request.headers.join('\n'), /spoofed|^HEAD$/m, `not passed on: ${about}`)
    }
  }
}

/** Whatever is let through is what was judged, and under no reading more than the caller may have. */
async function tryTricks(t: Test, running: RunningRecipe): Promise<void> {
  const token = reader(running)
  for (const target of TRICKS) {
    for (const bearer of [undefined, token]) {
      const lines = running.accessLines().length
      const { arrived } = await ask(running, { target, token: bearer })
      for (const request of arrived) {
        const [path = ''] = toOriginForm(request.target).split('?', 1)
        const judged = running.accessLines().slice(lines)
        const [host] = valuesOf(request, 'host')
        const wanted = [{ decision: 'allow', path, host }]
        t.match(judged, wanted, `${target} arrives as it was judged`)
        t.notOk(isLooselyBelow(path, '/admin/'), `${target} arrives as ${request.target}`)
        if (bearer === undefined) t.ok(isLooselyBelow(path, '/public/'), request.target)
      }
    }
  }
  const noHost = await sendRaw(running.origin, 'GET /admin/x HTTP/1.0\r\n\r\n')
  t.same(running.service.take(), [], noHost.text)
  t.pass('none of them leads to /admin/')
}

async function tryWithoutPoolgate(t: Test, running: RunningRecipe): Promise<void> {
  await running.stopPoolgate()
  const questions = [{ target: '/public/x' }, { target: '/admin/x', token: admin(running) }]
  const outcomes = await Promise.all(questions.map((question) => ask(running, question)))
  for (const { status, arrived } of outcomes) {
    t.ok(status >= 400, `${status}`)
    t.same(arrived, [])
  }
}

function toIdentity({ issuer }: RunningRecipe, groups: string): string[][] {
  return [
    ['x-auth-client-id', issuer.clientId],
    ['x-auth-groups', groups],
    ['x-auth-scopes', 'aws.cognito.signin.user.admin'],
    ['x-auth-subject', '6235a4f4-0001-7000-a000-000000000001'],
    ['x-auth-token-use', 'access'],
    ['x-auth-username', 'jane'],
  ]
}

function toOriginForm(target: string): string {
  return target.replace(/^https?:\/\/[^/]*/i, '')
}

/** As the loosest service would read it: decoded as often as it goes, parameters cut, dots resolved, in lower case. */
function isLooselyBelow(path: string, prefix: string): boolean {
  let text = path.replaceAll('\\', '/')
  for (let i = 0; i < 3; i++) text = text.replace(/%([0-9a-f]{2})/gi, toCharacter)
  const segments: string[] = []
  for (const segment of text.replaceAll('\\', '/').split('/')) {
    const [plain = ''] = segment.split(';', 1)
    if (plain === '..') segments.pop()
    else if (plain !== '.' && plain !== '') segments.push(plain.toLowerCase())
  }
  return `/${segments.join('/')}/`.startsWith(prefix)
}

function toCharacter(_: string, hex: string): string {
  return String.fromCharCode(parseInt(hex, 16))
}
