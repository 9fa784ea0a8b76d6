// The decision, whole but for sockets and signatures: routes, credentials, rules and looser readings.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { parseHost } from '../../src/http/host.ts'
import type { RequestFacts } from '../../src/http/request-facts.ts'
import { parseRequestTarget, type RequestTarget } from '../../src/http/request-target.ts'
import {
  type AuthorizePorts,
  type Caller,
  createAuthorize,
  toCaller,
} from '../../src/policy/authorize.ts'
import { compileRules } from '../../src/policy/compile-rules.ts'
import type { Decision } from '../../src/policy/decision.ts'
import { compilePrincipal } from '../../src/policy/principal.ts'
import { type Rejected, toRejected } from '../../src/token/rejected.ts'
import type { Wanted } from '../../src/token/verifier.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const ROUTES = `
  - {name: open, match: {path: /*}, access: public, upstream: up}
  - {name: any, match: {path: /any/*}, access: authenticated, upstream: up}
  - {name: admin, match: {path: /admin/*}, access: {groups: {anyOf: [admins]}}, upstream: up}
  - {name: exact, match: {path: /exact}, access: {groups: {anyOf: [exacts]}}, upstream: up, maxBody: 1KiB}
  - {name: ids, match: {path: /ids/*}, access: {tokenUse: id, userPool: other}, upstream: up}
`

const { config } = loadConfig(
  `version: 1
userPools:
  main: {userPoolId: eu-west-1_Main00001, clientIds: [c]}
  other: {userPoolId: eu-west-1_Other0001, clientIds: [c]}
upstreams: {up: {targets: ['http://127.0.0.1:1']}}
routes: ${ROUTES.replaceAll('access: {groups', 'access: {userPool: main, groups')}`,
  'c.yaml',
  {},
)

const asked: Wanted[] = []
const toPrincipal = compilePrincipal(config.identityHeaders)

/** Tokens here are group names joined with +, or the word late, big or bad. */
function verify(token: string, wanted: Wanted): Caller | Rejected | Promise<Caller | Rejected> {
  asked.push(wanted)
  if (token === 'bad') return toRejected('token_signature', 'bad')
  const claims = {
    sub: 's',
    'cognito:groups': token === 'big' ? Array(200).fill('x'.repeat(100)) : token.split('+'),
  }
  const caller = toCaller(
    toPrincipal({ userPool: 'main', tokenUse: 'access', claims, validFromMs: 0, validUntilMs: 1 }),
  )
  return token.startsWith('late') ? Promise.resolve(caller) : caller
}

function toPorts(verifyToken: typeof verify): AuthorizePorts {
  return { clock: createFakeClock(), verifier: { verify: verifyToken }, signIns: new Map() }
}

const authorize = createAuthorize(compileRules(config).table, toPorts(verify))

async function decide(path: string, token?: string): Promise<Decision> {
  const facts = {
    method: 'GET',
    host: parseHost('a.example'),
    target: parseRequestTarget(path, 'a.example') as RequestTarget,
    authorization: token === undefined ? undefined : `Bearer ${token}`,
  } as unknown as RequestFacts
  return authorize(facts)
}

async function answer(path: string, token?: string): Promise<string> {
  const decision = await decide(path, token)
  return decision.kind === 'deny' ? decision.reason : `${decision.kind} ${decision.route.name}`
}

t.test('a route decides by what it asks for', async (t) => {
  t.equal(await answer('/free'), 'allow open')
  t.equal(await answer('/any/x'), 'credential_missing')
  t.equal(await answer('/any/x', 'bad'), 'token_signature')
  t.equal(await answer('/any/x', 'readers'), 'allow any')
  t.equal(await answer('/any/x', 'a b'), 'credential_malformed')
  t.equal(await answer('/admin/x', 'readers'), 'group_missing')
  t.equal(await answer('/admin/x', 'admins'), 'allow admin')
})

t.test('a decision that waits for a key is the same decision', async (t) => {
  t.equal(await answer('/any/x', 'late'), 'allow any')
  t.equal(await answer('/admin/x', 'late+admins'), 'allow admin')
  t.equal(await answer('/admin/x', 'late'), 'group_missing')
})

t.test(
  'authenticated takes an access token of any configured pool, a rule what it names',
  async (t) => {
    asked.length = 0
    await answer('/any/x', 'a')
    await answer('/ids/x', 'a')
    t.same(asked, [
      { userPool: undefined, tokenUse: 'access' },
      { userPool: 'other', tokenUse: 'id' },
    ])
  },
)

t.test('P-05, P-06, P-11, P-12: no looser reading is weaker', async (t) => {
  for (const path of [
    '/ADMIN/x',
    '/admin;v=1/x',
    '/%61dmin/x',
    '/admin%253Bv/x',
    '/Admin;a/x',
    '/admin',
    '/ADMIN',
  ]) {
    t.equal(await answer(path), 'credential_missing', path)
    t.equal(await answer(path, 'readers'), 'group_missing', path)
    t.match(await answer(path, 'admins'), /^allow/, path)
    t.match(await answer(path, 'late+admins'), /^allow/, path)
    t.equal(await answer(path, 'late'), 'group_missing', path)
  }
  t.equal(await answer('/adminx'), 'allow open')
  t.equal(await answer('/exact/', 'readers'), 'group_missing')
  t.equal(await answer('/exact/', 'exacts'), 'allow open')
})

t.test('several looser readings must all allow', async (t) => {
  t.equal(await answer('/ADMIN', 'admins'), 'allow open')
  t.equal(await answer('/exact;/', 'exacts'), 'allow open')
  t.equal(await answer('/any%2561', 'readers'), 'allow open')
})

t.test('a reading that gains segments is refused whoever asks', async (t) => {
  for (const path of ['/a/%252e%252e/admin/x', '/a%252fb', '/a/;x/b', '/a%255cb']) {
    t.equal(await answer(path, 'admins'), 'target_ambiguous', path)
  }
})

t.test('identity headers that no upstream would take are refused whole', async (t) => {
  t.equal(await answer('/any/x', 'big'), 'headers_too_large')
})

t.test('a refusal tells who was refused and where, for the log', async (t) => {
  const decision = await decide('/admin/x', 'readers')
  t.match(decision, {
    kind: 'deny',
    route: { name: 'admin' },
    principal: { subject: 's' },
    detail: /admins.*readers/,
  })
})

t.test('the same caller gets the very same decision again', async (t) => {
  const caller = verify('admins', { userPool: undefined, tokenUse: 'any' })
  const once = createAuthorize(
    compileRules(config).table,
    toPorts(() => caller),
  )
  const facts = {
    method: 'GET',
    host: parseHost('a'),
    target: parseRequestTarget('/admin/x', 'a'),
    authorization: 'Bearer t',
  } as unknown as RequestFacts
  t.equal(once(facts), once(facts))
})

const PLACES = `
  - {name: cookie, match: {path: /shop/*}, access: authenticated, upstream: up, credentials: {cookie: token, origins: ['https://partner.example']}}
  - {name: query, match: {path: /shop/admin}, access: {userPool: main, groups: {anyOf: [admins]}}, upstream: up, credentials: {query: t}}
  - {name: live, match: {path: /live/*}, access: public, upstream: up, upgrades: [websocket]}
  - {name: quiet, match: {path: /live/quiet}, access: authenticated, upstream: up, credentials: {cookie: token}}
  - {name: plain, match: {path: /plain}, access: authenticated, upstream: up}
`
const places = loadConfig(
  `version: 1
userPools:
  main: {userPoolId: eu-west-1_Main00001, clientIds: [c]}
upstreams: {up: {targets: ['http://127.0.0.1:1']}}
routes: ${PLACES}`,
  'c.yaml',
  {},
)
const authorizeAnywhere = createAuthorize(compileRules(places.config).table, toPorts(verify))

async function answerAnywhere(
  path: string,
  headers: readonly string[],
  changes: Partial<RequestFacts> = {},
): Promise<string> {
  const facts = {
    method: 'GET',
    host: parseHost('a.example'),
    target: parseRequestTarget(path, 'a.example') as RequestTarget,
    headers,
    ...changes,
  } as unknown as RequestFacts
  const decision = await authorizeAnywhere(facts)
  return decision.kind === 'deny' ? decision.reason : `${decision.kind} ${decision.route.name}`
}

t.test('each route reads tokens where it says', async (t) => {
  t.equal(await answerAnywhere('/shop/x', ['Cookie', 'token=readers']), 'allow cookie')
  t.equal(await answerAnywhere('/shop/x?t=readers', []), 'credential_missing')
  const cookie = ['Cookie', 'token=readers']
  t.equal(await answerAnywhere('/shop/admin?t=admins', cookie), 'allow query')
  t.equal(await answerAnywhere('/shop/admin', cookie), 'credential_missing')
  // With a last slash it is the other route's, which has to find a token too.
  t.equal(await answerAnywhere('/shop/admin?t=admins', []), 'credential_missing')
  t.equal(
    await answerAnywhere('/plain?t=readers', ['Cookie', 'token=readers']),
    'credential_missing',
  )
})

t.test('an upgrade is one for the routes of looser readings too', async (t) => {
  const cookie = ['Cookie', 'token=readers']
  const upgrade = { upgrade: 'websocket' }
  t.equal(await answerAnywhere('/live/quiet', cookie, upgrade), 'allow quiet', 'it has none')
  t.equal(await answerAnywhere('/live/Quiet', cookie), 'allow live')
  t.equal(await answerAnywhere('/live/Quiet', cookie, upgrade), 'origin_denied')
  const own = [...cookie, 'Origin', 'https://a.example']
  t.equal(await answerAnywhere('/live/Quiet', own, upgrade), 'allow live')
})

t.test('what changes something with a cookie has to come from an own page', async (t) => {
  const cookie = ['Cookie', 'token=readers']
  const ask = (...more: string[]) =>
    answerAnywhere('/shop/x', [...cookie, ...more], { method: 'POST' })
  t.equal(await ask(), 'origin_denied')
  t.equal(await ask('Origin', 'https://evil.example'), 'origin_denied')
  t.equal(await ask('Origin', 'https://a.example'), 'allow cookie')
  t.equal(await ask('Origin', 'https://partner.example'), 'allow cookie')
  t.equal(await ask('Sec-Fetch-Site', 'same-origin'), 'allow cookie')
  const authorization = 'Bearer readers'
  const asked = answerAnywhere('/shop/x', cookie, { method: 'POST', authorization })
  t.equal(await asked, 'allow cookie', 'no page puts it into Authorization')
})

t.test(
  'a looser reading’s route reads by its own settings, and has to find a token there',
  async (t) => {
    const path = '/shop/Admin'
    const cookie = ['Cookie', 'token=admins']
    t.equal(await answerAnywhere(path, cookie), 'credential_missing')
    t.equal(await answerAnywhere(`${path}?t=admins`, cookie), 'allow cookie')
    t.equal(await answerAnywhere(`${path}?t=readers`, cookie), 'group_missing')
    const authorization = 'Bearer admins'
    t.equal(await answerAnywhere(path, [], { authorization }), 'allow cookie')
    t.equal(await answerAnywhere(`${path}?t=admins`, [], { authorization }), 'credential_ambiguous')
  },
)
