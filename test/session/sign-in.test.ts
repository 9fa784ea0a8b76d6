// A browser that needs a session is sent to the managed login, with all that it must bring back; and not for ever.
import t from 'tap'
import {
  type Browser,
  fieldsOf,
  locationOf,
  ORIGIN,
  setStage,
  toFacts,
} from '../support/sign-in-stage.ts'

const attemptsOf = ({ cookies }: Browser) =>
  [...cookies.keys()].filter((name) => name.startsWith('__Host-poolgate-attempt-'))

t.test(
  'a challenge is a redirect with an attempt cookie, and comes back to the page',
  async (t) => {
    const { signIn, login, ...stage } = await setStage(t)
    const browser = stage.browser()
    const page = browser.keep(await signIn.challenge(browser.facts('/orders?next=//a'), {}))
    t.equal(page.status, 302)
    t.equal(page.body, '')
    t.same(fieldsOf(page, 'cache-control'), ['no-store'])
    const location = locationOf(page)
    t.equal(`${location.origin}${location.pathname}`, `${login.domain}/oauth2/authorize`)
    t.equal(location.searchParams.get('redirect_uri'), `${ORIGIN}/_poolgate/callback`)
    t.equal(attemptsOf(browser).length, 1)
    const back = await browser.go(`/_poolgate/callback?${login.grant(location.href)}`)
    t.same(fieldsOf(back, 'location'), [`${ORIGIN}/orders?next=//a`])
    t.same(attemptsOf(browser), [])
  },
)

t.test('what the route asks for counts before the settings, and the stricter age', async (t) => {
  const { signIn } = await setStage(t, {
    sessions: { main: { acrValues: ['a', 'b'], maxAge: '1m' } },
  })
  const ask = async (hint: Parameters<typeof signIn.challenge>[1]) => {
    const { searchParams } = locationOf(await signIn.challenge(toFacts('/'), hint))
    return [searchParams.get('acr_values'), searchParams.get('max_age')]
  }
  t.same(await ask({}), ['a b', '60'])
  t.same(await ask({ acrValues: ['c'], maxAgeSeconds: 30 }), ['c', '30'])
  t.same(await ask({ maxAgeSeconds: 90 }), ['a b', '60'])
  const plain = await setStage(t)
  const { searchParams } = locationOf(
    await plain.signIn.challenge(toFacts('/'), { maxAgeSeconds: 0 }),
  )
  t.same([searchParams.get('acr_values'), searchParams.get('max_age')], [null, '0'])
})

t.test('a host of no origin is told so, and gets no redirect', async (t) => {
  const { signIn } = await setStage(t)
  const facts = toFacts('/', { host: 'evil.example' })
  t.equal((await signIn.challenge(facts, {})).status, 400)
  t.equal(signIn.urlAt(facts), undefined)
  t.equal(signIn.returnTo(facts, '/'), undefined)
  t.equal((await signIn.signOut(facts)).status, 400)
})

t.test('tabs that sign in at the same time do not disturb each other', async (t) => {
  const { login, ...stage } = await setStage(t)
  const browser = stage.browser()
  const pages = []
  for (const path of ['/a', '/b', '/c']) {
    pages.push(await browser.go(`/_poolgate/sign-in?return_to=${path}`))
  }
  t.equal(attemptsOf(browser).length, 3)
  const answers = pages.map((page) => login.grant(locationOf(page).href))
  const back = await Promise.all(
    answers.map((answer) => browser.go(`/_poolgate/callback?${answer}`)),
  )
  t.same(
    back.map((page) => locationOf(page).pathname),
    ['/a', '/b', '/c'],
  )
  t.same(attemptsOf(browser), [])
})

t.test('nothing is asked of the store before a browser is back', async (t) => {
  const { kept, signIn } = await setStage(t)
  kept.fails = 'claim'
  t.equal((await signIn.challenge(toFacts('/'), {})).status, 302)
})

t.test('a session that does not last is seen after three turns, and said why', async (t) => {
  const { clock, enter, ...stage } = await setStage(t)
  const browser = stage.browser()
  const forget = () => browser.cookies.delete('__Host-poolgate-main')
  for (const _ of [1, 2, 3]) {
    t.equal((await enter(browser)).status, 303)
    forget()
  }
  for (const page of [
    await stage.signIn.challenge(browser.facts('/orders'), {}),
    await browser.go('/_poolgate/sign-in?return_to=/orders'),
  ]) {
    t.equal(page.status, 400)
    t.match(page.body, 'goes round in a circle')
    t.match(page.body, `return_to=${encodeURIComponent(`${ORIGIN}/orders`)}&amp;prompt=login"`)
  }
  const anyway = await browser.go('/_poolgate/sign-in?prompt=login')
  t.equal(anyway.status, 302, 'a person may try once more')
  await clock.advance(60_000)
  t.equal((await browser.go('/_poolgate/sign-in')).status, 302, 'a minute later it is no circle')
})

t.test('who has a session may be asked for another one five times a minute', async (t) => {
  const { enter, ...stage } = await setStage(t)
  const browser = stage.browser()
  for (const _ of [1, 2, 3, 4, 5]) {
    t.equal((await enter(browser, undefined, '?max_age=60')).status, 303)
    t.equal((await stage.signIn.challenge(browser.facts('/'), {})).status, 302)
  }
  await enter(browser, undefined, '?max_age=60')
  const page = await stage.signIn.challenge(browser.facts('/'), {})
  t.equal(page.status, 400, 'a route that no sign-in is strong enough for')
  t.match(page.body, 'stronger sign-in than this user pool gives')
})

t.test(
  'signing out goes on when the token cannot be revoked, and says so in the log',
  async (t) => {
    const { login, enter, signIn, kept, ...stage } = await setStage(t, {
      sessions: { main: { signedOut: '/bye' } },
    })
    const browser = stage.browser()
    await enter(browser)
    login.instead = (response) => response.writeHead(500).end()
    const out = browser.keep(await signIn.signOut(browser.facts('/')))
    t.equal(out.status, 303)
    t.match(out.detail, 'not revoked')
    t.equal(locationOf(out).searchParams.get('logout_uri'), `${ORIGIN}/bye`)
    t.equal(kept.sessions.size, 0)
    t.same([...browser.cookies], [])
  },
)

t.test('signing out when nobody has signed in ends what the managed login remembers', async (t) => {
  const { login, signIn } = await setStage(t)
  const out = await signIn.signOut(toFacts('/'))
  t.equal(locationOf(out).pathname, '/logout')
  t.same(login.requests, [])
})

t.test('a store that is down ends no session behind anybody’s back', async (t) => {
  const { kept, signIn } = await setStage(t)
  kept.fails = 'end'
  const page = await signIn.signOut(toFacts('/'))
  t.equal(page.status, 503)
  t.same(fieldsOf(page, 'retry-after'), ['5'])
})
