// /changePassword: a user whom an operator has made chooses a password before the first sign-in is done.
import { decodeJwt } from 'jose'
import t from 'tap'
import { startDevSignIn } from '../../support/dev-sign-in.ts'

const dev = await startDevSignIn()

async function begin(username: string) {
  const temporary = { TemporaryPassword: 'Temporary-1', MessageAction: 'SUPPRESS' }
  await dev.admin('AdminCreateUser', { Username: username, ...temporary })
  const browser = dev.browse()
  const form = await browser.open(dev.authorizeUrl())
  const page = await browser.submit(form, { username, password: 'Temporary-1' })
  t.equal(page.heading, 'Choose a password')
  return { browser, page }
}

t.test('a good password finishes the sign-in, and counts from then on', async (t) => {
  const { browser, page } = await begin('ann')
  const weak = await browser.submit(page, { password: 'weak' })
  t.match(weak.alert, 'Password did not conform')
  const tokens = await dev.exchange(await browser.submit(weak, { password: 'Long-Pass-1' }))
  t.equal(decodeJwt(tokens.access_token ?? '').username, 'ann')
  t.type((await dev.signIn({ username: 'ann', password: 'Long-Pass-1' })).access_token, 'string')
})

t.test('after three minutes it begins again', async (t) => {
  const { browser, page } = await begin('bea')
  dev.clock.stepWall(180_000)
  const late = await browser.submit(page, { password: 'Long-Pass-1' })
  t.equal(late.heading, 'Sign in')
  t.match(late.alert, 'expired')
})
