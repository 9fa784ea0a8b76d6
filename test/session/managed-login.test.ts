// The managed login’s answers are taken when they are proven, and a failure with a name whatever else they are.
import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { createManagedLogin } from '../../src/session/managed-login.ts'
import type { Attempt } from '../../src/session/attempts.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { type Grant, startFakeManagedLogin } from '../support/fake-managed-login.ts'
import { createIssuer } from '../support/issuer.ts'
import { toSessionSettings } from '../support/sign-in-stage.ts'
import { createIssuerAt, createTestVerifier } from '../support/test-verifier.ts'

const SUBJECT = '6235a4f4-0001-7000-a000-000000000001'
const REDIRECT_URI = 'https://app.example.com/_poolgate/callback'
const NEW_ISSUER = 'https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_TestPool1'

const clock = createFakeClock()
const issuer = createIssuerAt(clock)
const ISSUERS = [issuer.issuer, NEW_ISSUER]

interface Options {
  readonly settings?: Record<string, unknown>
  readonly holds?: { readonly access: boolean; readonly id: boolean }
  readonly attempt?: Partial<Attempt>
}

async function create(t: Test, options: Options = {}) {
  const fake = await startFakeManagedLogin(issuer)
  t.teardown(() => fake.stop())
  const { verifier } = await createTestVerifier([issuer], {
    clock,
    settings: { issuers: ISSUERS, clientIds: [issuer.clientId, 'mobile'] },
  })
  const settings = toSessionSettings({
    domain: fake.domain,
    clientId: issuer.clientId,
    ...options.settings,
  })
  const login = createManagedLogin(
    { settings, issuers: ISSUERS, holds: options.holds ?? { access: true, id: true } },
    {
      clock,
      verify: async (token, tokenUse) => verifier.verify(token, { userPool: 'main', tokenUse }),
    },
  )
  const attempt: Attempt = {
    state: 'the-state',
    nonce: 'the-nonce',
    verifier: 'v'.repeat(43),
    origin: 'https://app.example.com',
    returnTo: 'https://app.example.com/',
    startedMs: clock.now(),
    ...options.attempt,
  }
  const approach = async (claims?: Grant) =>
    fake.grant(login.authorizeUrl(attempt, REDIRECT_URI, {}), claims)
  return {
    fake,
    login,
    approach,
    attempt,
    enter: async (claims?: Grant) => login.redeem(await approach(claims), attempt, REDIRECT_URI),
  }
}

t.test('a code becomes the tokens that routes need, and what gets new ones', async (t) => {
  const both = await create(t)
  const signedIn = await both.enter({ access: { exp: clock.now() / 1000 + 300 } })
  t.match(signedIn, {
    subject: SUBJECT,
    tokens: { access: /^ey/, id: /^ey/, refresh: /^[\w-]+$/ },
    tokensEndMs: clock.now() + 300_000,
  })
  const { enter } = await create(t, { holds: { access: false, id: true } })
  t.match(await enter({ access: { exp: clock.now() / 1000 + 300 } }), {
    tokens: { access: undefined, id: /^ey/ },
    tokensEndMs: clock.now() + 3_600_000,
  })
})

t.test('an app client without a secret names itself; one with a secret proves it', async (t) => {
  const open = await create(t)
  await open.enter()
  t.equal(open.fake.requests[0]?.authorization, undefined)
  t.equal(open.fake.requests[0]?.body.get('client_id'), issuer.clientId)
  const secret = await create(t, { settings: { clientSecret: 'hush' } })
  await secret.enter()
  const basic = Buffer.from(`${issuer.clientId}:hush`).toString('base64')
  t.equal(secret.fake.requests[0]?.authorization, `Basic ${basic}`)
  t.equal(secret.fake.requests[0]?.body.get('client_secret'), null)
})

t.test(
  'B-04: PKCE is S256 always, and a code is good once, for its own verifier and address',
  async (t) => {
    const { approach, login, attempt, fake } = await create(t)
    const url = new URL(login.authorizeUrl(attempt, REDIRECT_URI, {}))
    t.equal(url.searchParams.get('code_challenge_method'), 'S256')
    t.match(url.searchParams.get('code_challenge'), /^[\w-]{43}$/)
    const answer = await approach()
    t.notMatch(await login.redeem(answer, { ...attempt, verifier: 'w'.repeat(43) }, REDIRECT_URI), {
      subject: SUBJECT,
    })
    const again = await approach()
    t.match(await login.redeem(again, attempt, REDIRECT_URI), { subject: SUBJECT })
    t.match(await login.redeem(again, attempt, REDIRECT_URI), {
      failed: 'invalid',
      detail: 'the token endpoint says 400 "invalid_grant"',
    })
    t.ok(fake.requests.every(({ body }) => body.get('code_verifier')?.length === 43))
  },
)

t.test('either form of the pool’s issuer will do, in the answer and in the token', async (t) => {
  const { approach, login, attempt, enter } = await create(t)
  const iss = { iss: NEW_ISSUER }
  t.match(await enter({ access: iss, id: iss }), { subject: SUBJECT })
  const answer = await approach()
  answer.set('iss', NEW_ISSUER)
  t.match(await login.redeem(answer, attempt, REDIRECT_URI), { subject: SUBJECT })
  const foreign = await approach()
  foreign.set('iss', 'https://evil.example')
  t.match(await login.redeem(foreign, attempt, REDIRECT_URI), { failed: 'invalid' })
  t.match(await enter({ id: { iss: 'https://evil.example' } }), { failed: 'trouble' })
})

t.test(
  'B-03, B-06: an answer that is not the attempt’s, or more than a code, is invalid',
  async (t) => {
    const { approach, login, attempt, fake } = await create(t)
    const redeem = async (change: (answer: URLSearchParams) => void) => {
      const answer = await approach()
      change(answer)
      return login.redeem(answer, attempt, REDIRECT_URI)
    }
    for (const [what, change] of Object.entries<(answer: URLSearchParams) => void>({
      'no state': (answer) => answer.delete('state'),
      'another state': (answer) => answer.set('state', 'x'),
      'no code': (answer) => answer.delete('code'),
      'two codes': (answer) => answer.append('code', 'x'),
      'two states': (answer) => answer.append('state', 'x'),
      'an access token': (answer) => answer.set('access_token', issuer.access()),
      'an ID token': (answer) => answer.set('id_token', issuer.id()),
      'a JARM response': (answer) => answer.set('response', issuer.id()),
    })) {
      t.match(await redeem(change), { failed: 'invalid' }, what)
    }
    t.match(
      await redeem((answer) => {
        answer.delete('code')
        answer.set('error', 'access_denied')
        answer.set('error_description', 'not today')
      }),
      { failed: 'declined', description: 'not today', detail: /"access_denied": "not today"/ },
    )
    t.same(fake.requests, [], 'the token endpoint is not asked')
  },
)

t.test('B-05: nonce and at_hash bind the tokens to the attempt and to each other', async (t) => {
  const { enter } = await create(t)
  for (const id of [{ nonce: undefined }, { nonce: 'another' }, { nonce: ['the-nonce'] }]) {
    t.match(await enter({ id }), { failed: 'invalid', detail: /nonce/ }, JSON.stringify(id))
  }
  t.match(await enter({ id: { at_hash: 'A'.repeat(22) } }), {
    failed: 'invalid',
    detail: /at_hash/,
  })
  t.match(await enter({ id: { at_hash: undefined } }), { subject: SUBJECT })
})

t.test(
  'B-07: tokens that our verifier refuses, or that are not this sign-in’s, are of no use',
  async (t) => {
    const { enter, fake } = await create(t)
    const nowS = clock.now() / 1000
    for (const claims of [
      { access: { token_use: 'id' } },
      { id: { token_use: 'access' } },
      { access: { client_id: 'other' } },
      { access: { client_id: 'mobile' } },
      { id: { aud: 'mobile' } },
      { id: { aud: [issuer.clientId] } },
      { access: { sub: 'another' } },
      { id: { sub: 'another' } },
      { access: { sub: undefined }, id: { sub: undefined } },
      { access: { exp: nowS } },
      { id: { exp: nowS } },
      { id: { exp: nowS + 30 * 3600 } },
    ]) {
      t.match(await enter(claims), { failed: 'trouble' }, JSON.stringify(claims))
    }
    const other = createIssuer({ nowMs: clock.now() })
    for (const [name, make] of [
      ['access_token', other.access],
      ['id_token', other.id],
    ] as const) {
      fake.change = (answer) => {
        answer[name] = make({ nonce: 'the-nonce' })
      }
      t.match(
        await enter(),
        { failed: 'trouble', detail: /token_key_unknown/ },
        `${name} of another pool`,
      )
    }
    fake.change = (answer) => {
      answer.id_token = answer.access_token
    }
    t.match(await enter(), { failed: 'invalid', detail: /nonce/ }, 'an access token as ID token')
  },
)

t.test(
  'B-07: a token endpoint that does not answer as one is trouble, and never an exception',
  async (t) => {
    const { enter, fake, login } = await create(t)
    const json = { 'content-type': 'application/json' }
    const answers: Record<string, (response: ServerResponse) => void> = {
      '500': (response) => response.writeHead(500).end('oops'),
      'HTML with 200': (response) =>
        response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      'not JSON': (response) => response.writeHead(200, json).end('{"access_token":'),
      'no tokens': (response) => response.writeHead(200, json).end('{}'),
      'no ID token': (response) =>
        response
          .writeHead(200, json)
          .end(JSON.stringify({ access_token: issuer.access(), token_type: 'Bearer' })),
      'another type of token': (response) =>
        response
          .writeHead(200, json)
          .end(JSON.stringify({ access_token: 'a', id_token: 'b', token_type: 'mac' })),
      '5 MB': (response) => response.writeHead(200, json).end(Buffer.alloc(5_000_000, ' ')),
      'a redirect': (response) =>
        response.writeHead(302, { location: 'https://evil.example/' }).end(),
      'an encoding': (response) =>
        response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end('{}'),
      'a wrong secret': (response) =>
        response.writeHead(401, json).end('{"error":"invalid_client"}'),
      'a hung-up call': (response) => response.destroy(),
    }
    for (const [what, answer] of Object.entries(answers)) {
      fake.instead = answer
      const failure = await enter()
      t.match(failure, { failed: 'trouble', detail: /./ }, what)
      t.match(
        await login.refresh({ subject: SUBJECT, tokens: { refresh: 'r' } }),
        { kind: 'failed' },
        what,
      )
      // RFC 7009 section 2.2: the status says it all, so a 200 that can be read is enough.
      const isRevoked = [
        'HTML with 200',
        'not JSON',
        'no tokens',
        'no ID token',
        'another type of token',
      ].includes(what)
      t.equal(
        typeof (await login.revoke('r')),
        isRevoked ? 'undefined' : 'string',
        `${what}: revoke`,
      )
    }
  },
)

t.test('B-07: an answer may take five seconds', async (t) => {
  const { enter, fake } = await create(t)
  const arrived = Promise.withResolvers<void>()
  fake.instead = () => arrived.resolve()
  const failure = enter()
  await arrived.promise
  await clock.advance(4_999)
  t.equal(clock.pending(), 1)
  await clock.advance(1)
  t.match(await failure, { failed: 'trouble', detail: 'no answer in 5000 ms' })
})

t.test('less than what was asked for is weak', async (t) => {
  const { enter } = await create(t, {
    attempt: { acrValues: ['urn:cognito:loa:3'], maxAgeSeconds: 60 },
  })
  t.match(await enter(), { failed: 'weak', detail: /acr/ })
  const acr = 'urn:cognito:loa:3'
  t.match(await enter({ id: { acr } }), { subject: SUBJECT })
  t.match(await enter({ id: { acr, auth_time: 1 } }), { failed: 'weak', detail: /auth_time/ })
})

t.test(
  'B-16: a refresh gives new tokens of the same user, and keeps the refresh token where it gets none',
  async (t) => {
    const { enter, login, fake } = await create(t)
    const signedIn = await enter()
    if ('failed' in signedIn) throw new Error(signedIn.detail)
    await clock.advance(1_000)
    const refreshed = await login.refresh(signedIn)
    t.match(refreshed, { kind: 'refreshed', tokens: { refresh: signedIn.tokens.refresh } })
    fake.change = (answer) => {
      answer.refresh_token = 'rotated'
    }
    t.match(await login.refresh(signedIn), { kind: 'refreshed', tokens: { refresh: 'rotated' } })
    t.match(await login.refresh({ ...signedIn, subject: 'another' }), {
      kind: 'failed',
      detail: /user/,
    })
    fake.change = (answer) => {
      delete answer.id_token
    }
    t.match(await login.refresh(signedIn), { kind: 'failed', detail: 'no ID token' })
    fake.change = undefined
    t.equal(await login.revoke(signedIn.tokens.refresh as string), undefined)
    t.match(await login.refresh(signedIn), { kind: 'refused', detail: /invalid_grant/ })
    t.match(await login.refresh({ subject: SUBJECT, tokens: {} }), { kind: 'refused' })
  },
)

t.test('nobody listening is trouble', async (t) => {
  const { enter, fake } = await create(t)
  await fake.stop()
  t.match(await enter(), { failed: 'trouble', detail: /ECONNREFUSED/ })
})

t.test('the addresses are the domain’s own', async (t) => {
  const { login, fake, attempt } = await create(t)
  const at = (signUp: boolean) =>
    new URL(login.authorizeUrl(attempt, REDIRECT_URI, { signUp })).href.split('?')[0]
  t.equal(at(false), `${fake.domain}/oauth2/authorize`)
  t.equal(at(true), `${fake.domain}/signup`)
  t.equal(
    login.logoutUrl('https://app.example.com/bye'),
    `${fake.domain}/logout?client_id=${issuer.clientId}&logout_uri=https%3A%2F%2Fapp.example.com%2Fbye`,
  )
})
