// Why one request would be allowed or denied: the verdict is authorize's own, the steps beside it show what it went by. Forwards nothing.
import type { Clock } from '../base/clock.ts'
import { isUnix } from '../config/listen-address.ts'
import type { Config } from '../config/schema.ts'
import { createDecisionEndpoints } from '../external-auth/endpoints.ts'
import { compileTrustedProxies } from '../http/client-address.ts'
import type { RawHeaders } from '../http/headers.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import { createAuthorize, type Rule, toCaller } from '../policy/authorize.ts'
import { compileRules } from '../policy/compile-rules.ts'
import type { Decision, DenyReason } from '../policy/decision.ts'
import { compilePrincipal } from '../policy/principal.ts'
import type { ClientRequest } from '../proxy/client-side.ts'
import type { DecisionEndpoint } from '../proxy/decision-endpoint.ts'
import { toDenialResponse } from '../proxy/denial-response.ts'
import { toRequestFacts, type Unreadable } from '../proxy/to-request-facts.ts'
import { compileReserved } from '../route/reserved.ts'
import { findCredential, parseCredential } from '../token/credential.ts'
import { createVerifier, isRejected, type VerifierPool } from '../token/verifier.ts'
import { adviseOn, type Situation } from './advice.ts'
import { explainRoute } from './explain-route.ts'
import { explainRules } from './explain-rules.ts'
import { explainToken, type TokenExplanation } from './explain-token.ts'
import { type Step, toCheck } from './step.ts'

/** Decision endpoints by which a request can be asked about. */
export const ENDPOINTS = ['auth-request', 'forward-auth', 'ext-authz'] as const

export interface Question {
  readonly method: string
  readonly scheme: string
  readonly authority: string
  /** Path and query, as written. */
  readonly target: string
  /** Name, value, name, value …, without Host. */
  readonly headers: RawHeaders
  /** The address of who sends it; '' on a unix socket. */
  readonly peer: string
  /** The endpoint that an ingress asks; undefined where the request itself comes here. */
  readonly via: (typeof ENDPOINTS)[number] | undefined
}

export interface Verdict {
  readonly decision: 'allow' | 'deny'
  readonly status: number
  /** '' where it is allowed. */
  readonly reason: DenyReason | ''
  readonly detail: string
  /** '' where none was found. */
  readonly route: string
}

export interface Explanation {
  readonly steps: readonly Step[]
  readonly verdict: Verdict
  /** What to change; '' where it is allowed. */
  readonly advice: string
}

export interface ExplainPorts {
  readonly clock: Clock
  readonly pools: readonly VerifierPool[]
  /** Why the keys of a pool could not be fetched. */
  readonly keyProblemOf: (userPool: string) => string | undefined
}

export async function explain(
  config: Config,
  question: Question,
  ports: ExplainPorts,
): Promise<Explanation> {
  const request = toRequest(question, config.pathPrefix)
  const endpoint = question.via && createDecisionEndpoints()(request.url ?? '', { config })
  const facts = readFacts(request, config, endpoint)
  if ('refused' in facts) {
    const step: Step = { title: 'request', checks: [toCheck('reading', facts)] }
    return conclude(config, [step], { kind: 'deny', route: undefined, ...facts }, {}, endpoint)
  }
  const { table } = compileRules(config)
  const decision = compileReserved(config.pathPrefix)(facts.target)
    ? toNotFound('a reserved path')
    : await createAuthorize(table, createOneVerifier(config, ports))(facts)
  const forwarded =
    decision.kind === 'allow' && decision.route.upstream === undefined && endpoint === undefined
      ? toNotFound('a route for decisions alone (upstream: none)')
      : decision
  const { step, rules, nearest } = explainRoute(config, table, facts)
  const asked = rules.map((rule) => explainRule(config, rule, facts, ports))
  const guilty = asked.find(({ rule }) => rule.route === decision.route) ?? asked[0]
  const seen: Step = { title: 'request', checks: [toCheck('reading', undefined, toText(facts))] }
  const steps = [seen, step, ...asked.flatMap((one) => one.steps)]
  return conclude(config, steps, forwarded, { nearest, ...toSituation(guilty, ports) }, endpoint)
}

/** As it would come over the wire. */
function toRequest(question: Question, pathPrefix: string): ClientRequest {
  const { method, scheme, authority, target, headers, peer, via } = question
  const toMessage = (method: string, url: string, host: string, naming: readonly string[] = []) =>
    ({
      method,
      url,
      httpVersion: '1.1',
      rawHeaders: [...headers, ...naming, 'host', host],
      socket: { remoteAddress: peer, encrypted: scheme === 'https' },
    }) as unknown as ClientRequest
  if (via === undefined) return toMessage(method, target, authority)
  const url = `${pathPrefix}/${via}`
  if (via === 'ext-authz') return toMessage(method, url + target, authority)
  if (via === 'auth-request') {
    const original = `${scheme}://${authority}${target}`
    return toMessage('GET', url, 'poolgate', [
      'x-original-url',
      original,
      'x-original-method',
      method,
    ])
  }
  return toMessage('GET', url, 'poolgate', [
    ...['x-forwarded-method', method, 'x-forwarded-proto', scheme],
    ...['x-forwarded-host', authority, 'x-forwarded-uri', target],
  ])
}

function readFacts(
  request: ClientRequest,
  config: Config,
  endpoint: DecisionEndpoint | undefined,
): RequestFacts | Unreadable {
  const { headerFields, targetBytes: target } = config.limits
  const isTrusted = compileTrustedProxies(config.trustedProxies, isUnix(config.listen))
  const limits = { headerFields, target }
  if (endpoint !== undefined) return endpoint.read(request, { config, limits, isTrusted })
  return toRequestFacts(request, limits, isTrusted, true)
}

function createOneVerifier({ identityHeaders }: Config, { clock, pools }: ExplainPorts) {
  const toPrincipal = compilePrincipal(identityHeaders)
  const cache = { entries: 8, bytes: 1_000_000, ttlMs: 1_000 }
  return createVerifier({ clock, cache, pools, toPrincipal: (one) => toCaller(toPrincipal(one)) })
}

function toNotFound(detail: string): Decision {
  return { kind: 'deny', reason: 'route_not_found', detail, route: undefined }
}

interface RuleExplanation {
  readonly rule: Rule
  readonly steps: readonly Step[]
  readonly token: TokenExplanation | undefined
  readonly principal: Situation['principal']
}

/** What one route asks of the request, and what it has. */
function explainRule(
  config: Config,
  rule: Rule,
  facts: RequestFacts,
  { clock, pools }: ExplainPorts,
): RuleExplanation {
  const { route, wanted } = rule
  const { access } = config.routes[route.index] as Config['routes'][number]
  if (wanted === undefined) {
    const steps = [explainRules(route.name, access, undefined)]
    return { rule, steps, token: undefined, principal: undefined }
  }
  const found = route.places
    ? findCredential(facts, route.places)
    : parseCredential(facts.authorization)
  if (typeof found === 'object' && isRejected(found)) {
    const steps = [
      { title: 'credential', checks: [toCheck('token', found)] },
      explainRules(route.name, access, undefined),
    ]
    return { rule, steps, token: undefined, principal: undefined }
  }
  const text = typeof found === 'string' ? found : found.token
  const credential = {
    title: 'credential',
    checks: [toCheck('token', undefined, `${text.length} characters`)],
  }
  const token = explainToken(text, pools, wanted, clock)
  const principal = token.unverified && compilePrincipal(config.identityHeaders)(token.unverified)
  return {
    rule,
    steps: [credential, token.step, explainRules(route.name, access, principal)],
    token,
    principal,
  }
}

function toSituation(
  guilty: RuleExplanation | undefined,
  { keyProblemOf }: ExplainPorts,
): Partial<Situation> {
  const userPool = guilty?.token?.pool?.settings.name
  return {
    userPool,
    claims: guilty?.token?.claims,
    principal: guilty?.principal,
    keyProblem: userPool === undefined ? undefined : keyProblemOf(userPool),
  }
}

function conclude(
  config: Config,
  steps: readonly Step[],
  decision: Decision,
  situation: Partial<Situation>,
  endpoint: DecisionEndpoint | undefined,
): Explanation {
  const route = decision.route?.name ?? ''
  if (decision.kind !== 'deny') {
    const status = decision.kind === 'preflight' ? 204 : 200
    return {
      steps,
      verdict: { decision: 'allow', status, reason: '', detail: '', route },
      advice: '',
    }
  }
  const { reason, detail } = decision
  const denial = toDenialResponse(reason, '')
  const { status } = endpoint?.toDenial(denial, reason) ?? denial
  const settings = decision.route && config.routes[decision.route.index]
  const advice = adviseOn(reason, { ...NOTHING, ...situation, config, detail, route: settings })
  return { steps, verdict: { decision: 'deny', status, reason, detail, route }, advice }
}

const NOTHING: Omit<Situation, 'config' | 'detail'> = {
  route: undefined,
  userPool: undefined,
  claims: undefined,
  principal: undefined,
  nearest: undefined,
  keyProblem: undefined,
}

function toText({ method, host, target, clientAddress }: RequestFacts): string {
  const from = clientAddress === '' ? 'a unix socket' : clientAddress
  return `${method} ${host.authority} ${target.decodedPath}, from ${from}`
}
