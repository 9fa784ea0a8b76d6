// The dev pool in the eyes of a certified client that nobody here wrote: openid-client goes through all of its OAuth endpoints.
import * as client from 'openid-client'
import t from 'tap'
import { startDevPool } from '../../../src/dev-pool/dev-pool.ts'
import { createFormBrowser } from '../../support/form-browser.ts'
import { realClock } from '../../support/real-clock.ts'

const pool = await startDevPool({ clock: realClock, port: 0 })
t.teardown(pool.stop)
const CALLBACK = 'http://localhost:1/callback'
const USER = { username: 'reader', password: 'Reader-Pass-1' }

function discover(id: string, authentication: client.ClientAuth) {
  const options = { execute: [client.allowInsecureRequests] }
  return client.discovery(new URL(pool.issuer), id, undefined, authentication, options)
}

/** Signs in with the form and gives the URL that the browser would go back to. */
async function signIn(url: URL) {
  const browser = createFormBrowser(pool.origin)
  const page = await browser.open(url.href)
  return new URL((await browser.submit(page, USER)).url)
}

function errorOf(call: Promise<unknown>): Promise<string | undefined> {
  return call.then(
    () => undefined,
    (error: client.ResponseBodyError) => error.error,
  )
}

t.test('discovery, code with PKCE, nonce, userInfo, refresh, revoke', async (t) => {
  const config = await discover(pool.webClientId, client.None())
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const expectedNonce = client.randomNonce()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid email profile orders/read',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
  })
  const callback = await signIn(url)
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
  const tokens = await client.authorizationCodeGrant(config, callback, checks)
  const claims = tokens.claims()
  const sub = claims?.sub ?? ''
  t.match(claims, { 'cognito:username': 'reader', amr: ['pwd'], email: 'reader@example.com' })
  const info = await client.fetchUserInfo(config, tokens.access_token, sub)
  t.match(info, { username: 'reader', email_verified: 'true' })

  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
  t.equal(refreshed.claims()?.auth_time, claims?.auth_time)
  t.not(refreshed.refresh_token, tokens.refresh_token)
  await client.tokenRevocation(config, refreshed.refresh_token ?? '')
  t.equal(
    await errorOf(client.refreshTokenGrant(config, refreshed.refresh_token ?? '')),
    'invalid_grant',
  )
  await t.rejects(client.fetchUserInfo(config, tokens.access_token, sub))
})

for (const authentication of [client.ClientSecretBasic, client.ClientSecretPost]) {
  t.test(`client credentials, by ${authentication.name}`, async (t) => {
    const { id, secret } = pool.serverClient
    const config = await discover(id, authentication(secret))
    const tokens = await client.clientCredentialsGrant(config, { scope: 'orders/read' })
    t.equal(tokens.refresh_token, undefined)
    const wrong = await discover(id, authentication('wrong'))
    t.equal(await errorOf(client.clientCredentialsGrant(wrong)), 'invalid_client')
  })
}
