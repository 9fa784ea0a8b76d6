// One policy, whatever way a request comes in: the proxy and every protocol give each request of the table the same decision, for the
// same reason, by the same route (catalogue row F-11).
import t, { type Test } from 'tap'
import { loadCorpus } from '../support/corpora.ts'
import {
  createDecisionCases,
  DECISION_ROUTES,
  type DecisionCase,
} from '../support/decision-cases.ts'
import { createEnvoyCheck, toHeaderMap } from '../support/envoy-check.ts'
import { eventually } from '../support/eventually.ts'
import { sendRaw } from '../support/raw-client.ts'
import { startGateway } from '../support/start-gateway.ts'

const running = await startGateway({
  routes: DECISION_ROUTES,
  more: 'trustedProxies: [127.0.0.1]\nextAuthz: 127.0.0.1:0',
})
const envoy = createEnvoyCheck(running.extAuthz)
t.teardown(async () => {
  envoy.close()
  await running.stop()
})
interface Answer {
  readonly status: number
  /** As the body tells it; '' where it tells none. */
  readonly reason: string
}
type Send = (request: DecisionCase, id: string) => Promise<Answer>

const toAnswer = (status: number, text: string): Answer => ({
  status,
  reason: /"reason":"(\w+)"/.exec(text)?.[1] ?? '',
})

function isWhole(text: string): boolean {
  const [head = '', body] = text.split('\r\n\r\n', 2)
  const length = /^content-length: *(\d+)/im.exec(head)?.[1] ?? '0'
  return body !== undefined && body.length >= Number(length)
}

const over = async (method: string, target: string, host: string, headers: readonly string[]) => {
  const lines = headers.flatMap((name, i) => (i % 2 === 0 ? `${name}: ${headers[i + 1]}` : []))
  const head = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...lines, '', ''].join('\r\n')
  const { text, statuses } = await sendRaw(running.origin, head, {
    quietMs: method === 'HEAD' ? 300 : 8_000,
    until: isWhole,
  })
  return toAnswer(statuses.at(-1) ?? 0, text)
}
const named =
  (endpoint: string, naming: (request: DecisionCase) => readonly string[]): Send =>
  (request, id) =>
    over('GET', `/_poolgate/${endpoint}`, request.host, [
      ...request.headers,
      'X-Request-Id',
      id,
      ...naming(request),
    ])

const PROXY: Send = ({ method, target, host, headers }, id) =>
  over(method, target, host, [...headers, 'X-Request-Id', id])
const PROTOCOLS: Readonly<Record<string, Send>> = {
  'auth-request': named('auth-request', ({ method, target, host }) => [
    'X-Original-Method',
    method,
    'X-Original-URL',
    `http://${host}${target}`,
  ]),
  'forward-auth': named('forward-auth', ({ method, target, host }) => [
    ...['X-Forwarded-Method', method, 'X-Forwarded-Proto', 'http'],
    ...['X-Forwarded-Host', host, 'X-Forwarded-Uri', target],
  ]),
  'nginx-gateway-fabric': named('nginx-gateway-fabric', ({ method, target }) => [
    'Method',
    method,
    'Path',
    target,
  ]),
  'ext-authz': ({ method, target, host, headers }, id) =>
    over(method, `/_poolgate/ext-authz${target}`, host, [...headers, 'X-Request-Id', id]),
  'ext-authz-grpc': async ({ method, target, host, headers }, id) => {
    const headerMap = toHeaderMap([...headers, 'x-request-id', id])
    const { status, body } = await envoy.ask({
      method,
      path: target,
      host,
      scheme: 'http',
      headerMap,
    })
    return toAnswer(status, body)
  },
}
/** What a table of requests can bring up. */
const ALL_REASONS = [
  ...['', 'target_ambiguous', 'request_malformed', 'credential_ambiguous', 'credential_missing'],
  ...['credential_malformed', 'token_malformed', 'token_algorithm', 'token_key_unknown'],
  ...['token_signature', 'token_issuer', 'token_client', 'token_use', 'token_expired'],
  ...['token_not_yet_valid', 'origin_denied', 'group_missing', 'scope_missing', 'claim_mismatch'],
  ...['policy_denied', 'route_not_found', 'target_too_long', 'headers_too_large'],
  'method_not_allowed',
]
const TWO_STATUSES = ['auth-request', 'forward-auth', 'nginx-gateway-fabric']

/** What never becomes a request of the proxy, or not one that the protocol can name: denied in every way, for the reason of each. */
const ITS_OWN_REASON: readonly RegExp[] = [
  // A target without a slash is none in the request line, and may be made one in a field or behind a prefix.
  / for (?:\*|public\/x|\?x)$/,
  // The endpoint's own Host is that of the request, and is refused as one; a URL ends its host at the slash.
  /^host inner\.example\/x$/,
]

type UriCases = Readonly<Record<string, { cases: readonly { target?: string; url?: string }[] }>>

async function sendAll(
  cases: readonly DecisionCase[],
  send: Send,
  prefix: string,
): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let i = 0; i < cases.length; i += 16) {
    const batch = cases.slice(i, i + 16)
    answers.push(...(await Promise.all(batch.map((each, n) => send(each, `${prefix}-${i + n}`)))))
  }
  return answers
}

/** Sends each case in every way and compares what came of it. Answers the reasons that came up. */
async function decideAlike(
  t: Test,
  cases: readonly DecisionCase[],
  round: string,
): Promise<ReadonlySet<string>> {
  const earlier = running.accessLines().length
  const proxied = await sendAll(cases, PROXY, `${round}-proxy`)
  const asked = await Promise.all(
    Object.entries(PROTOCOLS).map(async ([protocol, send]) => ({
      protocol,
      answers: await sendAll(cases, send, `${round}-${protocol}`),
    })),
  )
  const lines = await eventually('the access lines', () => {
    const found = running.accessLines()
    return found.length >= earlier + cases.length * (asked.length + 1) && found
  })
  const lineOf = new Map(lines.map((line) => [line.request_id, line]))
  const reasons = new Set<string>()
  for (const [i, { name, method }] of cases.entries()) {
    const { status, reason } = proxied[i] as Answer
    reasons.add(reason)
    for (const { protocol, answers } of asked) {
      const about = `${protocol}: ${name}`
      const answer = answers[i] as Answer
      if (ITS_OWN_REASON.some((pattern) => pattern.test(name))) {
        t.not(status, 200, about)
        t.not(answer.status, 200, about)
        continue
      }
      const isClamped = TWO_STATUSES.includes(protocol) && status !== 200 && status !== 401
      t.equal(answer.status, isClamped ? 403 : status, about)
      // A HEAD has no body to tell it, and the endpoints of names are asked with GET.
      if (method !== 'HEAD') t.equal(answer.reason, reason, about)
      const own = lineOf.get(`${round}-proxy-${i}`)
      const other = lineOf.get(`${round}-${protocol}-${i}`)
      t.same(
        [other?.decision, other?.reason, other?.route],
        [own?.decision, own?.reason, own?.route],
        about,
      )
    }
  }
  return reasons
}

t.test('every request is decided alike', async (t) => {
  const cases = createDecisionCases(running.issuer)
  t.ok(cases.length >= 200, `${cases.length} requests`)
  const reasons = await decideAlike(t, cases, 'own')
  for (const each of ALL_REASONS) t.ok(reasons.has(each), `${each} came up`)
})

t.test('F-11: so is every path of other proxies’ tests', async (t) => {
  const nginx = loadCorpus<UriCases>(t, 'proxy_uri_cases')
  if (nginx === undefined) return
  const envoyPaths = loadCorpus<{ cases: readonly { in: string }[] }>(t, 'envoy_path_cases')
  if (envoyPaths === undefined) return
  const written = Object.values(nginx).flatMap(({ cases }) =>
    cases.map((each) => each.target ?? each.url ?? ''),
  )
  const paths = new Set([...written, ...envoyPaths.cases.map((each) => each.in)])
  // Nothing else can stand in a request line, or in a header field.
  const targets = [...paths].filter((path) => /^\/[!-~]*$/.test(path))
  t.ok(targets.length >= 100, `${targets.length} paths`)
  const token = running.issuer.access()
  const cases = targets.flatMap((path) =>
    ['', '/public', '/api'].map((before) => ({
      name: `corpus: ${before}${path}`,
      method: 'GET',
      host: 'api.example',
      target: before + path,
      headers: ['Authorization', `Bearer ${token}`],
    })),
  )
  await decideAlike(t, cases, 'corpus')
})
