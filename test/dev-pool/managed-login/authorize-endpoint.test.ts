// /oauth2/authorize: who goes on without a form, who is asked, and what a client is told that wants no page shown.
import { decodeJwt } from 'jose'
import t from 'tap'
import { READER, startDevSignIn } from '../../support/dev-sign-in.ts'

const dev = await startDevSignIn()
const { clock } = dev

async function signedIn(changes: Record<string, string> = {}) {
  const browser = dev.browse()
  const page = await browser.submit(await browser.open(dev.authorizeUrl(changes)), READER)
  return { browser, page }
}

const errorOf = (url: string) => new URL(url).searchParams.get('error')

t.test('nobody signed in: the login page, with the request as it came', async (t) => {
  const answer = await fetch(dev.authorizeUrl({ lang: 'de' }), { redirect: 'manual' })
  t.equal(answer.status, 302)
  t.equal(answer.headers.get('cache-control'), 'no-store')
  const { pathname, search } = new URL(answer.headers.get('location') ?? '', dev.pool.origin)
  t.equal(pathname, '/login')
  t.equal(search, new URL(dev.authorizeUrl({ lang: 'de' })).search)
})

t.test(
  'a sign-in gives code and state, and holds for an hour, for other clients too',
  async (t) => {
    const { browser, page } = await signedIn()
    t.match(page.url, /^http:\/\/localhost:1\/callback\?code=[\w-]{36}&state=the-state$/)
    const client_id = dev.pool.serverClient.id
    t.ok(dev.codeOf(await browser.open(dev.authorizeUrl({ client_id }))))
    clock.stepWall(3_599_999)
    t.ok(dev.codeOf(await browser.open(dev.authorizeUrl())))
    clock.stepWall(1)
    t.equal((await browser.open(dev.authorizeUrl())).heading, 'Sign in')
  },
)

t.test('auth_time is when the form was sent, however late the code comes', async (t) => {
  const { browser } = await signedIn()
  const then = clock.now() / 1000
  clock.stepWall(60_000)
  const tokens = await dev.exchange(await browser.open(dev.authorizeUrl()))
  t.equal(decodeJwt(tokens.access_token ?? '').auth_time, then)
})

t.test('prompt=login and select_account ask again; none and consent do not', async (t) => {
  const { browser } = await signedIn()
  const forced = await browser.open(dev.authorizeUrl({ prompt: 'login' }))
  t.equal(forced.heading, 'Sign in')
  t.notMatch(forced.html, 'Continue as')
  const chosen = await browser.open(dev.authorizeUrl({ prompt: 'select_account' }))
  t.match(chosen.html, 'Continue as reader')
  t.ok(dev.codeOf(await browser.submit(chosen, { continue: 'yes' })))
  t.ok(dev.codeOf(await browser.open(dev.authorizeUrl({ prompt: 'none' }))))
  t.ok(dev.codeOf(await browser.open(dev.authorizeUrl({ prompt: 'consent' }))))
})

t.test('a button that was not on the page has no effect', async (t) => {
  const { browser } = await signedIn()
  const chosen = await browser.open(dev.authorizeUrl({ prompt: 'select_account' }))
  const forged = {
    ...chosen,
    html: chosen.html.replaceAll('prompt=select_account', 'prompt=login'),
  }
  t.equal((await browser.submit(forged, { continue: 'yes' })).heading, 'Sign in')
})

t.test('prompt=none never shows a page', async (t) => {
  const ask = (changes: Record<string, string>) =>
    dev.browse().open(dev.authorizeUrl({ prompt: 'none', ...changes }))
  t.equal(errorOf((await ask({})).url), 'login_required')
  t.equal(errorOf((await ask({ identity_provider: 'Google' })).url), 'login_required')
  const { browser } = await signedIn()
  const strong = { prompt: 'none', acr_values: 'urn:cognito:loa:4' }
  const page = await browser.open(dev.authorizeUrl(strong))
  t.equal(errorOf(page.url), 'interaction_required')
  t.equal(new URL(page.url).searchParams.get('state'), 'the-state')
})

t.test('max_age asks again once the sign-in is older', async (t) => {
  const { browser } = await signedIn()
  clock.stepWall(10_000)
  t.ok(dev.codeOf(await browser.open(dev.authorizeUrl({ max_age: '10' }))))
  clock.stepWall(1)
  const page = await browser.open(dev.authorizeUrl({ max_age: '10' }))
  t.equal(page.heading, 'Sign in')
  t.notMatch(page.html, 'Continue as')
  const tokens = await dev.exchange(await browser.submit(page, READER))
  t.equal(decodeJwt(tokens.id_token ?? '').auth_time, Math.floor(clock.now() / 1000))
})

t.test('a provider is asked unless the sign-in came from it', async (t) => {
  const { browser } = await signedIn()
  const google = { identity_provider: 'Google' }
  const page = await browser.open(dev.authorizeUrl(google))
  t.equal(page.heading, 'Simulated Google')
  t.ok(dev.codeOf(await browser.submit(page, { account: 'gwen@gmail.example' })))
  t.ok(dev.codeOf(await browser.open(dev.authorizeUrl(google))))
  t.ok(dev.codeOf(await browser.open(dev.authorizeUrl())))
  const corp = await browser.open(dev.authorizeUrl({ idp_identifier: 'corp.example' }))
  t.equal(corp.heading, 'Simulated CorpAD')
  const own = await browser.open(dev.authorizeUrl({ identity_provider: 'COGNITO' }))
  t.equal(own.heading, 'Sign in')
  t.notMatch(own.html, 'Continue with Google')
})

t.test('a bad request ends on a page or at the callback, before anybody is asked', async (t) => {
  const evil = await dev.browse().open(dev.authorizeUrl({ redirect_uri: 'http://evil.example/' }))
  t.equal(evil.status, 400)
  t.equal(evil.heading, 'Something is wrong')
  t.match(evil.alert, 'redirect_mismatch')
  const bad = await dev.browse().open(dev.authorizeUrl({ code_challenge_method: 'plain' }))
  t.equal(errorOf(bad.url), 'invalid_request')
})
