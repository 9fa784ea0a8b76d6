// One request's way through the gateway, in order: facts, decision, headers, dispatch, finish. Whatever is unforeseen denies.
import type { Clock } from '../base/clock.ts'
import { createTurnEnd } from '../base/turn-end.ts'
import { toPlainAddress } from '../http/client-address.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import { withoutUserinfo } from '../http/request-target.ts'
import { isSoundUpgrade } from '../http/upgrade.ts'
import {
  type Allow,
  type Decision,
  type DenyReason,
  isUpgrade,
  type Preflight,
} from '../policy/decision.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { ClientRequest, ClientResponse } from './client-side.ts'
import { ALLOWED_METHODS, respondDenied, toDenialResponse, withFields } from './denial-response.ts'
import type { EarlyBytes } from './early-bytes.ts'
import { Exchange } from './exchange.ts'
import { endWithToken, toGrpcDenial } from './grpc-answer.ts'
import type { PipelinedExchanges } from './pipelined-exchanges.ts'
import { respondPermitted } from './preflight-response.ts'
import { Relay, type RelayPorts } from './relay.ts'
import { createRequestBody, discardBody } from './request-body.ts'
import type { Ruleset } from './ruleset.ts'
import { toRequestFacts, type Unreadable } from './to-request-facts.ts'
import { UpgradeRelay } from './upgrade-relay.ts'
import { toUpstreamTarget } from './upstream-target.ts'

type UpstreamConfig = Ruleset['config']['upstreams'][string]

export interface ProxyPorts {
  readonly clock: Clock
  readonly ruleset: () => Ruleset
  readonly nextId: () => string
  /** The gateway is stopping: answers end their connections. */
  readonly draining: () => boolean
  readonly opened: (exchange: Exchange) => void
  readonly closed: (exchange: Exchange) => void
  /** The answer to it ends its connection: nothing behind it is to be taken. */
  readonly ending: (exchange: Exchange) => void
  /** Bounds what one connection has at upstreams. */
  readonly pipelined: Pick<PipelinedExchanges, 'admits' | 'postpone'>
  /** A connection carries another protocol from now on, or does no longer. */
  readonly upgraded: (delta: 1 | -1) => void
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

export interface ProxyHandling {
  readonly handle: ProxyHandler
  /** Answers an exchange that has not been answered. */
  readonly deny: Deny
  /** What follows on its connection cannot be read: the exchange is the last there, and refused if its own body is broken. */
  readonly breakOff: Deny
}

type Deny = (exchange: Exchange, reason: DenyReason, detail: string, retryAfter?: number) => void

/** After these nobody can say for sure where the next request begins, so there is none. */
const CLOSING: readonly DenyReason[] = ['request_malformed', 'request_timeout']

const RESERVED: Decision = {
  kind: 'deny',
  reason: 'route_not_found',
  detail: 'a reserved path',
  route: undefined,
}

export function createProxyHandler(ports: ProxyPorts): ProxyHandling {
  const putOff = createTurnEnd()
  const deny: Deny = (exchange, reason, detail, retryAfter) => {
    const { request, response, waits } = exchange
    exchange.refused(reason, detail)
    if (!waits) discardBody(request, ports.clock)
    // Of HTTP/2 the stream is over with the answer.
    const close =
      request.http2 === undefined && (waits || ports.draining() || CLOSING.includes(reason))
    if (close) ports.ending(exchange)
    const denial =
      request.http2?.isGrpc === true
        ? toGrpcDenial(reason, exchange.id)
        : toDenialResponse(reason, exchange.id, retryAfter)
    exchange.responseBytes = request.method === 'HEAD' ? 0 : denial.body.length
    respondDenied(response, withFields(denial, exchange.cors?.fields), close, putOff)
  }
  const relayPorts: RelayPorts = { deny, draining: ports.draining, putOff }

  const breakOff: Deny = (exchange, reason, detail) => {
    const { request, response } = exchange
    response.shouldKeepAlive = false
    // Who ends amid a request has left, as has who ends behind a whole one.
    if (request.complete && request.socket.readableEnded) request.socket.destroySoon()
    else if (request.complete) response.on('finish', () => request.socket.destroySoon())
    else if (response.headersSent) response.destroy()
    else deny(exchange, reason, detail)
  }

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
    const upstream = rules.upstreams.get(route.upstream) as Upstream
    if (exchange.waits) {
      exchange.waits = false
      exchange.response.writeContinue()
    }
    const body = facts.hasBody ? createRequestBody(request, route.maxBody) : undefined
    const upgrade = isUpgrade(route, facts) ? facts.upgrade : undefined
    const relay =
      upgrade === undefined
        ? new Relay(exchange, relayPorts, rules.buildClientHeaders, body, expiryOf(allow))
        : toUpgradeRelay(exchange, upgrade, allow, rules)
    relay.edits = exchange.cors === undefined ? route.responseEdits : exchange.cors.edits
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

  function permit(exchange: Exchange, preflight: Preflight): void {
    const close = ports.draining() && exchange.request.http2 === undefined
    if (close) ports.ending(exchange)
    respondPermitted(exchange.response, preflight, exchange.id, close)
  }

  function toUpgradeRelay(
    exchange: Exchange,
    protocol: string,
    allow: Allow,
    rules: Ruleset,
  ): UpgradeRelay {
    const { timeouts } = rules.config.upstreams[allow.route.upstream] as UpstreamConfig
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
      deny(exchange, decision.reason, decision.detail, decision.retryAfterSeconds)
    } else if (decision.kind === 'preflight') {
      permit(exchange, decision)
    } else if ((facts.contentLength ?? 0) > decision.route.maxBody) {
      deny(exchange, 'body_too_large', `content-length ${facts.contentLength}`)
    } else if (isUpgrade(decision.route, facts) && !isSoundUpgrade(facts)) {
      deny(exchange, 'request_malformed', 'no WebSocket of version 13 with a key of 16 bytes')
    } else forward(exchange, facts, decision, rules)
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
    const exchange = new Exchange(ports.nextId(), request, response, ports.clock, waits, early)
    ports.opened(exchange)
    response.on('close', () => {
      // An upstream may have answered before it took the whole body; a denial has seen to that already.
      if (exchange.reason === '') discardBody(request, ports.clock)
      ports.closed(exchange)
    })
    try {
      judge(exchange, ports.ruleset())
    } catch (error) {
      fault(error, exchange)
    }
  }

  function judge(exchange: Exchange, rules: Ruleset): void {
    const { request, early } = exchange
    const facts = toRequestFacts(request, rules.limits, rules.isTrusted, early !== undefined)
    if ('refused' in facts) {
      refuse(exchange, facts)
      return
    }
    exchange.received(facts)
    if (rules.loopGuard?.isLooping(facts.headers) === true) {
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
    const decision = rules.isReserved(facts.target) ? RESERVED : rules.authorize(facts)
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

  return { handle, deny, breakOff }
}

/** When a stream that is opened with this has to end; Infinity for never. */
function expiryOf({ route, principal }: Allow): number {
  return route.endsAtExpiry === true && principal !== undefined
    ? principal.validUntilMs
    : Number.POSITIVE_INFINITY
}
