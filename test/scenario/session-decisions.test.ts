// A browser's session counts alike whether its request is proxied or asked about by any protocol, and each of them tells what has to
// become of its cookies. Who has none is sent to sign in wherever the protocol can pass that on.
import t, { type Test } from 'tap'
import { createModes, type Asked, MODES, type Mode } from '../support/decision-modes.ts'
import { createEnvoyCheck } from '../support/envoy-check.ts'
import { eventually } from '../support/eventually.ts'
import { startFakeManagedLogin, type Grant } from '../support/fake-managed-login.ts'
import { createIssuer } from '../support/issuer.ts'
import { CookieJar, SESSION_KEYS } from '../support/sessions.ts'
import { startGateway } from '../support/start-gateway.ts'

const HOST = 'app.example'
const ORIGIN = `https://${HOST}`
const NAVIGATION = ['Sec-Fetch-Mode', 'navigate', 'Sec-Fetch-Dest', 'document']
const FETCH = ['Sec-Fetch-Mode', 'cors', 'Sec-Fetch-Dest', 'empty']
const COOKIE = '__Host-poolgate-web'
const OWN = /__Host-poolgate-/

const issuer = createIssuer()
const login = await startFakeManagedLogin(issuer)
const gate = await startGateway({
  issuer,
  more: `trustedProxies: [127.0.0.1]
extAuthz: 127.0.0.1:0
sessions:
  web: {domain: '${login.domain}', clientId: ${issuer.clientId}, origins: ['${ORIGIN}'], keys: ['${SESSION_KEYS[0]}']}`,
  routes: `
  - {name: open, match: {path: /public/*}, access: public, upstream: up}
  - {name: app, match: {path: /app/*}, access: authenticated, signIn: web, upstream: up}
  - {name: me, match: {path: /me}, access: {tokenUse: id}, signIn: web, upstream: up}
  - {name: admin, match: {path: /admin/*}, access: {groups: {anyOf: [admins]}}, signIn: web, upstream: up}
  - {name: api, match: {path: /api/*}, access: authenticated, upstream: up}`,
})
const envoy = createEnvoyCheck(gate.extAuthz)
const modes = createModes(gate.origin, envoy)
t.teardown(async () => {
  envoy.close()
  await Promise.all([gate.stop(), login.stop()])
})

let count = 0
function ask(mode: Mode, target: string, headers: readonly string[] = [], method = 'GET') {
  return modes[mode]({ name: '', method, host: HOST, target, headers }, `of-this-test-${count++}`)
}

/** What a browser has once somebody has signed in: its Cookie field. */
async function signIn(claims?: Grant): Promise<readonly string[]> {
  const jar = new CookieJar()
  const away = await ask('proxy', '/app/x', NAVIGATION)
  jar.take(away.setCookies)
  const answer = login.grant(away.headers.location ?? '', claims)
  const back = await ask('proxy', `/_poolgate/callback?${answer}`, jar.headers())
  t.equal(back.status, 303)
  return jar.take(back.setCookies).headers()
}

async function inEachMode(
  t: Test,
  run: (t: Test, mode: Mode) => Promise<void>,
  among: readonly Mode[] = MODES,
): Promise<void> {
  for (const mode of among) await t.test(mode, (t) => run(t, mode))
}

/** By the one that redirects for it: the protocol has two statuses alone. */
const IN_TWO_STATUSES: readonly Mode[] = ['auth-request', 'nginx-gateway-fabric']
const REDIRECTING = MODES.filter((mode) => !IN_TWO_STATUSES.includes(mode))
const ASKED_ABOUT = MODES.filter((mode) => mode !== 'proxy')

/** What a service has of the request that goes on. */
async function arrives(mode: Mode, target: string, headers: readonly string[]) {
  const answer = await ask(mode, target, headers)
  if (mode !== 'proxy') return { ...answer, cookie: answer.headers.cookie }
  const { headers: fields } = gate.upstream.received.at(-1)!
  return { ...answer, headers: fields as Record<string, string>, cookie: fields.cookie }
}

t.test('a session is who is calling, and its cookie goes no further', async (t) => {
  const [, own = ''] = await signIn()
  await inEachMode(t, async (t, mode) => {
    const mixed = ['Cookie', `a=b; ${own}; c=d`]
    const { status, headers, cookie, setCookies } = await arrives(mode, '/app/x', mixed)
    t.equal(status, 200)
    t.match(headers, { 'x-auth-username': 'jane', 'x-auth-token-use': 'access' })
    t.equal(cookie, 'a=b; c=d')
    t.same(setCookies, [])
    for (const target of ['/app/x', '/api/x', '/public/x']) {
      const bearer = ['Authorization', `Bearer ${issuer.access()}`]
      const others = await arrives(mode, target, [...bearer, 'Cookie', 'a=b; c=d'])
      t.equal(others.status, 200)
      const isLeft = mode.startsWith('ext-authz')
      t.equal(others.cookie, isLeft ? undefined : 'a=b; c=d', 'nothing to change')
      t.notOk(others.remove.includes('cookie'))
      const open = await arrives(mode, target, [...bearer, ...mixed])
      t.equal(open.cookie, 'a=b; c=d', 'on every route')
    }
    const alone = await arrives(mode, '/app/x', ['Cookie', own])
    t.equal(alone.status, 200)
    t.notOk(alone.cookie, 'nothing is left of it')
    if (mode.startsWith('ext-authz')) t.ok(alone.remove.includes('cookie'))
    const me = await arrives(mode, '/me', ['Cookie', own])
    t.equal(me.headers['x-auth-token-use'], 'id')
  })
})

t.test('it gives no more than its user may have', async (t) => {
  const own = await signIn()
  await inEachMode(t, async (t, mode) => {
    const { status, headers, body } = await ask(mode, '/admin/x', [...own, ...NAVIGATION])
    t.equal(status, 403)
    t.match(body, '"reason":"group_missing"')
    t.notOk(headers['x-poolgate-sign-in'], 'another sign-in would change nothing')
    t.equal(
      (await ask(mode, '/api/x', own)).status,
      401,
      'a route without sign-in knows no session',
    )
    const posted = await ask(mode, '/app/x', [...own, 'Origin', 'https://evil.example'], 'POST')
    t.equal(posted.status, 403)
    t.match(posted.body, '"reason":"origin_denied"')
  })
})

t.test('who opens a page without a session is sent to sign in', async (t) => {
  await inEachMode(
    t,
    async (t, mode) => {
      const { status, headers, setCookies } = await ask(mode, '/app/x?y', NAVIGATION)
      t.equal(status, 302)
      const location = new URL(headers.location ?? '')
      t.equal(location.origin + location.pathname, `${login.domain}/oauth2/authorize`)
      t.equal(location.searchParams.get('redirect_uri'), `${ORIGIN}/_poolgate/callback`)
      t.ok(setCookies.some((line) => line.startsWith('__Host-poolgate-attempt-')))
    },
    REDIRECTING,
  )
  await inEachMode(
    t,
    async (t, mode) => {
      const { status, headers, setCookies } = await ask(mode, '/app/x?y', NAVIGATION)
      t.equal(status, 401)
      const url = `${ORIGIN}/_poolgate/sign-in?session=web&return_to=%2Fapp%2Fx%3Fy`
      t.equal(headers['x-poolgate-sign-in'], url)
      t.same(setCookies, [], 'the attempt begins there')
    },
    IN_TWO_STATUSES,
  )
})

t.test('a page’s script is told where, and not sent there', async (t) => {
  await inEachMode(t, async (t, mode) => {
    const answer = await ask(mode, '/app/x', FETCH)
    t.equal(answer.status, 401)
    t.match(JSON.parse(answer.body), {
      reason: 'credential_missing',
      sign_in: `${ORIGIN}/_poolgate/sign-in?session=web`,
    })
    t.match(answer.headers, { location: undefined, 'x-poolgate-sign-in': undefined })
    t.same(answer.setCookies, [])
  })
})

t.test('F-06: a cookie that is no session is never let in, and ends in the browser', async (t) => {
  const [, own = ''] = await signIn()
  const changed = own.slice(0, -40) + (own.at(-40) === 'A' ? 'B' : 'A') + own.slice(-39)
  const ended = (answer: Asked) =>
    answer.setCookies.filter((line) => line.startsWith(`${COOKIE}=; Max-Age=0;`)).length
  await inEachMode(t, async (t, mode) => {
    for (const cookie of [`${COOKIE}=1.abc`, changed, `${own}; ${own}`, `${COOKIE}=`]) {
      const called = await ask(mode, '/app/x', ['Cookie', cookie, ...FETCH])
      t.equal(called.status, 401, cookie.slice(0, 40))
      t.equal(JSON.parse(called.body).reason, 'session_ended')
      t.equal(ended(called), 1)
      const opened = await ask(mode, '/app/x', ['Cookie', cookie, ...NAVIGATION])
      t.equal(opened.status, IN_TWO_STATUSES.includes(mode) ? 401 : 302)
      t.equal(ended(opened), 1)
      const bearer = ['Authorization', `Bearer ${issuer.access({ exp: 1 })}`]
      const presented = await ask(mode, '/app/x', ['Cookie', own, ...bearer])
      t.equal(presented.status, 401, 'a session does not come to a bad token’s help')
    }
  })
})

t.test('whoever is let in with a session that was renewed gets its new cookie', async (t) => {
  const own = await signIn({ access: { exp: Math.floor(Date.now() / 1000) + 50 } })
  await eventually('it is renewed', async () => (await ask('proxy', '/app/x', own)).setCookies[0])
  await inEachMode(t, async (t, mode) => {
    const { status, setCookies, cacheControl } = await ask(mode, '/app/x', own)
    t.equal(status, 200)
    const renewed = new CookieJar().take(setCookies).headers()
    t.match(renewed[1], OWN)
    t.not(renewed[1], own[1])
    t.equal(cacheControl, 'no-store')
    t.equal((await ask(mode, '/app/x', renewed)).status, 200)
  })
})

t.test('no decision is asked about Poolgate’s own pages', async (t) => {
  const own = await signIn()
  await inEachMode(
    t,
    async (t, mode) => {
      for (const page of ['sign-in', 'callback', 'sign-out', 'session']) {
        const { status } = await ask(mode, `/_poolgate/${page}`, [...own, ...NAVIGATION])
        t.ok(status === 403 || status === 404, `${page} ${status}`)
      }
    },
    ASKED_ABOUT,
  )
})
