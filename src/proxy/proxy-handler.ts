// One request's way through the gateway, in order: facts, decision, headers, dispatch, finish. Whatever is unforeseen denies.
import { createTurnEnd } from '../base/turn-end.ts'
import { toPlainAddress } from '../http/client-address.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import { withoutUserinfo } from '../http/request-target.ts'
import { type Allow, type Decision, type Deny, isUpgrade } from '../policy/decision.ts'
import type { OwnPage } from '../session/own-page.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { challenge, toExtras } from './challenge.ts'
import type { ClientRequest, ClientResponse } from './client-side.ts'
import type { EndpointAt } from './decision-endpoint.ts'
import { ALLOWED_METHODS } from './denial-response.ts'
import type { EarlyBytes } from './early-bytes.ts'
import { Exchange } from './exchange.ts'
import { endWithToken } from './grpc-answer.ts'
import { findObstacle, RESERVED } from './obstacle.ts'
import { createOwnAnswers, type OwnAnswers, type OwnAnswersPorts } from './own-answers.ts'
import type { PipelinedExchanges } from './pipelined-exchanges.ts'
import { Relay, type RelayPorts } from './relay.ts'
import { createRequestBody, discardBody } from './request-body.ts'
import type { Ruleset } from './ruleset.ts'
import { withSessionCookies } from './session-cookies.ts'
import { toRequestFacts, type Unreadable } from './to-request-facts.ts'
import { UpgradeRelay } from './upgrade-relay.ts'
import { toUpstreamTarget } from './upstream-target.ts'

type UpstreamConfig = Ruleset['config']['upstreams'][string]

export interface ProxyPorts extends OwnAnswersPorts {
  readonly ruleset: () => Ruleset
  readonly nextId: () => string
  readonly opened: (exchange: Exchange) => void
  readonly closed: (exchange: Exchange) => void
  /** Bounds what one connection has at upstreams. */
  readonly pipelined: Pick<PipelinedExchanges, 'admits' | 'postpone'>
  /** A connection carries another protocol from now on, or does no longer. */
  readonly upgraded: (delta: 1 | -1) => void
  readonly endpointAt: EndpointAt
  /** Something that cannot happen did; the request was denied. */
  readonly faulted: (error: unknown, exchange: Exchange) => void
}

/**
 * `waits`: the client sends its body only once told to continue (RFC 9110 section 10.1.1). `early`: it asks for an upgrade, and its
 * connection is free for one.
 */
export type ProxyHandler = (
  request: ClientRequest,
  response: ClientResponse,
  waits: boolean,
  early?: EarlyBytes,
) => void

export interface ProxyHandling extends Pick<OwnAnswers, 'deny' | 'breakOff'> {
  readonly handle: ProxyHandler
}

export function createProxyHandler(ports: ProxyPorts): ProxyHandling {
  const putOff = createTurnEnd()
  const answers = createOwnAnswers(ports, putOff)
  const { deny } = answers
  const relayPorts: RelayPorts = { deny, draining: ports.draining, putOff }

  function fault(error: unknown, exchange: Exchange): void {
    ports.faulted(error, exchange)
    if (exchange.response.headersSent) exchange.response.destroy()
    else deny(exchange, 'internal_error', 'see the error log')
  }

  function forward(exchange: Exchange, facts: RequestFacts, allow: Allow, rules: Ruleset): void {
    const { route } = allow
    const target = toUpstreamTarget(facts.target, route)
    if (typeof target !== 'string') {
      deny(exchange, target.reason, target.detail)
      return
    }
    const { request } = exchange
    const { http2 } = request
    const upstream = rules.upstreams.get(route.upstream as string) as Upstream
    if (exchange.waits) {
      exchange.waits = false
      exchange.response.writeContinue()
    }
    const body = facts.hasBody ? createRequestBody(request, route.maxBody, ports.clock) : undefined
    const upgrade = isUpgrade(route, facts) ? facts.upgrade : undefined
    const relay =
      upgrade === undefined
        ? new Relay(exchange, relayPorts, rules.buildClientHeaders, body, expiryOf(allow))
        : toUpgradeRelay(exchange, upgrade, allow, rules)
    const edits = exchange.cors === undefined ? route.responseEdits : exchange.cors.edits
    relay.edits = withSessionCookies(edits, allow.cookies)
    exchange.asked(upstream.name, body)
    const call = upstream.dispatch(
      allow,
      {
        method: facts.method,
        target,
        headers: rules.buildUpstreamHeaders(facts, allow, exchange.id),
        body: body?.stream ?? null,
        timeouts: route.timeouts,
        upgrade,
        trailers:
          http2?.hasBody === true
            ? () => rules.buildUpstreamTrailers(request.rawTrailers)
            : undefined,
        takesTrailers: http2?.takesTrailers,
      },
      relay,
    )
    relay.attach(call)
    exchange.serving(call)
    if (http2?.isGrpc === true) endWithToken(exchange, expiryOf(allow), call)
  }

  function toUpgradeRelay(
    exchange: Exchange,
    protocol: string,
    allow: Allow,
    rules: Ruleset,
  ): UpgradeRelay {
    const { timeouts } = rules.config.upstreams[allow.route.upstream as string] as UpstreamConfig
    return new UpgradeRelay(exchange, relayPorts, rules.buildClientHeaders, {
      protocol,
      early: exchange.early as EarlyBytes,
      idleMs: (allow.route.timeouts ?? timeouts).idleMs,
      clock: ports.clock,
      expiresAtMs: expiryOf(allow),
      upgraded: ports.upgraded,
    })
  }

  function carryOut(
    exchange: Exchange,
    facts: RequestFacts,
    decision: Decision,
    rules: Ruleset,
  ): void {
    exchange.decided(decision, facts)
    // While a key was fetched, or other tokens were verified, the client may have left, or been answered for its slowness.
    if (exchange.response.destroyed || exchange.response.headersSent) return
    if (decision.kind === 'deny') {
      const page =
        exchange.decides?.redirects === false
          ? undefined
          : challenge(facts, decision, rules.signIns)
      if (page === undefined) {
        deny(exchange, decision.reason, decision.detail, toExtras(facts, decision, rules.signIns))
      } else show(exchange, page, decision)
    } else if (decision.kind === 'preflight') {
      answers.permit(exchange, decision)
    } else if (exchange.decides !== undefined) {
      answers.allow(exchange, exchange.decides.toFields(facts, decision, rules))
    } else {
      const obstacle = findObstacle(facts, decision.route)
      if (obstacle === undefined) forward(exchange, facts, decision, rules)
      else {
        if (decision.route.upstream === undefined) exchange.decision = 'deny'
        deny(exchange, obstacle.reason, obstacle.detail)
      }
    }
  }

  /** @param denied why a browser is shown a page in the place of what it asked for */
  function show(exchange: Exchange, page: Promise<OwnPage>, denied?: Deny): void {
    page
      .then((made) => {
        const { response } = exchange
        if (response.destroyed || response.headersSent) return
        if (denied !== undefined) exchange.refused(denied.reason, denied.detail)
        answers.show(exchange, made)
      })
      .catch((error: unknown) => fault(error, exchange))
  }

  /** On its own, so that a request that need not wait does not pay for what is remembered of one that does. */
  function postpone(exchange: Exchange, facts: RequestFacts): void {
    const isWaiting = ports.pipelined.postpone(exchange, () => {
      try {
        // It is decided now, so by what is in force now.
        proceed(exchange, facts, ports.ruleset())
      } catch (error) {
        fault(error, exchange)
      }
    })
    if (isWaiting) return
    exchange.decision = 'deny'
    deny(exchange, 'overloaded', 'too many pipelined requests')
  }

  const handle: ProxyHandler = (request, response, waits, early) => {
    const rules = ports.ruleset()
    const decides = ports.endpointAt(request.url ?? '', rules)
    const exchange = new Exchange(
      ports.nextId(),
      request,
      response,
      ports.clock,
      waits,
      early,
      decides,
    )
    ports.opened(exchange)
    response.on('close', () => {
      // An upstream may have answered before it took the whole body; a denial has seen to that already.
      if (exchange.reason === '') discardBody(request, ports.clock)
      ports.closed(exchange)
    })
    try {
      judge(exchange, rules)
    } catch (error) {
      fault(error, exchange)
    }
  }

  function judge(exchange: Exchange, rules: Ruleset): void {
    const { request, early, decides } = exchange
    const facts =
      decides === undefined
        ? toRequestFacts(request, rules.limits, rules.isTrusted, early !== undefined)
        : decides.read(request, rules)
    if ('refused' in facts) {
      refuse(exchange, facts)
      return
    }
    exchange.received(facts)
    if (decides !== undefined) {
      // Nothing of a body bears on a decision: it is left where it is.
      exchange.waits ||= facts.hasBody
    } else if (rules.loopGuard?.isLooping(facts.headers) === true) {
      exchange.decision = 'deny'
      deny(exchange, 'loop_detected', 'its Via has this gateway twice')
      return
    }
    proceed(exchange, facts, rules)
  }

  /** From here on it takes the places of others: while its token is verified, and at its upstream. */
  function proceed(exchange: Exchange, facts: RequestFacts, rules: Ruleset): void {
    if (!ports.pipelined.admits(exchange)) {
      postpone(exchange, facts)
      return
    }
    const isReserved = rules.isReserved(facts.target)
    const page = isReserved && exchange.decides === undefined ? rules.pageAt(facts) : undefined
    if (page !== undefined) {
      exchange.page = facts.target.path.slice(facts.target.path.lastIndexOf('/') + 1)
      show(exchange, page)
      return
    }
    const decision = isReserved ? RESERVED : rules.authorize(facts)
    if (decision instanceof Promise) {
      decision
        .then((settled) => carryOut(exchange, facts, settled, rules))
        .catch((error: unknown) => fault(error, exchange))
    } else carryOut(exchange, facts, decision, rules)
  }

  function refuse(exchange: Exchange, { reason, detail, serverWide }: Unreadable): void {
    const { id, response } = exchange
    exchange.path = withoutUserinfo(exchange.path)
    exchange.clientAddress = toPlainAddress(exchange.clientAddress) ?? exchange.clientAddress
    if (serverWide) {
      response.writeHead(204, { allow: ALLOWED_METHODS, 'x-request-id': id }).end()
      return
    }
    exchange.decision = 'deny'
    deny(exchange, reason, detail)
  }

  return { handle, deny, breakOff: answers.breakOff }
}

/** When a stream that is opened with this has to end; Infinity for never. */
function expiryOf({ route, principal }: Allow): number {
  return route.endsAtExpiry === true && principal !== undefined
    ? principal.validUntilMs
    : Number.POSITIVE_INFINITY
}
