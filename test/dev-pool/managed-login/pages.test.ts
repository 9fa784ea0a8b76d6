// What holds for every page of the managed login: its policy, its cookie, and forms that only their own browser can send.
import t from 'tap'
import { READER, startDevSignIn } from '../../support/dev-sign-in.ts'

const dev = await startDevSignIn()
const { pool, clock } = dev
const PATHS = ['/login', '/signup', '/forgotPassword', '/_dev/provider']

t.test(
  'no page runs, loads or frames anything, is stored, or has an unlabelled field',
  async (t) => {
    for (const path of PATHS) {
      const url = dev.authorizeUrl(
        { identity_provider: path === '/_dev/provider' ? 'CorpAD' : undefined },
        path,
      )
      const { html, headers, status } = await dev.browse().open(url)
      t.equal(status, 200, path)
      t.match(headers.get('content-security-policy'), /^default-src 'none'; style-src 'sha256-/)
      t.match(headers.get('content-security-policy'), "frame-ancestors 'none'")
      t.equal(headers.get('cache-control'), 'no-store')
      t.equal(headers.get('referrer-policy'), 'same-origin')
      t.notMatch(html, /<script|style="|\son\w+=/)
      t.match(html, /<html lang="en">.*<title>[^<]+ · dev pool<\/title>/s)
      const shown = [...html.matchAll(/<input id="([^"]+)"[^>]* autocomplete="[^"]+"/g)]
      t.ok(shown.length > 0)
      for (const [, id] of shown) t.match(html, `<label for="${id}">`)
      t.equal(html.match(/ autofocus/g)?.length, 1)
      t.equal((await fetch(url, { method: 'HEAD' })).status, 200)
      t.equal((await fetch(url, { method: 'PUT' })).status, 405)
    }
  },
)

t.test('the cookie is for servers, and another one after signing in', async (t) => {
  const answer = await fetch(dev.authorizeUrl({}, '/login'))
  const [cookie] = answer.headers.getSetCookie()
  t.match(cookie, /^poolgate-dev-login=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=3600$/)
  const browser = dev.browse()
  const page = await browser.open(dev.authorizeUrl())
  const before = new Map(browser.cookies)
  t.ok(dev.codeOf(await browser.submit(page, READER)))
  t.notSame([...browser.cookies.values()], [...before.values()])
  const planted = dev.browse()
  for (const [name, value] of before) planted.cookies.set(name, value)
  t.equal((await planted.open(dev.authorizeUrl())).heading, 'Sign in')
})

t.test('a form is taken only with its token, its cookie and its origin', async (t) => {
  const browser = dev.browse()
  const page = await browser.open(dev.authorizeUrl())
  const token = /name="form_token" value="([^"]+)"/.exec(page.html)?.[1] ?? ''
  const cookie = [...browser.cookies].map((pair) => pair.join('=')).join()
  const send = async (form_token: string, headers: Record<string, string>) => {
    const body = new URLSearchParams({ form_token, ...READER })
    return (await fetch(page.url, { method: 'POST', body, headers, redirect: 'manual' })).status
  }
  t.equal(await send('', { cookie }), 403)
  t.equal(await send(`${token}x`, { cookie }), 403)
  t.equal(await send(token, {}), 403)
  t.equal(await send('', {}), 403)
  for (const origin of ['https://evil.example', 'null', `${pool.origin}0`]) {
    t.equal(await send(token, { cookie, origin }), 403, origin)
  }
  const other = dev.browse()
  await other.open(dev.authorizeUrl())
  const otherCookie = [...other.cookies].map((pair) => pair.join('=')).join()
  t.equal(await send(token, { cookie: otherCookie }), 403, "another browser's")
  t.equal(await send(token, { cookie, origin: pool.origin }), 303)
})

t.test('a page that was open for an hour says so', async (t) => {
  const browser = dev.browse()
  const page = await browser.open(dev.authorizeUrl())
  clock.stepWall(3_600_000)
  const late = await browser.submit(page, READER)
  t.equal(late.status, 403)
  t.match(late.alert, 'expired')
})

t.test('whatever the request holds is text on the page', async (t) => {
  const evil = `"><script>alert(1)</script>`
  const { html } = await dev.browse().open(dev.authorizeUrl({ login_hint: evil, state: evil }))
  t.notMatch(html, '<script')
  t.match(html, 'value="&quot;&gt;&lt;script&gt;')
})

t.test('a step that nobody has begun leads to the beginning', async (t) => {
  for (const path of ['/confirm', '/changePassword', '/mfa', '/_dev/provider']) {
    t.equal((await dev.browse().open(dev.authorizeUrl({}, path))).heading, 'Sign in', path)
  }
  const reset = await dev.browse().open(dev.authorizeUrl({}, '/confirmForgotPassword'))
  t.equal(reset.heading, 'Forgot your password?')
  t.equal((await dev.browse().open('/mfa')).status, 400)
})
