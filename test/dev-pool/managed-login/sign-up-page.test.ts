// /signup and /confirm: from nothing to a user who can sign in, with the code read off the page.
import { decodeJwt } from 'jose'
import t from 'tap'
import { startDevSignIn } from '../../support/dev-sign-in.ts'
import type { FormBrowser } from '../../support/form-browser.ts'

const dev = await startDevSignIn()
const ANN = { username: 'ann', email: 'ann@example.com', password: 'Long-Pass-1' }

async function signUp(browser: FormBrowser, fields: Record<string, string>) {
  const page = await browser.follow(await browser.open(dev.authorizeUrl()), 'Create an account')
  return browser.submit(page, fields)
}

const codeOn = (html: string) => /<strong>(\d{6})<\/strong>/.exec(html)?.[1] ?? ''

t.test('sign up, confirm with the code on the page, and be signed in', async (t) => {
  const browser = dev.browse()
  const confirm = await signUp(browser, ANN)
  t.equal(confirm.heading, 'Confirm your account')
  t.match(confirm.alert, 'The dev pool sends no mail: your code is')
  const code = codeOn(confirm.html)
  t.equal(code, dev.pool.code('ann'))

  const wrong = await browser.submit(confirm, { code: code === '000000' ? '000001' : '000000' })
  t.match(wrong.html, /role="alert"/)
  t.match(wrong.html, /<input id="code"[^>]* aria-describedby="problem" aria-invalid="true"/)

  const tokens = await dev.exchange(await browser.submit(wrong, { code }))
  t.match(decodeJwt(tokens.id_token ?? ''), {
    email: ANN.email,
    email_verified: true,
    acr: 'urn:cognito:loa:1',
    amr: ['pwd'],
  })
  t.ok(dev.codeOf(await browser.open(dev.authorizeUrl())), 'the browser is known from now on')
})

t.test('who signs in before confirming is led there', async (t) => {
  const bea = { username: 'bea', email: 'bea@example.com', password: 'Long-Pass-1' }
  await signUp(dev.browse(), bea)
  const browser = dev.browse()
  const page = await browser.submit(await browser.open(dev.authorizeUrl()), {
    username: 'bea',
    password: bea.password,
  })
  t.equal(page.heading, 'Confirm your account')
  const other = await browser.submit(page, { resend: 'yes' })
  t.not(codeOn(other.html), '')
  const code = codeOn(other.html)
  t.equal(code, dev.pool.code('bea'))

  const done = await browser.submit(other, { code })
  t.equal(done.heading, 'Sign in', 'the sign-up was in another browser')
  t.match(done.alert, 'confirmed')
  const { username, password } = bea
  t.ok(dev.codeOf(await browser.submit(done, { username, password })))
})

t.test('nobody is signed in as who took the name since, or is disabled', async (t) => {
  const cat = { username: 'cat', email: 'cat@example.com', password: 'Long-Pass-1' }
  const former = dev.browse()
  await signUp(former, cat)
  await dev.admin('AdminDeleteUser', { Username: 'cat' })
  dev.clock.stepWall(1)
  await signUp(dev.browse(), cat)
  const page = await former.open(dev.authorizeUrl({}, '/confirm'))
  const done = await former.submit(page, { code: dev.pool.code('cat') ?? '' })
  t.equal(done.heading, 'Sign in')

  const browser = dev.browse()
  const confirm = await signUp(browser, { ...cat, username: 'dan', email: 'dan@example.com' })
  await dev.admin('AdminDisableUser', { Username: 'dan' })
  const refused = await browser.submit(confirm, { code: dev.pool.code('dan') ?? '' })
  t.equal(refused.heading, 'Confirm your account')
})

t.test('what is wrong is said at its field, and the rest is kept', async (t) => {
  const cases: [Record<string, string>, string, RegExp][] = [
    [{ password: 'short' }, 'password', /Password did not conform/],
    [{ email: 'x' }, 'email', /Invalid email/],
    [{ username: 'reader' }, 'username', /already exists/],
    [{ username: 'a b' }, 'username', /username/],
  ]
  for (const [changes, field, problem] of cases) {
    const fields = { username: 'cy', email: 'cy@example.com', password: 'Long-Pass-1', ...changes }
    const page = await signUp(dev.browse(), fields)
    t.equal(page.heading, 'Create an account')
    t.match(page.alert, problem)
    t.match(page.html, new RegExp(`<input id="${field}"[^>]* aria-invalid="true" autofocus`))
    t.match(page.html, `value="${fields.email}"`)
    t.notMatch(page.html, fields.password)
  }
})
