// What a browser tells the managed login, by the settings, the attempt and the hints.
import t from 'tap'
import { type AuthorizeQuestion, toAuthorizeQuery } from '../../src/session/authorize-query.ts'
import { toSessionSettings } from '../support/sign-in-stage.ts'

const attempt = {
  state: 'the state',
  nonce: 'the nonce',
  // With its hash the example of RFC 7636, appendix B.
  verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  origin: 'https://app.example.com',
  returnTo: 'https://app.example.com/a',
  startedMs: 0,
}

function ask(
  settings: Record<string, unknown> = {},
  changes: Partial<Omit<AuthorizeQuestion, 'settings'>> = {},
): Record<string, string> {
  const query = toAuthorizeQuery({
    settings: toSessionSettings({
      domain: 'https://login.example.com',
      clientId: 'web',
      ...settings,
    }),
    attempt,
    redirectUri: 'https://app.example.com/_poolgate/callback',
    hints: {},
    ...changes,
  })
  return Object.fromEntries(new URLSearchParams(query))
}

const ALWAYS = {
  response_type: 'code',
  client_id: 'web',
  redirect_uri: 'https://app.example.com/_poolgate/callback',
  scope: 'openid email profile',
  state: 'the state',
  nonce: 'the nonce',
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  code_challenge_method: 'S256',
}

t.test('state, nonce and S256 are always there, and the verifier never', async (t) => {
  t.same(ask(), ALWAYS)
})

t.test('settings and what the attempt asks for are told', async (t) => {
  const settings = {
    scopes: ['openid', 'orders/read'],
    idpIdentifier: 'example.com',
    lang: 'pt-BR',
    resource: 'https://api.example.com/',
  }
  t.same(ask(settings, { attempt: { ...attempt, acrValues: ['a', 'b'], maxAgeSeconds: 0 } }), {
    ...ALWAYS,
    scope: 'openid orders/read',
    idp_identifier: 'example.com',
    lang: 'pt-BR',
    resource: 'https://api.example.com/',
    acr_values: 'a b',
    max_age: '0',
  })
})

t.test('a named provider counts before that of the settings, and alone', async (t) => {
  t.same(ask({ identityProvider: 'Google' }), { ...ALWAYS, identity_provider: 'Google' })
  const hints = { provider: 'Corp & AD', prompt: 'login', loginHint: 'jane' }
  for (const settings of [{ identityProvider: 'Google' }, { idpIdentifier: 'example.com' }]) {
    t.same(ask(settings, { hints }), {
      ...ALWAYS,
      identity_provider: 'Corp & AD',
      prompt: 'login',
      login_hint: 'jane',
    })
  }
})
