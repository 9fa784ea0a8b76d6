// The same flow at an issuer that nobody here wrote: panva's certified oidc-provider stands for the managed login, and nothing is changed.
import t from 'tap'
import { findChromium, startBrowser } from '../support/browser.ts'
import {
  createMovableClock,
  identityOn,
  signOut,
  startBrowserGateway,
} from '../support/browser-stage.ts'
import { freePort } from '../support/free-ports.ts'
import { startOidcIssuer } from '../support/oidc-issuer.ts'

const chromium = findChromium()
const skip = chromium === undefined ? 'no Chromium here' : false

for (const clientSecret of [undefined, 'a secret of this test alone']) {
  const kind = clientSecret === undefined ? 'a public client' : 'a client with a secret'
  t.test(`signs in and out at another's issuer, as ${kind}`, { skip }, async (t) => {
    const browser = await startBrowser(chromium as string)
    t.teardown(browser.close)
    const port = await freePort()
    const clientId = 'peer-client'
    const issuer = await startOidcIssuer({
      clientId,
      ...(clientSecret !== undefined && { clientSecret }),
      redirectUris: [`http://localhost:${port}/_poolgate/callback`],
    })
    t.teardown(issuer.stop)
    const clock = createMovableClock()
    const gateway = await startBrowserGateway(
      {
        userPoolId: 'local_peer',
        clientId,
        domain: issuer.issuer,
        issuer: issuer.issuer,
        jwksUri: issuer.jwksUri,
      },
      {
        clock,
        port,
        session: { idle: 'none', ...(clientSecret !== undefined && { clientSecret }) },
      },
    )
    t.teardown(gateway.stop)
    const { origin } = gateway
    const { page, context } = await browser.open()

    await page.goto(`${origin}/me?a=b`)
    await page.getByPlaceholder('Enter any login').fill('petra')
    await page.getByPlaceholder('and password').fill('anything')
    await page.getByRole('button', { name: 'Sign-in' }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.waitForURL(`${origin}/me?a=b`)
    t.match(await identityOn(page), {
      'x-auth-username': 'petra',
      'x-auth-email': 'petra@example.com',
      'x-auth-groups': 'members',
    })
    await page.goto(`${origin}/api/x`)
    t.match(await identityOn(page), { 'x-auth-token-use': 'access', 'x-auth-client-id': clientId })

    // Tokens of its own are refreshed by its own rules, rotation included: by its clock, which is the real one.
    clock.forward(3_600_000 - 30_000)
    for (let i = 0; i < 3; i++) t.equal((await page.goto(`${origin}/api/${i}`))?.status(), 200)

    await signOut(page, origin)
    const kept = (await context.cookies(origin)).filter(
      ({ name }) => name === '__Host-poolgate-web',
    )
    t.strictSame(kept, [], 'the session is over here, whatever that issuer asks now')
    const asked = await page.request.get(`${origin}/api/x`, { maxRedirects: 0 })
    t.equal(asked.status(), 401)
  })
}
