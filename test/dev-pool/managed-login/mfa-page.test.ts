// /mfa: setting an authenticator app up, being asked for its code, and step-up for clients that want more than a password.
import { decodeJwt } from 'jose'
import t from 'tap'
import { totpAt } from '../../../src/dev-pool/totp.ts'
import { READER, startDevSignIn } from '../../support/dev-sign-in.ts'
import type { Shown } from '../../support/form-browser.ts'

const LOA_4 = { acr_values: 'urn:cognito:loa:4' }
const secretOn = ({ html }: Shown) =>
  (/<code id="secret">([^<]*)</.exec(html)?.[1] ?? '').replaceAll(' ', '')

t.test(
  'step-up leads a user without an app through its set-up, and later sign-ins ask',
  async (t) => {
    const dev = await startDevSignIn()
    const browser = dev.browse()
    const setUp = await browser.submit(await browser.open(dev.authorizeUrl(LOA_4)), READER)
    t.equal(setUp.heading, 'Set up an authenticator app')
    const secret = secretOn(setUp)
    t.match(secret, /^[A-Z2-7]{32}$/)
    t.match(setUp.html, `otpauth://totp/Poolgate%20dev%20pool:reader?secret=${secret}`)

    const code = totpAt(secret, dev.clock.now())
    t.match(setUp.alert, `an app would show ${code} now`)
    const wrong = await browser.submit(setUp, { code: code === '000000' ? '000001' : '000000' })
    t.match(wrong.alert, 'That code is not right')
    t.equal(secretOn(wrong), secret, 'the secret stays')
    const tokens = await dev.exchange(await browser.submit(wrong, { code }))
    const strong = { acr: 'urn:cognito:loa:4', amr: ['pwd', 'otp', 'mfa'] }
    t.match(decodeJwt(tokens.id_token ?? ''), strong)
    t.ok(dev.codeOf(await browser.open(dev.authorizeUrl(LOA_4))), 'the browser is known as such')

    const other = dev.browse()
    const asked = await other.submit(await other.open(dev.authorizeUrl()), READER)
    t.equal(asked.heading, 'Enter your code')
    t.match(asked.alert, `an app would show ${code} now`)
    t.notMatch(asked.html, secret)
    const replayed = await other.submit(asked, { code })
    t.match(replayed.alert, 'Invalid code', 'a code counts once')
    dev.clock.stepWall(30_000)
    const next = { code: totpAt(secret, dev.clock.now()) }
    const again = await dev.exchange(await other.submit(replayed, next))
    t.match(decodeJwt(again.access_token ?? ''), strong)
  },
)

t.test(
  'an app can be set up without any client; a weaker sign-in then has to sign in again',
  async (t) => {
    const dev = await startDevSignIn()
    const weak = dev.browse()
    await weak.submit(await weak.open(dev.authorizeUrl()), READER)
    const browser = dev.browse()
    await browser.submit(await browser.open(dev.authorizeUrl()), READER)
    const setUp = await browser.open('/mfa')
    const code = totpAt(secretOn(setUp), dev.clock.now())
    const done = await browser.submit(setUp, { code })
    t.equal(done.heading, 'Authenticator app')
    t.match(done.alert, 'is set up for reader')
    t.ok(dev.codeOf(await browser.open(dev.authorizeUrl({}, '/mfa'))), 'a client is served')

    t.ok(dev.codeOf(await weak.open(dev.authorizeUrl())))
    const form = await weak.open(dev.authorizeUrl(LOA_4))
    t.equal(form.heading, 'Sign in')
    t.notMatch(form.html, 'Continue as')
    t.equal((await weak.submit(form, READER)).heading, 'Enter your code')
  },
)

t.test('no code is asked for where a password would do too', async (t) => {
  const dev = await startDevSignIn()
  const browser = dev.browse()
  const acr_values = 'urn:cognito:loa:4 urn:cognito:loa:1'
  const page = await browser.open(dev.authorizeUrl({ acr_values }))
  t.ok(dev.codeOf(await browser.submit(page, READER)))
  t.ok(dev.codeOf(await browser.open(dev.authorizeUrl({ acr_values: 'urn:other' }))))
})

t.test('another user of the same name sets nothing up with an old cookie', async (t) => {
  const dev = await startDevSignIn()
  const browser = dev.browse()
  await browser.submit(await browser.open(dev.authorizeUrl()), READER)
  t.equal((await browser.open('/mfa')).heading, 'Set up an authenticator app')
  await dev.admin('AdminDeleteUser', { Username: 'reader' })
  dev.clock.stepWall(1)
  await dev.admin('AdminCreateUser', { Username: 'reader', MessageAction: 'SUPPRESS' })
  t.equal((await browser.open('/mfa')).status, 400)
})

t.test('five wrong codes, or three minutes, end the sign-in', async (t) => {
  const dev = await startDevSignIn()
  const browser = dev.browse()
  const setUp = await browser.submit(await browser.open(dev.authorizeUrl(LOA_4)), READER)
  const secret = secretOn(setUp)
  await browser.submit(setUp, { code: totpAt(secret, dev.clock.now()) })
  const start = async () => {
    const other = dev.browse()
    const page = await other.submit(await other.open(dev.authorizeUrl()), READER)
    return { other, page }
  }
  const { other, page } = await start()
  for (let count = 1; count <= 5; count++) {
    t.equal((await other.submit(page, { code: 'x' })).heading, 'Enter your code')
  }
  dev.clock.stepWall(60_000)
  const code = totpAt(secret, dev.clock.now())
  t.equal((await other.submit(page, { code })).heading, 'Sign in')
  const late = await start()
  dev.clock.stepWall(180_000)
  const lateCode = totpAt(secret, dev.clock.now())
  const ended = await late.other.submit(late.page, { code: lateCode })
  t.equal(ended.heading, 'Sign in')
  t.match(ended.alert, 'expired')
})
