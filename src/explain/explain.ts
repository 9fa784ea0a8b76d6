// Why one request would be allowed or denied: the verdict is authorize's own, the steps beside it show what it went by. Forwards nothing.
import type { Config } from '../config/schema.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import { type AuthorizePorts, createAuthorize, type Rule, toCaller } from '../policy/authorize.ts'
import { compileRules } from '../policy/compile-rules.ts'
import {
  type Allow,
  type Decision,
  type Deny,
  type DenyReason,
  toDeny,
} from '../policy/decision.ts'
import { compilePrincipal } from '../policy/principal.ts'
import type { DecisionEndpoint } from '../proxy/decision-endpoint.ts'
import { toDenialResponse } from '../proxy/denial-response.ts'
import { findObstacle, RESERVED } from '../proxy/obstacle.ts'
import { UNANSWERED_PREFLIGHT } from '../proxy/own-answers.ts'
import { toUpstreamTarget } from '../proxy/upstream-target.ts'
import { compileReserved } from '../route/reserved.ts'
import type { RouteTable } from '../route/route-table.ts'
import { createVerifier } from '../token/verifier.ts'
import { adviseOn } from './advice.ts'
import { describeAwsRequest, findAwsRefusal } from './explain-aws.ts'
import { type CallerExplanation, explainCaller } from './explain-caller.ts'
import { explainPreflight } from './explain-preflight.ts'
import { explainRoute } from './explain-route.ts'
import { isOwnPage, isSentToSignIn } from './explain-sign-in.ts'
import type { TokenPorts } from './explain-token.ts'
import { type Question, readQuestion } from './question.ts'
import type { Situation } from './situation.ts'
import { type Check, type Step, toCheck, toInfo, toOk } from './step.ts'

export interface Verdict {
  readonly decision: 'allow' | 'deny'
  readonly status: number
  /** '' where it is allowed. */
  readonly reason: DenyReason | ''
  readonly detail: string
  /** '' where none was found. */
  readonly route: string
  /** Where it is forwarded to; '' for nowhere. */
  readonly upstream: string
}

export interface Explanation {
  readonly steps: readonly Step[]
  readonly verdict: Verdict
  /** What to change; '' where it is allowed. */
  readonly advice: string
}

export interface ExplainPorts extends TokenPorts {
  /** Why the keys of a pool could not be fetched. */
  readonly keyProblemOf: (userPool: string) => string | undefined
}

type Endpoint = DecisionEndpoint | undefined

/** The first check that fails with a reason is the one that the verdict is about. */
export async function explain(
  config: Config,
  question: Question,
  ports: ExplainPorts,
): Promise<Explanation> {
  const { facts, endpoint } = readQuestion(question, config)
  if ('refused' in facts) {
    const steps = [{ title: 'request', checks: [toCheck('reading', facts)] }]
    if (facts.serverWide && endpoint === undefined) return toServerWide()
    return conclude(config, steps, { kind: 'deny', route: undefined, ...facts }, {}, endpoint)
  }
  const { table } = compileRules(config)
  const { decision, allowed } = await decide(config, facts, endpoint, table, ports)
  const reading: Step = { title: 'request', checks: explainFacts(facts) }
  if (decision === RESERVED) {
    if (endpoint === undefined && isOwnPage(config, facts)) return toOwnPage(reading)
    const steps = [{ ...reading, checks: [...reading.checks, toCheck('path', RESERVED)] }]
    return conclude(config, steps, decision, { facts }, endpoint)
  }
  const preflight = explainPreflight(facts, table)
  if (preflight !== undefined) {
    const { step } = explainRoute(config, table, { ...facts, method: preflight.method })
    const steps = [reading, step, preflight.step, ...explainAnswer(decision, endpoint)]
    return conclude(config, steps, decision, { facts }, endpoint)
  }
  const { step, rules, nearest } = explainRoute(config, table, facts)
  const [matched, ...others] = rules
  const callers = rules.map((rule) => {
    const about = others.length === 0 ? '' : `, for route ${rule.route.name}`
    return explainCaller(config, rule, (matched ?? rule).route, facts, ports, about)
  })
  const guilty = callers.find(({ route }) => route === decision.route)
  const last =
    matched && endpoint === undefined ? [explainForwarding(config, facts, allowed ?? matched)] : []
  const steps = [reading, step, ...callers.flatMap((caller) => caller.steps), ...last]
  const situation = { nearest, facts, ...toSituation(guilty, ports) }
  return conclude(config, steps, decision, situation, endpoint)
}

interface Decided {
  readonly decision: Decision
  /** What was allowed, also where it cannot be forwarded. */
  readonly allowed?: Allow
}

/** As the gateway does, up to the point where the request would leave it. */
async function decide(
  config: Config,
  facts: RequestFacts,
  endpoint: Endpoint,
  table: RouteTable<Rule>,
  { clock, pools }: ExplainPorts,
): Promise<Decided> {
  if (compileReserved(config.pathPrefix)(facts.target)) return { decision: RESERVED }
  const toPrincipal = compilePrincipal(config.identityHeaders)
  const verifier = createVerifier({
    clock,
    pools,
    cache: { entries: 8, bytes: 1_000_000, ttlMs: 1_000 },
    toPrincipal: (verified) => toCaller(toPrincipal(verified)),
  })
  const authorize = createAuthorize(table, { clock, verifier, signIns: noSessions(config) })
  const decision = await authorize(facts)
  if (decision.kind === 'preflight' && endpoint?.answersPreflights === false) {
    return { decision: toDeny(UNANSWERED_PREFLIGHT, decision.route) }
  }
  if (decision.kind !== 'allow' || endpoint !== undefined) return { decision }
  const obstacle = findForwardingRefusal(config, facts, decision)
  if (obstacle === undefined) return { decision, allowed: decision }
  return { decision: toDeny(obstacle, decision.route), allowed: decision }
}

/** A question comes with no session: whoever has one can only be told where to sign in. */
function noSessions({ sessions }: Config): AuthorizePorts['signIns'] {
  return new Map(Object.keys(sessions).map((name) => [name, { find: () => ({ kind: 'none' }) }]))
}

function findForwardingRefusal(
  config: Config,
  facts: RequestFacts,
  allow: Pick<Allow, 'route' | 'login'>,
): Pick<Deny, 'reason' | 'detail'> | undefined {
  const { route } = allow
  const obstacle = findObstacle(facts, route)
  if (obstacle !== undefined) return obstacle
  const target = toUpstreamTarget(facts.target, route)
  return typeof target === 'string' ? findAwsRefusal(config, facts, allow) : target
}

function explainFacts({ method, host, target, clientAddress, peerAddress }: RequestFacts): Check[] {
  const from = clientAddress === '' ? 'a unix socket' : clientAddress
  const through = clientAddress === peerAddress ? '' : `, through ${peerAddress}`
  const reading = toOk(
    'reading',
    `${method} ${host.authority} ${target.path}, from ${from}${through}`,
  )
  const isSame = target.decodedPath === target.path
  return isSame ? [reading] : [reading, toInfo('path', `decoded ${target.decodedPath}`)]
}

/** @param allow what was decided; the route alone where it is denied */
function explainForwarding(
  config: Config,
  facts: RequestFacts,
  allow: Pick<Allow, 'route' | 'login'>,
): Step {
  const { route } = allow
  const check = toCheck('upstream', findForwardingRefusal(config, facts, allow), route.upstream)
  const sent = describeAwsRequest(config, facts, route)
  return {
    title: 'forwarding',
    checks: sent === undefined ? [check] : [check, toInfo('AWS', sent)],
  }
}

/** What becomes of a preflight that may be answered. */
function explainAnswer(decision: Decision, endpoint: Endpoint): Step[] {
  if (endpoint?.answersPreflights !== false) return []
  const refusal = decision.kind === 'deny' ? decision : undefined
  return [{ title: 'answer', checks: [toCheck(endpoint.name, refusal)] }]
}

function toSituation(
  guilty: CallerExplanation | undefined,
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
  endpoint: Endpoint,
): Explanation {
  const route = decision.route?.name ?? ''
  if (decision.kind !== 'deny') {
    const isForwarded = decision.kind === 'allow' && endpoint === undefined
    const upstream = isForwarded ? (decision.route.upstream ?? '') : ''
    const status = decision.kind === 'preflight' ? 204 : 200
    return toAllowed(steps, { status, route, upstream })
  }
  const { reason, detail } = decision
  const isSent = endpoint?.redirects !== false && isSentToSignIn(config, decision, situation.facts)
  const status = isSent ? 302 : statusOf(reason, endpoint)
  const settings = decision.route && config.routes[decision.route.index]
  const advice = adviseOn(reason, { ...NOTHING, ...situation, config, detail, route: settings })
  const verdict: Verdict = { decision: 'deny', status, reason, detail, route, upstream: '' }
  return { steps, verdict, advice }
}

function statusOf(reason: DenyReason, endpoint: Endpoint): number {
  const denial = toDenialResponse(reason, '')
  return (endpoint?.toDenial(denial, reason) ?? denial).status
}

function toAllowed(
  steps: readonly Step[],
  rest: Pick<Verdict, 'status' | 'route' | 'upstream'>,
): Explanation {
  return { steps, verdict: { decision: 'allow', reason: '', detail: '', ...rest }, advice: '' }
}

function toServerWide(): Explanation {
  const check = toOk('reading', 'OPTIONS *, which asks about the gateway itself')
  const steps = [{ title: 'request', checks: [check] }]
  return toAllowed(steps, { status: 204, route: '', upstream: '' })
}

/** What it answers is for the session to say, which a question has not. */
function toOwnPage(reading: Step): Explanation {
  const page = toOk('path', "one of Poolgate's own pages, which nobody is asked about")
  const steps = [{ ...reading, checks: [...reading.checks, page] }]
  return toAllowed(steps, { status: 200, route: '', upstream: '' })
}

const NOTHING: Omit<Situation, 'config' | 'detail'> = {
  route: undefined,
  facts: undefined,
  userPool: undefined,
  claims: undefined,
  principal: undefined,
  nearest: undefined,
  keyProblem: undefined,
}
