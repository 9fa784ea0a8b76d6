// The browser is back: it leaves with a new session, or learns why it does not.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { fieldsOf, locationOf, ORIGIN, setStage } from '../support/sign-in-stage.ts'

/** Of a user in 100 groups with long names. */
const GROUPS = {
  'cognito:groups': Array.from({ length: 100 }, () => randomBytes(50).toString('hex')),
}

const AGAIN = `href="/_poolgate/sign-in?session=main&amp;return_to=${encodeURIComponent(`${ORIGIN}/a`)}"`

t.test(
  'the attempt is used once: reloading the page, or going back to it, is told so',
  async (t) => {
    const { approach, kept, ...stage } = await setStage(t)
    const browser = stage.browser()
    const answer = await approach(browser, undefined, '?return_to=/a')
    const before = new Map(browser.cookies)
    t.equal((await browser.go(`/_poolgate/callback?${answer}`)).status, 303)
    const reloaded = await browser.go(`/_poolgate/callback?${answer}`)
    t.equal(reloaded.status, 400)
    t.match(reloaded.body, 'reloaded')
    t.match(reloaded.body, 'href="/_poolgate/sign-in"')
    const thief = stage.browser()
    for (const [name, value] of before) thief.cookies.set(name, value)
    const replayed = await thief.go(`/_poolgate/callback?${answer}`)
    t.equal(replayed.status, 400, 'neither by a copy of the cookie')
    t.match(replayed.body, AGAIN)
    t.equal(kept.sessions.size, 1)
  },
)

t.test('whatever goes wrong, the attempt is over and the way back is shown', async (t) => {
  const { approach, login, kept, ...stage } = await setStage(t)
  for (const [what, status, prepare, claims] of [
    ['declined', 400, (answer: URLSearchParams) => answer.set('error', 'access_denied')],
    ['invalid', 400, (answer: URLSearchParams) => answer.set('code', 'x')],
    ['trouble', 502, () => (login.instead = (response) => response.writeHead(500).end())],
    ['no store for claims', 503, () => (kept.fails = 'claim')],
    ['no store for sessions', 503, () => (kept.fails = 'begin')],
    ['no store for older sessions', 503, () => (kept.fails = 'end')],
    ['too large', 500, () => undefined, { access: GROUPS, id: GROUPS }],
  ] as const) {
    const browser = stage.browser()
    const answer = await approach(browser, claims, '?return_to=/a')
    prepare(answer)
    const page = await browser.go(`/_poolgate/callback?${answer}`)
    t.equal(page.status, status, what)
    t.same([...browser.cookies], [], `${what}: no cookie is left`)
    if (status < 500 || status === 502) t.match(page.body, AGAIN, what)
    login.instead = undefined
    kept.fails = undefined
  }
  t.equal(kept.sessions.size, 0)
})

t.test('a weaker sign-in than was asked for is none', async (t) => {
  const { enter, kept, ...stage } = await setStage(t)
  const query = '?acr_values=urn:cognito:loa:3'
  const page = await enter(stage.browser(), undefined, query)
  t.equal(page.status, 403)
  t.match(page.body, 'Lite')
  t.equal(kept.sessions.size, 0)
  const acr = { acr: 'urn:cognito:loa:3' }
  t.equal((await enter(stage.browser(), { id: acr, access: acr }, query)).status, 303)
})

t.test(
  'a session that is too large says which setting helps, and its token is revoked',
  async (t) => {
    const { enter, kept, login, ...stage } = await setStage(t)
    const page = await enter(stage.browser(), { access: GROUPS, id: GROUPS })
    t.match(page.body, /\d{5} bytes\. Set\s+<code>store<\/code>/)
    t.equal(kept.sessions.size, 0)
    t.match(page.detail, 'set store')
    t.equal(login.requests.at(-1)?.path, '/oauth2/revoke')
  },
)

t.test('B-08: signing in ends the older session, under a new id', async (t) => {
  const { enter, kept, login, ...stage } = await setStage(t)
  const browser = stage.browser()
  await enter(browser)
  const planted = [...kept.sessions.keys()]
  const again = await enter(browser, undefined, '?prompt=login')
  t.equal(locationOf(again).pathname, '/')
  t.equal(kept.sessions.size, 1)
  t.notSame([...kept.sessions.keys()], planted)
  t.equal(login.requests.filter(({ path }) => path === '/oauth2/revoke').length, 0)
  const names = fieldsOf(again, 'set-cookie').map((line) => line.split('=')[0])
  t.equal(new Set(names).size, names.length, 'one line for each cookie')
})

t.test('B-08: the refresh token of another user’s session is revoked', async (t) => {
  const { enter, kept, login, ...stage } = await setStage(t)
  const browser = stage.browser()
  await enter(browser, { access: { sub: 'attacker' }, id: { sub: 'attacker' } })
  const [{ tokens: { refresh = '' } = {} } = {}] = [...kept.sessions.values()]
  await enter(browser, undefined, '?prompt=login')
  const revoked = login.requests.find(({ path }) => path === '/oauth2/revoke')
  t.equal(revoked?.body.get('token'), refresh)
})

t.test('the session holds what routes need, and for as long as is configured', async (t) => {
  const { enter, kept, clock, ...stage } = await setStage(t, {
    sessions: { main: { lifetime: '2h' } },
    holds: { access: true, id: false },
  })
  await enter(stage.browser())
  const now = clock.now()
  const [session] = [...kept.sessions.values()]
  t.match(session, {
    id: /^[\w-]{22}$/,
    tokens: { access: /^ey/, id: undefined, refresh: /./ },
    tokensEndMs: now + 3_600_000,
    createdMs: now,
    seenMs: now,
    endsMs: now + 7_200_000,
  })
})
