// What explain says is what a gateway answers, over a table of requests and in every way to ask; and the first check that it shows as failing
// is the one that decides.
import { readdirSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { fetchKeys, toPoolSettings } from '../../src/cli/fetch-keys.ts'
import { loadConfig } from '../../src/config/load.ts'
import { type Explanation, explain } from '../../src/explain/explain.ts'
import { ENDPOINTS, type Question, toMessage } from '../../src/explain/question.ts'
import {
  createDecisionCases,
  DECISION_ROUTES,
  type DecisionCase,
} from '../support/decision-cases.ts'
import { createIssuer, type TestIssuer } from '../support/issuer.ts'
import { startJwksServer } from '../support/jwks-server.ts'
import { sendRaw } from '../support/raw-client.ts'
import { realClock } from '../support/real-clock.ts'
import { type ConfigParts, type RunningGateway, startGateway } from '../support/start-gateway.ts'

interface Pair {
  readonly running: RunningGateway
  explain(question: Question): Promise<Explanation>
}

/** A gateway, and explain by the same configuration. */
async function start(t: Test, parts: ConfigParts): Promise<Pair> {
  const running = await startGateway({ more: 'trustedProxies: [127.0.0.1]', ...parts })
  const { config } = loadConfig(running.config(), 'test.yaml', {})
  const pools = await Promise.all(
    Object.entries(config.userPools).map(async ([name, pool]) => ({
      settings: toPoolSettings(name, pool),
      keys: await fetchKeys(pool, realClock, () => undefined),
    })),
  )
  t.teardown(async () => {
    for (const { keys } of pools) keys.stop()
    await running.stop()
  })
  const ports = { clock: realClock, pools, keyProblemOf: () => 'it is gone' }
  return { running, explain: (question) => explain(config, question, ports) }
}

async function ask({ origin }: RunningGateway, question: Question) {
  const { method, url, headers } = toMessage(question, '/_poolgate')
  const fields = headers.flatMap((name, i) => (i % 2 === 0 ? `${name}: ${headers[i + 1]}` : []))
  const head = `${[`${method} ${url} HTTP/1.1`, ...fields].join('\r\n')}\r\n\r\n`
  const { text, statuses } = await sendRaw(origin, head, { until: isWhole })
  return { status: statuses.at(-1), reason: /"reason":"(\w+)"/.exec(text)?.[1] ?? '' }
}

function isWhole(text: string): boolean {
  return text.includes('\r\n\r\n')
}

function toQuestion(changes: Partial<Question>): Question {
  return {
    ...{ method: 'GET', scheme: 'http', authority: 'api.example', target: '/', headers: [] },
    ...{ peer: '127.0.0.1', via: undefined },
    ...changes,
  }
}

function failingIn({ steps }: Explanation) {
  return steps.flatMap(({ checks }) => checks).filter(({ result }) => result === 'no')
}

function signaturesIn({ target, headers }: Question): string[] {
  const texts = [target, ...headers].join(' ')
  return [...texts.matchAll(/\.([\w-]{40,})(?![\w.-])/g)].map(([, text = '']) => text)
}

async function compare(t: Test, pair: Pair, name: string, question: Question): Promise<string> {
  const answer = await ask(pair.running, question)
  const explanation = await pair.explain(question)
  const { verdict, advice } = explanation
  const { status, reason } = verdict
  const [first] = failingIn(explanation)
  t.same(
    { status, reason, first: first?.reason ?? '', hasAdvice: advice !== '' },
    { ...answer, first: answer.reason, hasAdvice: answer.reason !== '' },
    name,
  )
  if (/undefined|\[object/.test(advice)) t.fail(`${name}: ${advice}`)
  const told = JSON.stringify(explanation)
  for (const signature of signaturesIn(question)) {
    if (told.includes(signature)) t.fail(`${name} tells a signature`)
  }
  return reason
}

const ROUTES = `${DECISION_ROUTES}
  - {name: query, match: {path: /query/*}, access: authenticated, credentials: {query: tok}, upstream: up}
  - {name: paged, match: {path: /paged/*}, access: authenticated, credentials: {cookie: tok, origins: ['https://app.example']}, upstream: up}
  - {name: shared, match: {path: /shared/*, methods: [GET]}, access: authenticated, cors: {origins: ['https://app.example']}, upstream: up}
  - {name: small, match: {path: /small/*}, access: public, maxBody: 10B, upstream: up}
  - {name: socket, match: {path: /socket/*}, access: authenticated, upgrades: [websocket], upstream: up}
  - {name: elsewhere, match: {path: /elsewhere}, access: public, upstream: none}
`

/** What the common table leaves out: it is not the same in every way to ask, or is wrong in two ways. */
function createFurtherCases(issuer: TestIssuer): DecisionCase[] {
  const { access } = issuer
  const token = access()
  const cookie = ['cookie', `tok=${token}`]
  const foreign = createIssuer({ issuer: 'https://stranger.example' })
  const upgrade = ['connection', 'upgrade', 'upgrade', 'websocket']
  const bearer = (text: string) => ['authorization', `Bearer ${text}`]
  const toPreflight = (origin: string, method: string): Partial<DecisionCase> => ({
    ...{ method: 'OPTIONS', target: '/shared/x' },
    headers: ['origin', origin, 'access-control-request-method', method],
  })
  const page = { method: 'POST', target: '/paged/x' }
  const many = ['admins', ...Array(60).fill('é'.repeat(60))]
  const cases: Record<string, Partial<DecisionCase>> = {
    'an unknown key, expired': { headers: bearer(access({ exp: 1 }, { kid: 'unknown' })) },
    'an unknown key, another client': {
      headers: bearer(access({ client_id: 'another' }, { kid: 'unknown' })),
    },
    'another client, expired': { headers: bearer(access({ client_id: 'another', exp: 1 })) },
    'another pool, expired': { headers: bearer(foreign.access({ exp: 1 })) },
    'another pool, own key': { headers: bearer(access({ iss: foreign.issuer })) },
    'more groups than headers hold': { headers: bearer(access({ 'cognito:groups': many })) },
    'a parameter': { target: `/query/x?tok=${token}` },
    'two parameters': { target: `/query/x?tok=${token}&tok=x` },
    'two places': { target: `/query/x?tok=${token}`, headers: bearer(token) },
    'a known page': { ...page, headers: [...cookie, 'origin', 'https://app.example'] },
    'an unknown page': { ...page, headers: [...cookie, 'origin', 'https://evil.example'] },
    'an unknown page, expired': { ...page, headers: ['cookie', `tok=${access({ exp: 1 })}`] },
    'a preflight': toPreflight('https://app.example', 'GET'),
    'a preflight of another origin': toPreflight('https://evil.example', 'GET'),
    'a preflight without a route': toPreflight('https://app.example', 'PUT'),
    'a large body': { method: 'POST', target: '/small/x', headers: ['content-length', '100'] },
    'half a WebSocket': { target: '/socket/x', headers: [...upgrade, ...bearer(token)] },
    'an upgrade that is not taken': { headers: [...upgrade, ...bearer(token)] },
    'a route for decisions alone': { target: '/elsewhere' },
    'another reading of it': { target: '/elsewhere/' },
  }
  return Object.entries(cases).map(([name, changes]) => ({
    ...{ name, method: 'GET', host: 'api.example', target: '/api/x', headers: [], ...changes },
  }))
}

const pair = await start(t, { routes: ROUTES })

t.test('the verdict is the gateway’s, in every way to ask, and tells no signature', async (t) => {
  const reasons = new Set<string>()
  for (const via of [undefined, ...ENDPOINTS]) {
    // That all ways are the same, another test shows; and a verifier remembers the tokens that it refused.
    const common = createDecisionCases(pair.running.issuer).filter(
      (_, i) => via === undefined || i % 8 === 0,
    )
    const further = createFurtherCases(pair.running.issuer)
    for (const { name, host: authority, ...request } of [...common, ...further]) {
      // The answer has no body to tell a reason.
      if (request.method === 'HEAD') continue
      const question = toQuestion({ ...request, authority, via })
      reasons.add(await compare(t, pair, `${name} ${via ?? ''}`, question))
    }
  }
  for (const each of ['', 'cors_denied', 'origin_denied', 'body_too_large', 'headers_too_large']) {
    t.ok(reasons.has(each), `${each} came up`)
  }
})

t.test('a token of another configured pool is one too', async (t) => {
  const second = createIssuer({
    issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Second001',
  })
  const keys = await startJwksServer(second.jwks())
  t.teardown(keys.close)
  const pair = await start(t, {
    pool: `  second: {userPoolId: eu-west-1_Second001, clientIds: any, jwksUri: '${keys.url}'}`,
    routes: `
  - {name: main, match: {path: /main}, access: {userPool: main}, upstream: up}
  - {name: both, match: {path: /both}, access: authenticated, upstream: up}
`,
  })
  const tokens = {
    first: pair.running.issuer.access(),
    second: second.access(),
    'an ID token': second.id(),
    'nobody’s': second.access({ iss: 'https://stranger.example' }),
    'an unknown key': second.access({}, { kid: 'unknown' }),
  }
  for (const target of ['/main', '/both']) {
    for (const [name, token] of Object.entries(tokens)) {
      const headers = ['authorization', `Bearer ${token}`]
      await compare(t, pair, `${target} ${name}`, toQuestion({ target, headers }))
    }
  }
})

t.test('without keys nobody is let through, and the endpoint is named', async (t) => {
  const pair = await start(t, { keys: (_, response) => void response.writeHead(500).end() })
  const { issuer, jwks } = pair.running
  for (const token of [issuer.access(), issuer.access({ exp: 1 }), 'abc']) {
    const question = toQuestion({ target: '/api/x', headers: ['authorization', `Bearer ${token}`] })
    await compare(t, pair, token.slice(0, 3), question)
  }
  const headers = ['authorization', `Bearer ${issuer.access()}`]
  const { advice } = await pair.explain(toQuestion({ target: '/api/x', headers }))
  t.match(advice, `make ${jwks.url} reachable from here (it is gone)`)
})

t.test('who is not trusted learns nothing by asking, and what to add', async (t) => {
  for (const via of ENDPOINTS) {
    for (const [peer, entry] of [
      ['192.0.2.1', '192.0.2.1/32'],
      ['2001:db8::1', '2001:db8::1/128'],
      ['', 'unix'],
    ]) {
      const { verdict, advice } = await pair.explain(toQuestion({ via, peer: peer as string }))
      t.match(verdict, { reason: 'decision_untrusted_peer', status: 403 })
      t.match(advice, `trustedProxies: [127.0.0.1/32, ${entry}]`)
    }
  }
})

const SESSION = `trustedProxies: [127.0.0.1]
sessions:
  web: {domain: 'http://127.0.0.1:9', clientId: 4exampleclient0000000000001, origins: ['https://app.example'], keys: [${'k'.repeat(32)}]}`
const NAVIGATION = ['sec-fetch-mode', 'navigate', 'sec-fetch-dest', 'document']

t.test('who would be sent to sign in is said, wherever the gateway sends him', async (t) => {
  const { running, explain } = await start(t, {
    more: SESSION,
    routes: `
  - {name: pages, match: {path: /app/*}, access: authenticated, signIn: web, upstream: up}
  - {name: api, match: {path: /api/*}, access: authenticated, upstream: up}`,
  })
  const bad = ['authorization', 'Bearer abc']
  for (const via of [undefined, ...ENDPOINTS]) {
    const isRedirecting = via !== 'auth-request' && via !== 'nginx-gateway-fabric'
    for (const [target, authority, headers, isSent] of [
      ['/app/x', 'app.example', NAVIGATION, isRedirecting],
      ['/app/x', 'app.example:443', ['accept', 'text/html'], isRedirecting],
      ['/app/x', 'app.example', ['sec-fetch-mode', 'cors'], false],
      ['/app/x', 'other.example', NAVIGATION, false],
      ['/app/x', 'app.example', [...NAVIGATION, ...bad], false],
      ['/api/x', 'app.example', NAVIGATION, false],
    ] as const) {
      const question = toQuestion({ target, authority, headers, via })
      const { verdict } = await explain(question)
      const about = `${via} ${target} ${authority} ${headers.join()}`
      t.equal(verdict.status, isSent ? 302 : 401, about)
      t.equal((await ask(running, question)).status, verdict.status, about)
    }
  }
})

t.test('where to sign in is said, and what keeps a host from it', async (t) => {
  const { explain } = await start(t, {
    more: SESSION,
    routes: `
  - {name: pages, match: {path: /*}, access: authenticated, signIn: web, upstream: up}`,
  })
  const adviceAt = async (authority: string) =>
    (await explain(toQuestion({ target: '/app/x', authority }))).advice
  const sent = await adviceAt('app.example')
  t.match(sent, 'browser at https://app.example/_poolgate/sign-in?session=web; or send the field')
  const other = await adviceAt('www.example:8443')
  t.match(other, 'add https://www.example:8443 to sessions.web.origins, which has https://app.exam')
  t.match(await adviceAt('localhost:8000'), 'add http://localhost:8000 to sessions.web.origins')
})

t.test('Poolgate’s own pages are nobody’s to decide', async (t) => {
  const { explain } = await start(t, { more: SESSION })
  for (const page of ['sign-in?return_to=/', 'sign-up', 'callback', 'sign-out', 'session']) {
    const target = `/_poolgate/${page}`
    const { verdict, steps } = await explain(toQuestion({ target, authority: 'app.example' }))
    t.match(verdict, { decision: 'allow', status: 200, route: '', upstream: '' }, page)
    t.match(steps.at(-1)?.checks.at(-1)?.detail, /own pages/)
    const asked = await explain(toQuestion({ target, via: 'forward-auth' }))
    t.match(asked.verdict, { decision: 'deny', reason: 'route_not_found' })
    t.match(asked.advice, /have the ingress pass \/_poolgate\/[a-z-]+ on/)
  }
  const { verdict } = await explain(toQuestion({ target: '/_poolgate/sign-in/x' }))
  t.match(verdict, { decision: 'deny', status: 404 })
  const none = await pair.explain(toQuestion({ target: '/_poolgate/sign-in' }))
  t.match(none.verdict, { decision: 'deny', status: 404 }, 'nobody signs in here')
})

t.test('what would fail next is shown too', async (t) => {
  const token = pair.running.issuer.access({ exp: 1, client_id: 'another' })
  const headers = ['authorization', `Bearer ${token}`]
  const explanation = await pair.explain(toQuestion({ target: '/admin/x', headers }))
  t.same(
    failingIn(explanation).map(({ reason }) => reason),
    ['token_client', 'token_expired', 'group_missing'],
  )
})

t.test('no file of it reads a signature', async (t) => {
  for (const name of readdirSync('src/explain')) {
    t.notMatch(readFileSync(`src/explain/${name}`, 'utf8'), /jws\.signature/, name)
  }
})

t.test(
  'an upstream that is called with the caller’s own credentials needs the ID token',
  async (t) => {
    const aws = await start(t, {
      more: `trustedProxies: [127.0.0.1]
identityPools:
  main: {identityPoolId: 'eu-west-1:01234567-89ab-cdef-0123-456789abcdef', endpoint: 'http://127.0.0.1:9'}`,
      aws: "{service: s3, identityPool: main, endpoint: 'http://127.0.0.1:9'}",
      routes: `
  - {name: files, match: {path: /files/*}, access: {tokenUse: any}, upstream: up}`,
    })
    const { issuer } = aws.running
    const access = issuer.access()
    const stranger = issuer.id({ sub: 'somebody-else' })
    const cases: [string, readonly string[], string][] = [
      ['an access token alone', [access], 'id_token_required'],
      ['another user’s', [access, stranger], 'id_token_required'],
      ['an access token for it', [access, access], 'token_use'],
      ['an expired one', [access, issuer.id({ exp: 1 })], 'token_expired'],
      ['two of them', [access, issuer.id(), issuer.id()], 'credential_ambiguous'],
    ]
    for (const [name, [token, ...beside], reason] of cases) {
      const fields = beside.flatMap((idToken) => ['x-poolgate-id-token', idToken])
      const question = toQuestion({
        target: '/files/a',
        headers: ['authorization', `Bearer ${token}`, ...fields],
      })
      t.equal(await compare(t, aws, name, question), reason, name)
    }
    for (const headers of [[`Bearer ${issuer.id()}`], [`Bearer ${access}`, issuer.id()]]) {
      const [authorization = '', idToken] = headers
      const beside = idToken === undefined ? [] : ['x-poolgate-id-token', idToken]
      const all = ['authorization', authorization, ...beside]
      const { verdict, steps } = await aws.explain(toQuestion({ target: '/files/a', headers: all }))
      t.match(verdict, { decision: 'allow', upstream: 'up' })
      t.ok(steps.some(({ title }) => title === 'ID token'))
    }
  },
)

t.test(
  'what an upstream of AWS refuses is told before AWS is asked, and what it would send',
  async (t) => {
    const role = 'arn:aws:iam::123456789012:role/writers'
    const aws = await start(t, {
      more: `trustedProxies: [127.0.0.1]
identityPools:
  main: {identityPoolId: 'eu-west-1:01234567-89ab-cdef-0123-456789abcdef', role: '${role}', endpoint: 'http://127.0.0.1:9'}`,
      aws: "{service: s3, identityPool: main, bucket: files, endpoint: 'http://127.0.0.1:9', pathStyle: true}",
      routes: `
  - {name: files, match: {path: /files/*}, access: {tokenUse: id}, rewrite: {stripPrefix: /files}, upstream: up}`,
    })
    const { issuer } = aws.running
    const writer = `Bearer ${issuer.id({ 'cognito:roles': [role] })}`
    const cases: [string, Partial<Question>, string][] = [
      ['presigned', { target: '/files/a?X-Amz-Signature=1' }, 'aws_request_refused'],
      ['a broken query', { target: '/files/a?b=%zz' }, 'aws_request_refused'],
      ['a copy', { headers: ['x-amz-copy-source', '/b/k'] }, 'aws_request_refused'],
      [
        'another role',
        { headers: ['authorization', `Bearer ${issuer.id()}`] },
        'credentials_denied',
      ],
    ]
    for (const [name, changes, reason] of cases) {
      const given = changes.headers ?? []
      const authorization = given.includes('authorization') ? [] : ['authorization', writer]
      const headers = [...authorization, ...given]
      const question = toQuestion({ target: '/files/a', ...changes, headers })
      t.equal(await compare(t, aws, name, question), reason, name)
    }
    const question = toQuestion({ target: '/files/a%20b?c', headers: ['authorization', writer] })
    const { verdict, steps } = await aws.explain(question)
    t.match(verdict, { decision: 'allow' })
    t.match(steps.at(-1)?.checks.at(-1), {
      what: 'AWS',
      detail: 'GET http://127.0.0.1:9/files/a%20b, signed for s3 in eu-west-1',
    })
  },
)
