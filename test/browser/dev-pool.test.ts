// A person with a real browser: signs up, signs in, is let in or not, goes through providers and one-time codes, and signs out for real.
import t, { type Test } from 'tap'
import type { Page } from 'playwright-core'
import { PROVIDERS } from '../../src/dev-pool/managed-login/providers.ts'
import { totpAt } from '../../src/dev-pool/totp.ts'
import { findChromium, startBrowser } from '../support/browser.ts'
import { identityOn, signIn, signOut, startBrowserStage } from '../support/browser-stage.ts'
import { hasRedisServer, startRedisServer } from '../support/redis-server.ts'

const chromium = findChromium()
const skip = chromium === undefined ? 'no Chromium here' : false
const HOUR_MS = 3_600_000

t.test('a person with a browser', { skip }, async (t) => {
  const browser = await startBrowser(chromium as string)
  t.teardown(browser.close)

  async function walk(t: Test, session: object = {}) {
    const stage = await startBrowserStage(session)
    t.teardown(stage.stop)
    const { context, page } = await browser.open()
    t.teardown(() => context.close())
    return { ...stage, context, page }
  }

  async function signUpAndLookAround(t: Test, session: object = {}) {
    const { origin, context, page, clock, accessLines } = await walk(t, { idle: '2h', ...session })
    await page.goto(`${origin}/me`)
    t.match(page.url(), '/login?', 'nobody is signed in: to the managed login')
    await page.getByRole('link', { name: 'Create an account' }).click()
    await page.getByLabel('Username').fill('nora')
    await page.getByLabel('Email').fill('nora@example.com')
    await page.getByLabel('Password', { exact: true }).fill('Nora-Pass-1')
    await page.getByRole('button', { name: 'Sign up' }).click()
    const code = (await page.locator('.notice strong').textContent()) ?? ''
    await page.getByLabel('Code').fill(code)
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.waitForURL(`${origin}/me`)
    t.match(await identityOn(page), {
      'x-auth-username': 'nora',
      'x-auth-email': 'nora@example.com',
      'x-auth-token-use': 'id',
    })
    t.notMatch(await page.content(), /__Host-poolgate/, 'the service gets none of the own cookies')

    const gated = await page.goto(`${origin}/admin/`)
    t.equal(gated?.status(), 403)
    t.match(await gated?.json(), { reason: 'group_missing' })

    await signOut(page, origin)
    t.match(await page.title(), 'signed out')
    await page.goto(`${origin}/admin/`)
    await signIn(page, 'admin', 'Admin-Pass-1')
    await page.waitForURL(`${origin}/admin/`)
    t.match(await identityOn(page), { 'x-auth-username': 'admin', 'x-auth-groups': 'admins' })

    const other = await context.newPage()
    await other.goto(`${origin}/api/tab`)
    clock.forward(HOUR_MS)
    await Promise.all([page.reload(), other.reload(), page.request.get(`${origin}/api/x`)])
    for (const tab of [page, other])
      t.match(await identityOn(tab), { 'x-auth-username': 'admin' }, 'both tabs go on')
    t.match((await page.goto(`${origin}/api/later`))?.status(), 200)

    const cookies = await context.cookies(origin)
    await page.goto(`${origin}/api/mine`)
    await signOut(page, origin)
    t.strictSame(
      (await context.cookies(origin)).filter(({ value }) => value.length > 40),
      [],
    )
    await page.goBack()
    await page.goBack()
    t.match(page.url(), '/login?', 'the back button asks again')
    await context.addCookies(cookies)
    const replayed = await page.request.get(`${origin}/api/x`, { maxRedirects: 0 })
    t.equal(replayed.status(), 401, 'the cookies of before are of no use')
    t.match(await replayed.json(), {
      reason: 'session_ended',
      sign_in: `${origin}/_poolgate/sign-in?session=web`,
    })
    return accessLines
  }

  t.test('signs up, signs in, is let in and kept out, and signs out', async (t) => {
    const accessLines = await signUpAndLookAround(t)
    t.match(
      accessLines().find(({ endpoint }) => endpoint === 'callback'),
      { status: 303, detail: 'signed in' },
    )
    t.match(
      accessLines().find(({ path, status }) => path === '/me' && status === 302),
      {
        decision: 'deny',
        reason: 'credential_missing',
      },
    )
  })

  t.test(
    'the same with sessions in a store',
    { skip: hasRedisServer() ? false : 'no redis-server here' },
    async (t) => {
      const redis = await startRedisServer()
      t.teardown(redis.stop)
      await signUpAndLookAround(t, { store: { url: redis.url } })
    },
  )

  t.test('comes through each provider, and is known by it', async (t) => {
    const { origin, page } = await walk(t)
    for (const { name, title, accounts } of PROVIDERS) {
      await page.goto(`${origin}/_poolgate/sign-in?provider=${name}&return_to=/me`)
      t.match(await page.title(), new RegExp(title))
      const [account] = accounts
      await page.getByRole('button', { name: account?.name ?? '' }).click()
      await page.waitForURL(`${origin}/me`)
      const identity = await identityOn(page)
      t.match(
        identity,
        { 'x-auth-username': new RegExp(`^${name}_`, 'i'), 'x-auth-email': account?.email },
        name,
      )
      const gated = await page.goto(`${origin}/google/`)
      t.equal(
        gated?.status(),
        name === 'Google' ? 200 : 403,
        `${name} on the page for Google's users`,
      )
      if (name !== 'Google') t.match(await gated?.json(), { reason: 'provider_denied' })
      await signOut(page, origin)
    }
  })

  t.test(
    'is asked for a one-time code where a page wants one, and for nothing twice',
    async (t) => {
      const { origin, page, clock } = await walk(t)
      await page.goto(`${origin}/me`)
      await signIn(page, 'reader', 'Reader-Pass-1')
      await page.waitForURL(`${origin}/me`)
      const api = await page.request.get(`${origin}/vault/`, {
        headers: { accept: 'application/json' },
      })
      t.equal(api.status(), 401)
      t.match(
        api.headers()['www-authenticate'],
        /insufficient_user_authentication.*acr_values="urn:cognito:loa:4"/,
      )
      await page.goto(`${origin}/vault/`)
      const secret = ((await page.locator('#secret').textContent()) ?? '').replaceAll(' ', '')
      await page.getByLabel('Code').fill(totpAt(secret, clock.now()))
      await page.getByRole('button', { name: 'Switch it on' }).click()
      await page.waitForURL(`${origin}/vault/`)
      t.match(await identityOn(page), { 'x-auth-username': 'reader' })

      await signOut(page, origin)
      clock.forward(60_000)
      await page.goto(`${origin}/vault/`)
      await signIn(page, 'reader', 'Reader-Pass-1')
      await page.getByLabel('Code').fill(totpAt(secret, clock.now()))
      await page.getByRole('button').first().click()
      await page.waitForURL(`${origin}/vault/`)
      t.match(await identityOn(page), { 'x-auth-username': 'reader' })
    },
  )

  t.test(
    'signs in again where the last time is too long ago, and when the session is over',
    async (t) => {
      const { origin, page, clock } = await walk(t)
      await page.goto(`${origin}/fresh/`)
      await signIn(page, 'reader', 'Reader-Pass-1')
      await page.waitForURL(`${origin}/fresh/`)
      clock.forward(601_000)
      t.equal((await page.goto(`${origin}/me`))?.status(), 200, 'elsewhere nothing has changed')
      await page.goto(`${origin}/fresh/`)
      t.match(page.url(), '/login?')
      await signInAgain(page, 'Reader-Pass-1')
      await page.waitForURL(`${origin}/fresh/`)
      clock.forward(HOUR_MS)
      await page.goto(`${origin}/me`)
      t.match(page.url(), '/login?', 'nobody used the session for an hour, nor the managed login')
    },
  )

  t.test('who is disabled is out at the next refresh, and no later', async (t) => {
    const { origin, page, clock, pool } = await walk(t)
    await page.goto(`${origin}/me`)
    await signIn(page, 'reader', 'Reader-Pass-1')
    await page.waitForURL(`${origin}/me`)
    await callPool(pool.origin, 'AdminDisableUser', {
      UserPoolId: pool.userPoolId,
      Username: 'reader',
    })
    const ask = () => page.request.get(`${origin}/api/x`)
    // The session goes on as long as its tokens are not renewed: an hour less `refreshBefore`.
    for (let minutes = 0; minutes < 58; minutes += 29) {
      clock.forward(29 * 60_000)
      t.equal((await ask()).status(), 200, `${minutes + 29} minutes later`)
    }
    clock.forward(62_000)
    const statuses = [(await ask()).status(), (await ask()).status(), (await ask()).status()]
    t.equal(statuses.at(-1), 401)
    t.match(await (await ask()).json(), { reason: /session_ended|credential_missing/ })
    await page.goto(`${origin}/me`)
    await page.getByLabel('Username or email').waitFor()
  })
})

async function signInAgain(page: Page, password: string): Promise<void> {
  const name = page.getByLabel('Username or email')
  if ((await name.inputValue()) === '') await name.fill('reader')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

async function callPool(origin: string, operation: string, input: object): Promise<void> {
  const response = await fetch(origin, {
    method: 'POST',
    headers: {
      'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`,
      'content-type': 'application/x-amz-json-1.1',
    },
    body: JSON.stringify(input),
  })
  if (!response.ok) throw new Error(`${operation}: ${await response.text()}`)
}
