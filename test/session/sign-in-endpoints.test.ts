// The own paths of sign-in: what each answers to a browser, to a script, and to whoever asks for the wrong thing.
import t from 'tap'
import { fieldsOf, locationOf, ORIGIN, setStage, toFacts } from '../support/sign-in-stage.ts'
import { createSignInEndpoints } from '../../src/session/sign-in-endpoints.ts'

const SUBJECT = '6235a4f4-0001-7000-a000-000000000001'

t.test('a browser signs in, is who it is, and signs out for real', async (t) => {
  const { login, kept, enter, ...stage } = await setStage(t)
  const browser = stage.browser()
  const back = await enter(browser, undefined, '?return_to=/orders?id=7')
  t.equal(back.status, 303)
  t.same(fieldsOf(back, 'location'), [`${ORIGIN}/orders?id=7`])
  t.same([...browser.cookies.keys()].sort(), ['__Host-poolgate-main', '__Host-poolgate-turns'])

  const who = await browser.go('/_poolgate/session')
  t.equal(who.status, 200)
  t.same(JSON.parse(who.body), {
    signed_in: true,
    session: 'main',
    subject: SUBJECT,
    username: 'jane',
    email: 'jane@example.com',
    groups: [],
    expires_at: '2026-11-23T13:00:00.000Z',
    session_ends_at: '2026-11-24T00:00:00.000Z',
  })

  const asks = await browser.go('/_poolgate/sign-out')
  t.equal(asks.status, 200)
  t.match(asks.body, '<form method="post" action="/_poolgate/sign-out?session=main">')
  t.equal(kept.sessions.size, 1, 'a GET ends nothing')
  const out = await browser.go('/_poolgate/sign-out', {
    method: 'POST',
    headers: ['Sec-Fetch-Site', 'same-origin'],
  })
  t.equal(out.status, 303)
  t.equal(
    locationOf(out).href,
    `${login.domain}/logout?client_id=${stage.issuer.clientId}&logout_uri=${encodeURIComponent(`${ORIGIN}/_poolgate/signed-out`)}`,
  )
  t.equal(login.requests.at(-1)?.path, '/oauth2/revoke')
  t.same([...browser.cookies], [], 'nothing is left in the browser')
  t.equal(kept.sessions.size, 0)
  t.equal((await browser.go('/_poolgate/session')).status, 401)
  t.match((await browser.go('/_poolgate/signed-out')).body, 'href="/_poolgate/sign-in"')
})

t.test(
  'whoever has signed in goes on at once, unless something in particular is asked',
  async (t) => {
    const { enter, ...stage } = await setStage(t)
    const browser = stage.browser()
    await enter(browser)
    const on = await browser.go('/_poolgate/sign-in?return_to=/a')
    t.equal(on.status, 302)
    t.same(fieldsOf(on, 'location'), [`${ORIGIN}/a`])
    for (const query of ['provider=Google', 'prompt=login', 'acr_values=x', 'max_age=0']) {
      const location = locationOf(await browser.go(`/_poolgate/sign-in?${query}`))
      t.equal(location.pathname, '/oauth2/authorize', query)
      const [name = '', value = ''] = query.replace('provider', 'identity_provider').split('=')
      t.equal(location.searchParams.get(name), value)
    }
    const odd = locationOf(await browser.go('/_poolgate/sign-in?provider=A&prompt=x&max_age=-1'))
    t.equal(odd.searchParams.get('prompt'), null)
    t.equal(odd.searchParams.get('max_age'), null)
  },
)

t.test('new users are sent to the page where they sign up', async (t) => {
  const stage = await setStage(t)
  const location = locationOf(await stage.browser().go('/_poolgate/sign-up?login_hint=jane'))
  t.equal(location.pathname, '/signup')
  t.equal(location.searchParams.get('login_hint'), 'jane')
  t.equal(location.searchParams.get('code_challenge_method'), 'S256')
})

t.test(
  'where several sessions are configured for a host, the browser is asked which',
  async (t) => {
    const { browser, signIns } = await setStage(t, {
      sessions: {
        staff: {},
        customers: { origins: [ORIGIN, 'https://shop.example.com'], identityProvider: 'Google' },
      },
    })
    const page = await browser().go('/_poolgate/sign-in?return_to=/a')
    t.equal(page.status, 400)
    t.match(page.body, 'href="/_poolgate/sign-in?return_to=%2Fa&amp;session=staff"')
    t.match(page.body, 'session=customers"')
    const named = await browser().go('/_poolgate/sign-in?session=customers')
    t.equal(locationOf(named).searchParams.get('identity_provider'), 'Google')
    const only = await browser().go('/_poolgate/sign-in', { host: 'shop.example.com' })
    t.equal(
      locationOf(only).searchParams.get('redirect_uri'),
      'https://shop.example.com/_poolgate/callback',
    )
    const unknown = await browser().go('/_poolgate/sign-in?session=nobody')
    t.match(unknown, { status: 400, body: /Which session/ }, 'a name that is none of them')
    const script = await browser().go('/_poolgate/session')
    t.equal(script.status, 400)
    t.same(JSON.parse(script.body).sessions, ['staff', 'customers'])
    t.equal(signIns.get('staff')?.urlAt(toFacts('/x')), `${ORIGIN}/_poolgate/sign-in?session=staff`)
  },
)

t.test('each session has attempts of its own', async (t) => {
  const {
    browser: open,
    login,
    kept,
  } = await setStage(t, { sessions: { staff: {}, customers: {} } })
  const browser = open()
  const staff = await browser.go('/_poolgate/sign-in?session=staff')
  const customers = await browser.go('/_poolgate/sign-in?session=customers')
  await browser.go(`/_poolgate/callback?${login.grant(locationOf(customers).href)}`)
  await browser.go(`/_poolgate/callback?${login.grant(locationOf(staff).href)}`)
  t.ok(browser.cookies.has('__Host-poolgate-staff'))
  t.ok(browser.cookies.has('__Host-poolgate-customers'))
  t.equal(kept.sessions.size, 2)
})

t.test('a host of no origin is told which setting decides', async (t) => {
  const stage = await setStage(t)
  const forged = { host: 'evil.example', headers: ['X-Forwarded-Host', 'app.example.com'] }
  for (const path of ['sign-in', 'sign-up', 'sign-out', 'session']) {
    const page = await stage.browser().go(`/_poolgate/${path}`, forged)
    t.equal(page.status, 400, path)
    t.match(page.body, 'origins')
    t.match(page.body, 'evil.example')
  }
})

t.test('a script is told as JSON that nobody has signed in, and where one can', async (t) => {
  const stage = await setStage(t)
  const none = await stage.browser().go('/_poolgate/session')
  t.equal(none.status, 401)
  t.same(fieldsOf(none, 'content-type'), ['application/json'])
  t.same(JSON.parse(none.body), {
    signed_in: false,
    sign_in: `${ORIGIN}/_poolgate/sign-in?session=main`,
  })
  const browser = stage.browser()
  browser.cookies.set('__Host-poolgate-main', 'gone')
  t.equal((await browser.go('/_poolgate/session')).status, 401)
  t.same([...browser.cookies], [], 'a session that has ended is cleared')
})

t.test('a session whose token the verifier refuses by now is none', async (t) => {
  const { enter, clock, ...stage } = await setStage(t, { holds: { access: true, id: false } })
  const browser = stage.browser()
  await enter(browser)
  const who = JSON.parse((await browser.go('/_poolgate/session')).body)
  t.match(who, { username: 'jane', email: undefined }, 'the access token has no mail address')
  await clock.advance(3_600_000)
  t.equal((await browser.go('/_poolgate/session')).status, 401)
})

t.test('while the store is down nothing is claimed of the session', async (t) => {
  const { kept, browser } = await setStage(t)
  kept.fails = 'find'
  for (const path of ['session', 'sign-in']) {
    const page = await browser().go(`/_poolgate/${path}`)
    t.equal(page.status, 503, path)
    t.same(fieldsOf(page, 'retry-after'), ['7'])
    t.same(fieldsOf(page, 'set-cookie'), [])
  }
})

t.test('a method that an endpoint does not take is 405', async (t) => {
  const { browser } = await setStage(t)
  for (const path of ['sign-in', 'sign-up', 'signed-out', 'session']) {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const page = await browser().go(`/_poolgate/${path}`, { method })
      t.equal(page.status, 405, `${method} ${path}`)
      t.same(fieldsOf(page, 'allow'), ['GET, HEAD'])
    }
  }
  const back = await browser().go('/_poolgate/callback', { method: 'HEAD' })
  t.match([back.status, fieldsOf(back, 'allow')], [405, ['GET']], 'a HEAD uses no attempt up')
  const page = await browser().go('/_poolgate/sign-out', { method: 'DELETE' })
  t.same(fieldsOf(page, 'allow'), ['GET, HEAD, POST'])
})

t.test('HEAD is answered as GET is, without the body', async (t) => {
  const { browser } = await setStage(t)
  const get = await browser().go('/_poolgate/sign-out')
  const head = await browser().go('/_poolgate/sign-out', { method: 'HEAD' })
  t.equal(head.body, '')
  t.same({ ...head, body: get.body }, get)
  t.same(fieldsOf(head, 'content-length'), [String(Buffer.byteLength(get.body))])
})

t.test('other paths are not answered here', async (t) => {
  const { signIns } = await setStage(t)
  const endpoints = createSignInEndpoints(signIns, '/_poolgate')
  for (const path of ['/', '/_poolgate', '/_poolgate/', '/_poolgate/sign-in/', '/sign-in']) {
    t.equal(endpoints(toFacts(path)), undefined, path)
  }
})

t.test('where nobody signs in none of them is there', async (t) => {
  const endpoints = createSignInEndpoints(new Map(), '/_poolgate')
  for (const name of ['sign-in', 'sign-up', 'callback', 'sign-out', 'signed-out', 'session']) {
    t.equal(endpoints(toFacts(`/_poolgate/${name}`)), undefined, name)
  }
})

t.test('nobody asks by URL for less than the session asks of everybody', async (t) => {
  const { browser } = await setStage(t, {
    sessions: { main: { acrValues: ['urn:cognito:loa:4', 'urn:cognito:loa:3'] } },
  })
  const askedFor = async (query: string) =>
    locationOf(await browser().go(`/_poolgate/sign-in?${query}`)).searchParams.get('acr_values')
  t.equal(await askedFor('acr_values=urn:cognito:loa:1'), 'urn:cognito:loa:4 urn:cognito:loa:3')
  t.equal(await askedFor('acr_values=urn:cognito:loa:1+urn:cognito:loa:4'), 'urn:cognito:loa:4')
  t.equal(await askedFor('acr_values='), 'urn:cognito:loa:4 urn:cognito:loa:3')
})
