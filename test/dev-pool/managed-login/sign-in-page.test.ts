// /login: in with the right password; a wrong one, a wrong name and a disabled user learn nothing more than that.
import { decodeJwt } from 'jose'
import t from 'tap'
import { READER, startDevSignIn } from '../../support/dev-sign-in.ts'

const dev = await startDevSignIn()

async function open(changes: Record<string, string> = {}) {
  const browser = dev.browse()
  return { browser, page: await browser.open(dev.authorizeUrl(changes)) }
}

t.test('a name or a verified address, and the password', async (t) => {
  for (const username of ['reader', 'reader@example.com', 'Reader@Example.com']) {
    const { browser, page } = await open()
    const tokens = await dev.exchange(await browser.submit(page, { ...READER, username }))
    t.equal(decodeJwt(tokens.access_token ?? '').username, 'reader', username)
  }
  const { browser, page } = await open()
  const unverified = { username: 'guest@example.com', password: 'Guest-Pass-1' }
  t.notOk(dev.codeOf(await browser.submit(page, unverified)))
})

t.test('a wrong name and a wrong password look the same', async (t) => {
  const pages = []
  for (const username of ['reader', 'nobody']) {
    const { browser, page } = await open()
    const wrong = await browser.submit(page, { username, password: 'wrong' })
    t.equal(wrong.status, 200)
    t.equal(wrong.alert, 'Incorrect username or password.')
    t.match(wrong.html, '<title>Error: Sign in')
    t.notMatch(wrong.html, 'wrong')
    const token = /name="form_token" value="([^"]+)"/.exec(wrong.html)?.[1] ?? ''
    pages.push(wrong.html.replaceAll(token, 'TOKEN').replaceAll(username, 'NAME'))
    t.equal((await browser.open(wrong.url)).alert, '', 'and is said once')
  }
  t.equal(pages[0], pages[1])
})

t.test('a hint fills the name in, and leaves the password to be typed', async (t) => {
  const { page } = await open({ login_hint: 'reader' })
  t.match(page.html, /<input id="username"[^>]* value="reader"/)
  t.match(page.html, /<input id="password"[^>]* autofocus/)
})

t.test('a form that is empty is a wrong one', async (t) => {
  const { browser, page } = await open()
  t.equal(
    (await browser.submit(page, { username: '', password: '' })).alert,
    'Incorrect username or password.',
  )
})

t.test('who has to choose a new password is led there', async (t) => {
  await dev.admin('AdminResetUserPassword', { Username: 'admin' })
  const { browser, page } = await open()
  const reset = await browser.submit(page, { username: 'admin', password: 'Admin-Pass-1' })
  t.equal(reset.heading, 'Forgot your password?')
  t.match(reset.alert, 'Password reset required')
  t.match(reset.html, /<input id="username"[^>]* value="admin"/)
})
