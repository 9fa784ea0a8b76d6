// What explain says is what a gateway answers, over a table of requests; and the check that it marks is the one that decides.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { fetchKeys, toPoolSettings } from '../../src/cli/fetch-keys.ts'
import { loadConfig } from '../../src/config/load.ts'
import { explain, type Question } from '../../src/explain/explain.ts'
import { createDecisionCases, DECISION_ROUTES } from '../support/decision-cases.ts'
import { sendRaw } from '../support/raw-client.ts'
import { realClock } from '../support/real-clock.ts'
import { startGateway } from '../support/start-gateway.ts'

const running = await startGateway({
  more: 'trustedProxies: [127.0.0.1]',
  routes: `${DECISION_ROUTES}  - {name: elsewhere, match: {path: /elsewhere}, access: public, upstream: none}\n`,
})
t.teardown(() => running.stop())
const { issuer } = running
const { config } = loadConfig(running.config(), 'test.yaml', {})
const keyed = await Promise.all(
  Object.entries(config.userPools).map(async ([name, pool]) => ({
    settings: toPoolSettings(name, pool),
    keys: await fetchKeys(pool, realClock, (problem) => t.fail(problem)),
  })),
)
t.teardown(() => {
  for (const { keys } of keyed) keys.stop()
})
const ports = { clock: realClock, pools: keyed, keyProblemOf: () => undefined }

const now = () => Math.floor(Date.now() / 1000)
const good = issuer.access({ 'cognito:groups': ['admins'] })

async function ask({ method, authority, target, headers }: Question) {
  const lines = headers.flatMap((name, i) => (i % 2 === 0 ? `${name}: ${headers[i + 1]}` : []))
  const head = [`${method} ${target} HTTP/1.1`, `Host: ${authority}`, ...lines, '', ''].join('\r\n')
  const { text, statuses } = await sendRaw(running.origin, head, {
    quietMs: 8_000,
    until: (received) => received.includes('\r\n\r\n'),
  })
  return { status: statuses.at(-1), reason: /"reason":"(\w+)"/.exec(text)?.[1] ?? '' }
}

function toQuestion(target: string, token: string | undefined, changes: Partial<Question> = {}) {
  const headers = token === undefined ? [] : ['authorization', `Bearer ${token}`]
  const question: Question = {
    ...{ method: 'GET', scheme: 'http', authority: 'api.example', target, headers },
    ...{ peer: '127.0.0.1', via: undefined },
    ...changes,
  }
  return question
}

t.test('the verdict is the gateway’s, and a marked check has its reason', async (t) => {
  for (const { name, host: authority, ...request } of createDecisionCases(issuer)) {
    // Its answer has no body to tell a reason.
    if (request.method === 'HEAD') continue
    const question = { ...request, authority, scheme: 'http', peer: '127.0.0.1', via: undefined }
    const [answer, { verdict, steps, advice }] = await Promise.all([
      ask(question),
      explain(config, question, ports),
    ])
    t.same({ status: verdict.status, reason: verdict.reason }, answer, name)
    if (verdict.reason === '') continue
    const failing = steps.flatMap(({ checks }) => checks).filter(({ result }) => result === 'no')
    const isOwn = /reserved|no Origin/.test(verdict.detail)
    t.ok(isOwn || failing.some(({ reason }) => reason === verdict.reason), `${name} is shown`)
    t.not(advice, '', name)
  }
})

t.test('an ingress that asks gets the same, in the statuses that it takes', async (t) => {
  for (const via of ['auth-request', 'forward-auth', 'ext-authz'] as const) {
    const allowed = await explain(config, toQuestion('/elsewhere', undefined, { via }), ports)
    t.match(allowed.verdict, { decision: 'allow', status: 200 })
    const unknown = await explain(config, toQuestion('/nowhere', undefined, { via }), ports)
    const status = via === 'ext-authz' ? 404 : 403
    t.match(unknown.verdict, { reason: 'route_not_found', status })
    const peer = await explain(
      config,
      toQuestion('/api/x', good, { via, peer: '192.0.2.1' }),
      ports,
    )
    t.match(peer.verdict, { reason: 'decision_untrusted_peer', status: 403 })
    t.match(peer.advice, /trustedProxies: \[192\.0\.2\.1\/32\]/)
  }
})

t.test('what would fail next is shown too', async (t) => {
  const token = issuer.access({ exp: now() - 60, client_id: 'another' })
  const { steps } = await explain(config, toQuestion('/admin/x', token), ports)
  const failing = steps.flatMap(({ checks }) => checks).filter(({ result }) => result === 'no')
  t.same(
    failing.map(({ reason }) => reason),
    ['token_client', 'token_expired', 'group_missing'],
  )
})

t.test('its files never read a signature out', async (t) => {
  t.notMatch(readFileSync('src/explain/explain-token.ts', 'utf8'), /jws\.signature/)
})
