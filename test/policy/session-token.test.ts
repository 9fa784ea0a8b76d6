// What becomes of a session on a route: which token is taken, what a page of another origin may do with it, and when signing in helps.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { parseHost } from '../../src/http/host.ts'
import type { RequestFacts } from '../../src/http/request-facts.ts'
import { parseRequestTarget } from '../../src/http/request-target.ts'
import { createAuthorize, toCaller } from '../../src/policy/authorize.ts'
import { compileRules } from '../../src/policy/compile-rules.ts'
import { compilePrincipal } from '../../src/policy/principal.ts'
import type { Found } from '../../src/session/session-keeper.ts'
import { toRejected } from '../../src/token/rejected.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const { config } = loadConfig(
  `version: 1
userPools: {main: {userPoolId: eu-west-1_Main00001, clientIds: [c]}}
sessions: {web: {domain: 'https://a.example', clientId: c, origins: ['https://app.example'], keys: ['${'k'.repeat(32)}']}}
upstreams: {up: {targets: ['http://127.0.0.1:1']}}
routes:
  - {name: page, match: {path: /page/*}, access: authenticated, signIn: web, upstream: up}
  - {name: ids, match: {path: /ids/*}, access: {tokenUse: id}, signIn: web, upstream: up}
  - {name: either, match: {path: /either/*}, access: {tokenUse: any}, signIn: web, upstream: up}
  - {name: fresh, match: {path: /fresh/*}, access: {maxAuthAge: 1m, groups: {anyOf: [g]}}, signIn: web, upstream: up}
  - {name: strong, match: {path: /strong/*}, access: {acr: [a, b], maxAuthAge: 1m}, signIn: web, upstream: up}
  - {name: methods, match: {path: /methods/*}, access: {acr: [a], amr: {anyOf: [mfa]}}, signIn: web, upstream: up}
  - {name: plain, match: {path: /plain/*}, access: authenticated, upstream: up}`,
  'c.yaml',
  {},
)

const clock = createFakeClock()
const toPrincipal = compilePrincipal(config.identityHeaders)
const asked: string[] = []

/** Tokens are `USE GROUP SECONDS-AGO`, or a reason to refuse. */
function verify(token: string) {
  asked.push(token)
  const [tokenUse = '', group = '', ago = '0'] = token.split(' ')
  if (tokenUse !== 'access' && tokenUse !== 'id') return toRejected('token_expired', token)
  const auth_time = clock.now() / 1_000 - Number(ago)
  const claims = { sub: 's', auth_time, 'cognito:groups': [group], acr: 'a' }
  return toCaller(
    toPrincipal({ userPool: 'main', tokenUse, claims, validFromMs: 0, validUntilMs: 1 }),
  )
}

let found: Found | Promise<Found> = { kind: 'none' }
const authorize = createAuthorize(compileRules(config).table, {
  clock,
  verifier: { verify },
  signIns: new Map([['web', { find: () => found }]]),
})

async function decide(path: string, changes: Partial<RequestFacts> = {}) {
  const host = parseHost('app.example')
  const target = parseRequestTarget(path, 'app.example')
  return authorize({
    method: 'GET',
    host,
    target,
    headers: [],
    ...changes,
  } as unknown as RequestFacts)
}

function toFound(
  tokens: Extract<Found, { kind: 'session' }>['session']['tokens'],
  cookies: string[] = [],
): Found {
  const session = {
    id: 'i',
    subject: 's',
    tokens,
    tokensEndMs: 1,
    createdMs: 0,
    seenMs: 0,
    endsMs: 1,
  }
  return { kind: 'session', session, cookies }
}

t.beforeEach(() => void asked.splice(0))

t.test('a route takes the token that it asks for', async (t) => {
  found = toFound({ access: 'access g', id: 'id g' })
  for (const [path, token] of [
    ['/page/', 'access g'],
    ['/ids/', 'id g'],
    ['/either/', 'access g'],
  ] as const) {
    t.match(await decide(path), { kind: 'allow', principal: { subject: 's' } }, path)
    t.equal(asked.pop(), token)
  }
  found = toFound({ id: 'id g' })
  t.match(await decide('/either/'), { kind: 'allow' })
  t.match(await decide('/page/'), { kind: 'deny', reason: 'session_ended', signIn: 'web' })
})

t.test('without a session, or with one that is over, somebody may sign in', async (t) => {
  found = { kind: 'none' }
  t.match(await decide('/page/'), { reason: 'credential_missing', signIn: 'web' })
  found = Promise.resolve({ kind: 'ended', detail: 'idle', cookies: ['c=; Max-Age=0'] } as const)
  const ended = await decide('/page/')
  t.match(ended, { reason: 'session_ended', signIn: 'web', cookies: ['c=; Max-Age=0'] })
  found = { kind: 'unavailable', detail: 'down', retryAfterSeconds: 3 }
  const down = await decide('/page/')
  t.match(down, { reason: 'sessions_unavailable', retryAfterSeconds: 3, signIn: undefined })
})

t.test(
  'a bearer token goes before a session, also a bad one, and the two are never put together (H-19)',
  async (t) => {
    found = toFound({ access: 'access g', id: 'id g' }, ['renewed=1'])
    const bearer = await decide('/page/', { authorization: 'Bearer access h' } as RequestFacts)
    t.match(bearer, { kind: 'deny', reason: 'credential_malformed' }, 'two words')
    t.match(await decide('/page/', { authorization: 'Bearer bad' }), {
      reason: 'token_expired',
      signIn: undefined,
      cookies: undefined,
    })
    t.strictSame(asked, ['bad'], 'the session was not asked')
    t.match(await decide('/page/', { authorization: 'Basic YTpi' }), {
      reason: 'credential_malformed',
    })
  },
)

t.test('a route without signIn takes no session', async (t) => {
  found = toFound({ access: 'access g' })
  t.match(await decide('/plain/'), { reason: 'credential_missing', signIn: undefined })
})

t.test('what another origin sends with the cookie changes nothing (CSRF)', async (t) => {
  found = toFound({ access: 'access g' })
  const post = (headers: string[]) => decide('/page/', { method: 'POST', headers })
  t.match(await post([]), { reason: 'origin_denied' })
  t.match(await post(['Origin', 'https://evil.example']), { reason: 'origin_denied' })
  t.match(await post(['Sec-Fetch-Site', 'same-site']), { reason: 'origin_denied' })
  t.match(await post(['Origin', 'https://app.example']), { kind: 'allow' })
  t.match(await post(['Sec-Fetch-Site', 'same-origin']), { kind: 'allow' })
  t.match(await decide('/page/', { headers: ['Origin', 'https://evil.example'] }), {
    kind: 'allow',
  })
})

t.test('a renewed session is sent along, and never kept with the decision of others', async (t) => {
  found = toFound({ access: 'access g' }, ['renewed=1'])
  t.match(await decide('/page/'), { kind: 'allow', cookies: ['renewed=1'] })
  found = toFound({ access: 'access g' })
  t.equal(((await decide('/page/')) as { cookies?: unknown }).cookies, undefined)
})

t.test('a sign-in of long ago is asked for again, until the very second', async (t) => {
  found = toFound({ access: 'access g 60' })
  t.match(await decide('/fresh/'), { kind: 'allow' })
  found = toFound({ access: 'access g 61' })
  t.match(await decide('/fresh/'), {
    reason: 'insufficient_user_authentication',
    stepUp: { maxAgeSeconds: 60 },
    signIn: 'web',
  })
  found = toFound({ access: 'access other 61' })
  t.match(
    await decide('/fresh/'),
    { reason: 'group_missing', signIn: undefined },
    'signing in would not help',
  )
})

t.test('time alone makes a caller too old who was let in before', async (t) => {
  found = toFound({ access: 'access g' })
  const caller = verify('access g')
  const once = createAuthorize(compileRules(config).table, {
    clock,
    verifier: { verify: () => caller },
    signIns: new Map([['web', { find: () => found }]]),
  })
  const facts = {
    method: 'GET',
    host: parseHost('a'),
    target: parseRequestTarget('/fresh/', 'a'),
    headers: [],
  }
  const ask = async () => once(facts as unknown as RequestFacts)
  t.match(await ask(), { kind: 'allow' })
  await clock.advance(60_000)
  t.match(await ask(), { kind: 'allow' })
  await clock.advance(1_000)
  t.match(await ask(), { reason: 'insufficient_user_authentication' })
})

t.test('what a stronger sign-in has to prove goes with the refusal', async (t) => {
  found = toFound({ access: 'access g 61' })
  t.match(await decide('/strong/'), {
    reason: 'insufficient_user_authentication',
    stepUp: { acrValues: ['a', 'b'], maxAgeSeconds: 60 },
  })
})

t.test('nobody is sent to sign in for what no sign-in can be asked for', async (t) => {
  found = toFound({ access: 'access g' })
  t.match(await decide('/methods/'), {
    reason: 'insufficient_user_authentication',
    detail: /amr/,
    stepUp: undefined,
    signIn: undefined,
  })
})

t.test('a token of the session that no longer holds is cured by signing in', async (t) => {
  found = toFound({ access: 'expired' })
  t.match(await decide('/page/'), { reason: 'token_expired', signIn: 'web' })
})
