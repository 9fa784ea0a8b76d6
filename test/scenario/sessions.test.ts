// Sessions through a whole gateway: one refresh however many ask (B-15), an outage of the managed login, and who gets which answer.
import { type IncomingHttpHeaders, request, type RequestOptions } from 'node:http'
import t, { type Test } from 'tap'
import {
  createMovableClock,
  type GatewayOptions,
  startBrowserGateway,
} from '../support/browser-stage.ts'
import { startFakeManagedLogin } from '../support/fake-managed-login.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-ports.ts'
import { startIdentityEndpoint, unverifiedClaims } from '../support/identity-endpoint.ts'
import { createIssuer } from '../support/issuer.ts'
import { startJwksServer } from '../support/jwks-server.ts'
import { CookieJar } from '../support/sessions.ts'

const HOUR_MS = 3_600_000
const POOL_ID = 'eu-west-1:01234567-89ab-cdef-0123-456789abcdef'
const NAVIGATION = {
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  accept: 'text/html',
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

async function startStage(t: Test, options: Partial<GatewayOptions> = {}) {
  const clock = createMovableClock()
  const issuer = createIssuer()
  const [login, jwks] = [await startFakeManagedLogin(issuer), await startJwksServer(issuer.jwks())]
  // Refreshed tokens are of the time that the gateway has.
  login.change = (answer) => {
    const iat = Math.floor(clock.now() / 1_000)
    const times = { iat, exp: iat + 3_600, auth_time: iat }
    if ('refresh_token' in answer) return
    answer.access_token = issuer.access(times)
    answer.id_token = issuer.id(times)
  }
  const { userPoolId, clientId } = issuer
  const place = {
    userPoolId,
    clientId,
    domain: login.domain,
    issuer: issuer.issuer,
    jwksUri: jwks.url,
  }
  const port = await freePort()
  const gateway = await startBrowserGateway(place, {
    clock,
    port,
    session: { idle: 'none' },
    ...options,
  })
  t.teardown(async () => {
    await gateway.stop()
    await Promise.all([login.stop(), jwks.close()])
  })
  const jar = new CookieJar()
  const ask = (path: string, options: RequestOptions = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const [, cookie = ''] = jar.headers()
      const headers = { host: `localhost:${port}`, cookie, ...(options.headers as object) }
      const sent = request({ host: '127.0.0.1', port, path, ...options, headers }, (response) => {
        let body = ''
        response.on('data', (chunk) => (body += chunk))
        response.on('end', () => {
          const { statusCode: status = 0, headers } = response
          resolve({ status, headers, body })
        })
      })
      sent.on('error', reject).end()
    })
  /** Goes to a page, is sent to sign in, and comes back. */
  const signIn = async (): Promise<Answer> => {
    const asked = await ask('/api/page?a=b', { headers: NAVIGATION })
    jar.take(asked.headers['set-cookie'] ?? [])
    const query = login.grant(asked.headers.location ?? '')
    const back = await ask(`/_poolgate/callback?${query}`, { headers: NAVIGATION })
    jar.take(back.headers['set-cookie'] ?? [])
    return back
  }
  return { ...gateway, clock, login, jar, ask, signIn }
}

function refreshesOf(requests: readonly { readonly body: URLSearchParams }[]): number {
  return requests.filter(({ body }) => body.get('grant_type') === 'refresh_token').length
}

t.test(
  '50 requests on expired tokens cause one refresh, and each is answered (B-15)',
  async (t) => {
    const { ask, signIn, clock, login, jar } = await startStage(t)
    const back = await signIn()
    t.match(back, {
      status: 303,
      headers: { location: /^http:\/\/localhost:\d+\/api\/page\?a=b$/ },
    })
    const before = new CookieJar().take([...jar.cookies].map(([name, value]) => `${name}=${value}`))
    clock.forward(HOUR_MS + 1_000)
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => ask(`/api/${i}`)))
    t.strictSame(new Set(answers.map(({ status }) => status)), new Set([200]))
    t.equal(refreshesOf(login.requests), 1)
    for (const { headers } of answers) {
      t.match(headers, {
        'cache-control': 'no-store',
        vary: /Cookie/,
        'set-cookie': [/^__Host-poolgate-web=.*Secure; HttpOnly/],
      })
    }
    const [one] = answers
    jar.take(one?.headers['set-cookie'] ?? [])
    t.equal((await ask('/api/next')).headers['set-cookie'], undefined)
    jar.cookies.clear()
    for (const [name, value] of before.cookies) jar.cookies.set(name, value)
    t.equal((await ask('/api/late')).status, 200, 'a tab with the former cookie goes on')
    t.equal(refreshesOf(login.requests), 1)
  },
)

t.test(
  'an outage of the managed login ends no session whose tokens hold (B-16, R-29)',
  async (t) => {
    const { ask, signIn, clock, login } = await startStage(t)
    await signIn()
    login.instead = (response) => void response.writeHead(500).end()
    clock.forward(HOUR_MS - 30_000)
    for (let i = 0; i < 20; i++) t.equal((await ask('/api/x')).status, 200)
    t.ok(login.requests.length < 6, 'it is not asked each time')
    clock.forward(30_000)
    const down = await ask('/api/x')
    t.match(down, { status: 503, headers: { 'retry-after': /^\d+$/ } })
    t.match(JSON.parse(down.body), { reason: 'sessions_unavailable' })
    login.instead = undefined
    clock.forward(60_000)
    t.equal((await ask('/api/x')).status, 200)
  },
)

t.test('who cannot use a redirect is told where to sign in (B-17, B-18)', async (t) => {
  const { ask, origin } = await startStage(t)
  const sign_in = `${origin}/_poolgate/sign-in?session=web`
  const cases: [string, string, Record<string, string>][] = [
    ['fetch', 'GET', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: 'text/html' }],
    ['XHR', 'GET', { accept: 'text/html', 'x-requested-with': 'XMLHttpRequest' }],
    ['an API client', 'GET', { accept: '*/*' }],
    ['a frame', 'GET', { ...NAVIGATION, 'sec-fetch-dest': 'iframe' }],
    ['a form', 'POST', NAVIGATION],
    ['HEAD', 'HEAD', NAVIGATION],
  ]
  for (const [who, method, headers] of cases) {
    const { status, body, headers: fields } = await ask('/api/x', { method, headers })
    t.equal(status, 401, who)
    t.match(fields, {
      'www-authenticate': 'Bearer realm="poolgate"',
      location: undefined,
      'set-cookie': undefined,
    })
    if (method !== 'HEAD') t.match(JSON.parse(body), { reason: 'credential_missing', sign_in })
  }
  const page = await ask('/api/x', { headers: NAVIGATION })
  t.match(page, {
    status: 302,
    headers: { 'cache-control': 'no-store', vary: 'Cookie', 'set-cookie': [/attempt/] },
  })
})

t.test('the log says why a browser was sent to sign in', async (t) => {
  const { ask, signIn, jar, accessLines } = await startStage(t)
  await signIn()
  jar.cookies.set('__Host-poolgate-web', '1.broken')
  const answer = await ask('/api/x', { headers: NAVIGATION })
  t.match(answer, { status: 302, headers: { 'set-cookie': [/./, /./] } })
  await eventually('the line is written', () => accessLines().some(({ path }) => path === '/api/x'))
  t.match(accessLines().at(-1), {
    reason: 'session_ended',
    detail: /^it cannot be read; to sign in/,
  })
})

t.test('at a host that is none of its origins nobody is sent anywhere', async (t) => {
  const { ask } = await startStage(t)
  const answer = await ask('/api/x', { headers: { ...NAVIGATION, host: 'other.example' } })
  t.equal(answer.status, 401)
  t.notHas(JSON.parse(answer.body), { sign_in: /./ })
})

t.test('a service gets no cookie of the gateway, and every other one (H-21)', async (t) => {
  const { ask, signIn, jar } = await startStage(t)
  await signIn()
  jar.cookies.set('own', '1')
  jar.cookies.set('__Host-poolgate-attempt-x', 'y')
  const { headers } = JSON.parse((await ask('/api/x')).body)
  t.strictSame(
    headers.filter((line: string) => /^cookie/i.test(line)),
    ['cookie: own=1'],
  )
})

t.test('a bearer token goes before the session, and is not helped by it (H-19)', async (t) => {
  const { ask, signIn } = await startStage(t)
  await signIn()
  const answer = await ask('/api/x', { headers: { ...NAVIGATION, authorization: 'Bearer a.b.c' } })
  t.match([answer.status, JSON.parse(answer.body).reason], [401, 'token_malformed'])
})

t.test(
  'a session’s ID token is what AWS is called with, and nobody’s where it has none',
  async (t) => {
    const identity = await startIdentityEndpoint({
      identityPoolId: POOL_ID,
      credentialsFor: async (logins) => ({
        AccessKeyId: `ASIA${unverifiedClaims(Object.values(logins)[0] ?? '').token_use}`,
        SecretKey: 'secret',
        SessionToken: 'session',
        Expiration: Date.now() / 1_000 + 7_200,
      }),
    })
    t.teardown(identity.close)
    const { ask, signIn, clock, login } = await startStage(t, {
      identityPools: { main: { identityPoolId: POOL_ID, endpoint: identity.origin } },
      upstreams: {
        keys: { handOut: { identityPool: 'main', clientIds: ['4exampleclient0000000000001'] } },
      },
      routes: [
        { name: 'api', match: { path: '/api/*' }, access: 'authenticated', signIn: 'web' },
        {
          name: 'keys',
          match: { path: '/keys' },
          access: 'authenticated',
          signIn: 'web',
          upstream: 'keys',
        },
      ],
    })
    t.equal((await ask('/keys')).status, 401)
    await signIn()
    const first = await ask('/keys')
    t.match(JSON.parse(first.body), { AccessKeyId: 'ASIAid' })
    t.equal(first.headers['cache-control'], 'no-store')
    clock.forward(HOUR_MS + 1_000)
    const second = await ask('/keys')
    t.equal(second.status, 200, 'and with the next one once it is renewed')
    t.equal(refreshesOf(login.requests), 1)
    t.equal(identity.count('GetCredentialsForIdentity'), 2, 'never beyond the token before')
    t.equal(identity.count('GetId'), 1)
  },
)
