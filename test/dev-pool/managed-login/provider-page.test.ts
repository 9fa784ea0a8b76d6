// Simulated providers: marked as such, and the users and claims that come of them have Cognito's shape.
import { decodeJwt } from 'jose'
import t from 'tap'
import { startDevSignIn } from '../../support/dev-sign-in.ts'

const dev = await startDevSignIn()

async function signInAt(identity_provider: string, fields: Record<string, string>) {
  const browser = dev.browse()
  const page = await browser.open(dev.authorizeUrl({ identity_provider }))
  t.match(page.html, /<p class="banner">Not \w+: the dev pool plays it/)
  const tokens = await dev.exchange(await browser.submit(page, fields))
  return [decodeJwt(tokens.access_token ?? ''), decodeJwt(tokens.id_token ?? '')] as const
}

t.test('a user of Google has its name, group, identities and profile', async (t) => {
  const [access, id] = await signInAt('Google', { account: 'gwen@gmail.example' })
  const username = String(access.username)
  t.match(username, /^Google_1\d{20}$/)
  const userId = username.slice('Google_'.length)
  t.match(access, { 'cognito:groups': ['local_devpool_Google'], amr: ['fed'] })
  t.notHas(access, 'identities')
  t.notHas(access, 'acr')
  t.match(id, {
    'cognito:username': username,
    email: 'gwen@gmail.example',
    email_verified: true,
    name: 'Gwen Google',
    given_name: 'Gwen',
    family_name: 'Google',
    picture: `https://pictures.google.example/${userId}`,
  })
  t.strictSame(id.identities, [
    {
      userId,
      providerName: 'Google',
      providerType: 'Google',
      issuer: null,
      primary: 'true',
      dateCreated: String(dev.clock.now()),
    },
  ])
  t.match(
    dev.pool.users().find((user) => user.username === username),
    { status: 'EXTERNAL_PROVIDER', password: undefined, enabled: true },
  )
})

t.test('the same person is the same user, brought up to date', async (t) => {
  const [, before] = await signInAt('Google', { email: 'Pat@Example.com', name: 'Pat' })
  dev.clock.stepWall(1000)
  const [, after] = await signInAt('Google', { email: 'pat@example.com', name: 'Pat Smith' })
  t.equal(after.sub, before.sub)
  t.strictSame(after.identities, before.identities)
  t.notHas(before, 'family_name')
  t.match(after, { name: 'Pat Smith', family_name: 'Smith' })
  t.strictSame(after['cognito:groups'], ['local_devpool_Google'])
  const [, other] = await signInAt('Facebook', { email: 'pat@example.com', name: 'Pat' })
  t.not(other.sub, after.sub, 'who is another one at another provider')
})

t.test('each provider has its kind of name', async (t) => {
  const [facebook] = await signInAt('Facebook', { account: 'fay@facebook.example' })
  t.match(facebook.username, /^Facebook_1\d{15}$/)
  const [amazon, amazonId] = await signInAt('LoginWithAmazon', { account: 'amy@amazon.example' })
  t.match(amazon.username, /^LoginWithAmazon_amzn1\.account\.\d{28}$/)
  t.match(amazonId, { email_verified: false })
  const [corp, corpId] = await signInAt('CorpAD', { account: 'chris@corp.example' })
  t.equal(corp.username, 'CorpAD_chris@corp.example')
  t.match(corpId, {
    'custom:groups': '[Engineering, Admins]',
    identities: [{ providerType: 'SAML', issuer: 'https://sts.corp.example/adfs/services/trust' }],
  })
})

t.test('from the login page by its button, and back', async (t) => {
  const browser = dev.browse()
  const login = await browser.open(dev.authorizeUrl())
  const page = await browser.follow(login, 'Continue with Amazon')
  t.equal(page.heading, 'Simulated Amazon')
  const back = await browser.follow(page, 'Sign in another way')
  t.equal(back.heading, 'Sign in')
  const cancelled = await browser.submit(page, { cancel: 'yes' })
  const { searchParams } = new URL(cancelled.url)
  t.match(Object.fromEntries(searchParams), { error: 'access_denied', state: 'the-state' })
})

t.test('an address that is none is refused, and so is no name', async (t) => {
  const browser = dev.browse()
  const page = await browser.open(dev.authorizeUrl({ identity_provider: 'Google' }))
  const bad = await browser.submit(page, { email: 'x', name: 'X' })
  t.match(bad.alert, 'Invalid email')
  t.match(bad.html, /<input id="name"[^>]* value="X"/)
  t.match((await browser.submit(page, { email: 'x@y', name: ' ' })).alert, 'A name is required')
  const long = { email: `${'x'.repeat(130)}@corp.example`, name: 'X' }
  const corp = await browser.open(dev.authorizeUrl({ identity_provider: 'CorpAD' }))
  t.match((await browser.submit(corp, long)).alert, 'too long')
})

t.test('who comes from a provider is not asked for a code of the pool', async (t) => {
  const browser = dev.browse()
  const strong = { identity_provider: 'Google', acr_values: 'urn:cognito:loa:4' }
  const page = await browser.open(dev.authorizeUrl(strong))
  const back = await browser.submit(page, { account: 'gil@gmail.example' })
  t.ok(dev.codeOf(back), 'the client sees by the claims that it is not what it asked for')
  t.equal((await browser.open('/mfa')).status, 400)
})

t.test(
  "a provider's user takes no name, and no address to sign in by, from one of the pool",
  async (t) => {
    const username = 'CorpAD_taken@corp.example'
    await dev.admin('AdminCreateUser', { Username: username, MessageAction: 'SUPPRESS' })
    const browser = dev.browse()
    const page = await browser.open(dev.authorizeUrl({ identity_provider: 'CorpAD' }))
    const back = await browser.submit(page, { email: 'taken@corp.example', name: 'T' })
    t.match(back.url, 'error=access_denied')
    await signInAt('Google', { email: 'reader@example.com', name: 'Reader' })
    const reader = { username: 'reader@example.com', password: 'Reader-Pass-1' }
    t.equal(decodeJwt((await dev.signIn(reader)).access_token ?? '').username, 'reader')
  },
)

t.test('who is disabled does not come in by the provider either', async (t) => {
  const [access] = await signInAt('Google', { email: 'off@example.com', name: 'Off' })
  await dev.admin('AdminDisableUser', { Username: access.username })
  const browser = dev.browse()
  const page = await browser.open(dev.authorizeUrl({ identity_provider: 'Google' }))
  const back = await browser.submit(page, { email: 'off@example.com', name: 'Off' })
  t.match(back.url, 'error=access_denied')
})
