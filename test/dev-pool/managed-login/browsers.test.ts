// What is remembered of browsers: by a cookie that cannot be guessed, for an hour, for so many.
import t from 'tap'
import { createBrowsers, toCookie } from '../../../src/dev-pool/managed-login/browsers.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const login = { username: 'jane', signedInMs: 1, amr: ['pwd'] }
const cookieOf = (browser: { id: string }) => `poolgate-dev-login=${browser.id}`

t.test('a browser is found by its cookie, wherever that stands', async (t) => {
  const browsers = createBrowsers(createFakeClock())
  const browser = browsers.begin()
  t.match(toCookie({ ...browser }), /^poolgate-dev-login=[\w-]{43}; /)
  for (const cookies of [
    cookieOf(browser),
    `a=b; ${cookieOf(browser)}; c=d`,
    `a=b;${cookieOf(browser)}`,
  ]) {
    t.equal(browsers.find(cookies)?.id, browser.id)
  }
  for (const cookies of [
    undefined,
    '',
    'x',
    `x${cookieOf(browser)}`,
    'poolgate-dev-login=toString',
  ]) {
    t.equal(browsers.find(cookies), undefined)
  }
})

t.test('signing in changes cookie and form token, and forgets what was under way', async (t) => {
  const browsers = createBrowsers(createFakeClock())
  const before = browsers.update(browsers.begin(), {
    pending: { kind: 'reset', username: 'jane' },
    flash: { problem: 'x' },
  })
  const after = browsers.signIn(before, login)
  t.not(after.id, before.id)
  t.not(after.formToken, before.formToken)
  t.strictSame([after.login, after.pending, after.flash], [login, undefined, undefined])
  t.equal(browsers.find(cookieOf(before)), undefined)
  browsers.end(after)
  t.equal(browsers.find(cookieOf(after)), undefined)
})

t.test('an hour, which no visit makes longer', async (t) => {
  const clock = createFakeClock()
  const browsers = createBrowsers(clock)
  const browser = browsers.begin()
  clock.stepWall(3_599_999)
  browsers.update(browser, { pending: undefined, flash: undefined })
  t.ok(browsers.find(cookieOf(browser)))
  clock.stepWall(1)
  t.equal(browsers.find(cookieOf(browser)), undefined)
})

t.test('the newest thousand are kept', async (t) => {
  const browsers = createBrowsers(createFakeClock())
  const all = Array.from({ length: 1_001 }, () => browsers.begin())
  t.equal(browsers.find(cookieOf(all[0] ?? { id: '' })), undefined)
  t.ok(browsers.find(cookieOf(all[1] ?? { id: '' })))
})
