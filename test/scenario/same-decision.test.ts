// One request, one decision: whether it is proxied or asked about by any protocol, the same route gives the same verdict for the same
// reason (catalogue row F-11). What cannot be alike is listed, and denied.
import t from 'tap'
import type { DenyReason } from '../../src/policy/decision.ts'
import { toDenial } from '../../src/proxy/denial-response.ts'
import { loadCorpus } from '../support/corpora.ts'
import {
  createDecisionCases,
  DECISION_ROUTES,
  type DecisionCase,
} from '../support/decision-cases.ts'
import { createModes, type Mode, MODES } from '../support/decision-modes.ts'
import { createEnvoyCheck } from '../support/envoy-check.ts'
import { eventually } from '../support/eventually.ts'
import {
  createFurtherCases,
  createPathCases,
  FURTHER_ROUTES,
  type PathDraft,
} from '../support/further-decision-cases.ts'
import { inLanes } from '../support/many-requests.ts'
import { startGateway } from '../support/start-gateway.ts'

const ROUTES = DECISION_ROUTES + FURTHER_ROUTES
const gate = await startGateway({
  routes: ROUTES,
  more: 'trustedProxies: [127.0.0.1]\nextAuthz: 127.0.0.1:0',
})
const envoy = createEnvoyCheck(gate.extAuthz)
const modes = createModes(gate.origin, envoy)
t.teardown(async () => {
  envoy.close()
  await gate.stop()
})

interface Verdict {
  readonly decision: unknown
  readonly reason: unknown
  readonly route: unknown
  readonly status: number
}
type Verdicts = Readonly<Record<Mode, Verdict>>

/** What the access lines say of each case in each mode. */
async function decide(cases: readonly DecisionCase[]): Promise<readonly Verdicts[]> {
  const asked = await inLanes(cases.length * MODES.length, 32, async (index) => {
    const mode = MODES[index % MODES.length] as Mode
    const one = cases[Math.floor(index / MODES.length)] as DecisionCase
    return { index, mode, ...(await modes[mode](one, `${cases.length}-${index}`)) }
  })
  const lines = await eventually('a line for each', () => {
    const byId = new Map(gate.accessLines().map((line) => [line.request_id, line]))
    return asked.every(({ requestId }) => byId.has(requestId)) && byId
  })
  const verdicts = cases.map((): Partial<Record<Mode, Verdict>> => ({}))
  for (const { index, mode, status, requestId } of asked) {
    const { decision, reason, route } = lines.get(requestId)!
    verdicts[Math.floor(index / MODES.length)]![mode] = { decision, reason, route, status }
  }
  return verdicts as Verdicts[]
}

interface Listed {
  readonly why: string
  readonly is: (one: DecisionCase) => boolean
  /** Modes that may decide otherwise than the rest, but deny. */
  readonly apart: readonly Mode[]
}

const IN_FIELDS: readonly Mode[] = ['auth-request', 'forward-auth', 'nginx-gateway-fabric']

const LISTED: readonly Listed[] = [
  {
    why: 'the gateway answers by itself: it is asked about, not passed on',
    is: ({ method, target }) => method === 'OPTIONS' && target === '*',
    apart: ['proxy', 'auth-request', 'ext-authz'],
  },
  {
    why: 'without a slash first it has no place behind a host or a prefix: ingresses refuse it, or name its path alone',
    is: ({ target }) => !target.startsWith('/'),
    apart: ['auth-request', 'ext-authz'],
  },
  {
    why: 'a URL ends its host at the slash',
    is: ({ host }) => host.includes('/'),
    apart: ['auth-request'],
  },
  {
    why: 'in a request line it is no HTTP; in a field or a message it only is no target',
    is: ({ target }) => /[^!-~]/.test(target),
    apart: [...IN_FIELDS, 'ext-authz-grpc'],
  },
  {
    why: 'the target is named a second time, which the proxy takes out: who asks may have meant either',
    is: ({ name }) => name.includes('(a target named again'),
    apart: MODES.filter((mode) => mode !== 'proxy'),
  },
  {
    why: 'it would make another request of this one, and only the proxy and Envoy take it out',
    is: ({ headers }) =>
      headers.some((name) => /^x-(?:(?:http-)?method-override|rewrite-url)$/.test(name)),
    apart: IN_FIELDS,
  },
  {
    why: 'refused by the parser, before anybody knows what is asked: the status is the reason’s own',
    is: ({ name }) => /\((?:too large fields|an expectation)\)/.test(name),
    apart: IN_FIELDS,
  },
  {
    why: 'the answer to a preflight is none that these could pass on',
    is: ({ name }) => name.includes('(a preflight)'),
    apart: IN_FIELDS,
  },
]

const isDenied = ({ decision, status }: Verdict) => decision === 'deny' && status >= 400

/** What each protocol has for it. */
function statusOf({ decision, reason, status }: Verdict, mode: Mode): number {
  if (decision === 'allow') return status === 204 ? 204 : 200
  const own = toDenial(reason as DenyReason).status
  if (!IN_FIELDS.includes(mode)) return own
  return own === 401 ? 401 : 403
}

/** What is decided in two ways, in words; beside it, how many cases each listed difference had. */
async function compare(cases: readonly DecisionCase[]) {
  const all = await decide(cases)
  const counts = LISTED.map(() => 0)
  const problems: string[] = []
  for (const [i, verdicts] of all.entries()) {
    const one = cases[i] as DecisionCase
    const which = LISTED.findIndex(({ is }) => is(one))
    if (which !== -1) counts[which]!++
    const { apart = [], why = 'not listed' } = LISTED[which] ?? {}
    const alike = MODES.filter((mode) => !apart.includes(mode))
    const tell = (mode: Mode) => {
      const { decision, reason, route } = verdicts[mode]
      return [decision, reason, route].join(' ')
    }
    const isAlike = alike.every(
      (mode) =>
        tell(mode) === tell(alike[0] as Mode) &&
        verdicts[mode].status === statusOf(verdicts[mode], mode),
    )
    // What only the proxy can take out of a request may be allowed there.
    const isSafe = apart.every((mode) => mode === 'proxy' || isDenied(verdicts[mode]))
    if (isAlike && isSafe) continue
    problems.push(
      `${one.name} (${why}): ${MODES.map((mode) => `${mode} ${verdicts[mode].status} ${tell(mode)}`).join('; ')}`,
    )
  }
  return { all, counts, problems }
}

t.test('hundreds of requests are decided alike in every way of asking', async (t) => {
  const { issuer } = gate
  const cases = [...createDecisionCases(issuer), ...createFurtherCases(issuer)]
  t.ok(cases.length >= 700, `${cases.length} cases`)
  const { all, counts, problems } = await compare(cases)
  t.same(problems, [])
  t.same(counts, [0, 6, 1, 0, 2, 6, 2, 1], 'cases of each listed difference')
  const seen = new Set(all.map(({ proxy }) => proxy.reason ?? proxy.route))
  for (const [, route] of ROUTES.matchAll(/name: ([\w-]+)/g))
    t.ok(seen.has(route), `some are allowed by ${route}`)
  for (const reason of REASONS) t.ok(seen.has(reason), `some are denied for ${reason}`)
})

/** Every reason that a request by itself can give. */
const REASONS: readonly DenyReason[] = [
  ...(['target_ambiguous', 'request_malformed', 'target_too_long', 'headers_too_large'] as const),
  ...(['method_not_allowed', 'expectation_failed', 'route_not_found', 'origin_denied'] as const),
  ...(['credential_missing', 'credential_malformed', 'credential_ambiguous'] as const),
  ...(['token_malformed', 'token_algorithm', 'token_key_unknown', 'token_signature'] as const),
  ...([
    'token_issuer',
    'token_client',
    'token_use',
    'token_expired',
    'token_not_yet_valid',
  ] as const),
  ...([
    'group_missing',
    'scope_missing',
    'claim_mismatch',
    'cors_denied',
    'policy_denied',
  ] as const),
]

interface EnvoyCorpus {
  readonly cases: readonly { readonly in: string }[]
}

interface ProxyCorpus {
  readonly nginx: { readonly cases: readonly { readonly target: string }[] }
  readonly haproxy_normalize_uri: {
    readonly cases: readonly { readonly method: string; readonly url: string }[]
  }
  readonly haproxy_request_target: {
    readonly cases: readonly {
      readonly method: string
      readonly target: string
      readonly host: string | null
    }[]
  }
}

t.test('F-11: other proxies’ own paths are decided alike in every way of asking', async (t) => {
  const envoys = loadCorpus<EnvoyCorpus>(t, 'envoy_path_cases')
  const others = envoys && loadCorpus<ProxyCorpus>(t, 'proxy_uri_cases')
  if (envoys === undefined || others === undefined) return
  const drafts: PathDraft[] = [
    ...envoys.cases.map((one) => ({ target: one.in })),
    ...others.nginx.cases.map(({ target }) => ({ target, ...hostOf(target) })),
    ...others.haproxy_normalize_uri.cases.map(({ method, url }) => ({ method, target: url })),
    ...others.haproxy_request_target.cases.map(({ method, target, host }) => ({
      method,
      target,
      ...(host !== null && { host }),
    })),
  ]
  t.comment(`${drafts.length} cases`)
  const { counts, problems } = await compare(createPathCases(gate.issuer, drafts))
  t.same(problems, [])
  t.same(counts, [16, 46, 0, 4, 0, 0, 0, 0], 'cases of each listed difference')
})

/** An absolute target is the request’s own host’s. */
function hostOf(target: string): { host?: string } {
  const host = /^http:\/\/([^/?#]+)/.exec(target)?.[1]
  return host === undefined ? {} : { host }
}

interface UrlCorpus {
  readonly cases: readonly { readonly pathname?: string; readonly search?: string }[]
}

t.test('F-11: so are the paths that browsers ask for', async (t) => {
  const corpus = loadCorpus<UrlCorpus>(t, 'wpt_urltestdata')
  if (corpus === undefined) return
  const targets = corpus.cases.map(({ pathname = '', search = '' }) => pathname + search)
  const paths = [...new Set(targets)].filter((target) => target.startsWith('/'))
  const drafts = paths.map((target) => ({ target }))
  const cases = createPathCases(gate.issuer, drafts).filter(({ headers }) => headers.length === 0)
  t.comment(`${cases.length} cases`)
  const { counts, problems } = await compare(cases)
  t.same(problems, [])
  t.same(counts, [0, 0, 0, 0, 0, 0, 0, 0], 'cases of each listed difference')
})
