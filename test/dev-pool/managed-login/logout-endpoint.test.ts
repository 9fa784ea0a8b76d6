// /logout: forgets who signed in, and leads only where a client may lead.
import t from 'tap'
import { CALLBACK, READER, startDevSignIn } from '../../support/dev-sign-in.ts'

const dev = await startDevSignIn({ logoutUrls: ['https://app.example/bye'] })
const client_id = dev.pool.webClientId

async function signedIn() {
  const browser = dev.browse()
  await browser.submit(await browser.open(dev.authorizeUrl()), READER)
  return browser
}

const toUrl = (query: Record<string, string>) => `/logout?${new URLSearchParams(query)}`

t.test('to the logout URL, and the next client asks again', async (t) => {
  const browser = await signedIn()
  const page = await browser.open(toUrl({ client_id, logout_uri: 'https://app.example/bye' }))
  t.equal(page.url, 'https://app.example/bye')
  t.equal(page.status, 302)
  t.equal(browser.cookies.size, 0)
  t.equal((await browser.open(dev.authorizeUrl())).heading, 'Sign in')
})

t.test('the cookie is worth nothing afterwards, whoever kept it', async (t) => {
  const browser = await signedIn()
  const kept = new Map(browser.cookies)
  await browser.open(toUrl({ client_id, logout_uri: 'https://app.example/bye' }))
  for (const [name, value] of kept) browser.cookies.set(name, value)
  t.equal((await browser.open(dev.authorizeUrl())).heading, 'Sign in')
})

t.test('or to signing in again, as somebody else', async (t) => {
  const browser = await signedIn()
  const again = { client_id, redirect_uri: CALLBACK, response_type: 'code', state: 'next' }
  const page = await browser.open(toUrl(again))
  t.equal(page.heading, 'Sign in')
  const back = await browser.submit(page, { username: 'admin', password: 'Admin-Pass-1' })
  t.equal(new URL(back.url).searchParams.get('state'), 'next')
})

t.test('anything else is a page, and the sign-in stays', async (t) => {
  const browser = await signedIn()
  const bad: Record<string, string>[] = [
    {},
    { client_id },
    { logout_uri: 'https://app.example/bye' },
    { client_id: 'x', logout_uri: 'https://app.example/bye' },
    { client_id, logout_uri: 'https://evil.example/' },
    { client_id, logout_uri: 'http://localhost/' },
    { client_id, logout_uri: '' },
    { client_id, redirect_uri: CALLBACK },
    { client_id, post_logout_redirect_uri: 'https://app.example/bye' },
  ]
  for (const query of bad) {
    const page = await browser.open(toUrl(query))
    t.equal(page.status, 400, JSON.stringify(query))
    t.equal(page.heading, 'Something is wrong')
  }
  t.ok(dev.codeOf(await browser.open(dev.authorizeUrl())))
})

t.test('without a sign-in it leads on all the same', async (t) => {
  const page = await dev.browse().open(toUrl({ client_id, logout_uri: 'https://app.example/bye' }))
  t.equal(page.url, 'https://app.example/bye')
})
