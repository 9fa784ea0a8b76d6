// The record of one request and its response, filled in along the way for telemetry, each field once. It decides nothing.
import type { Clock, Timer } from '../base/clock.ts'
import type { Linked } from '../base/linked-list.ts'
import { type RawHeaders, singleValue } from '../http/headers.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import type { CorsAnswer } from '../policy/cors.ts'
import { corsAnswerFor } from '../policy/cors.ts'
import type { Decision, DenyReason } from '../policy/decision.ts'
import type { ExchangeRecord, Outcome } from '../telemetry/exchange-record.ts'
import type { UpstreamCall } from '../upstream/dispatch.ts'
import type { ClientRequest, ClientResponse } from './client-side.ts'
import type { DecisionEndpoint } from './decision-endpoint.ts'
import type { EarlyBytes } from './early-bytes.ts'
import type { RequestBody } from './request-body.ts'
import { startTokenExpiry } from './token-expiry.ts'
import { type Broken, GOING_AWAY, type Tunnel } from './tunnel.ts'

/** A class because there is one for each request: its methods are shared, where closures would be made anew. */
export class Exchange implements ExchangeRecord, Linked<Exchange> {
  id: string
  /** Where only a decision is asked for; undefined where the request is to be forwarded. */
  readonly decides: DecisionEndpoint | undefined
  method: string
  readonly request: ClientRequest
  readonly response: ClientResponse
  /** The client waits to be told before it sends its body. */
  waits: boolean
  /** The client has asked for an upgrade, and nothing but that can follow. */
  readonly early: EarlyBytes | undefined
  readonly startedAtMs: number
  private readonly startedMonotonicMs: number
  private readonly clock: Clock
  host = ''
  path = ''
  clientAddress: string
  route = ''
  routeIndex = -1
  decision: 'allow' | 'deny' | 'none' = 'none'
  reason: DenyReason | '' = ''
  detail = ''
  subject = ''
  userPool = ''
  clientId = ''
  upstream = ''
  target = ''
  attempts = 0
  outcome: Outcome = 'complete'
  durationMs = 0
  overheadMs = 0
  upstreamMs = -1
  requestBytes = 0
  responseBytes = 0
  /** What the answer says to browsers, on a route that speaks of it. */
  cors: CorsAnswer | undefined
  /** Set-Cookie values of the answer, whoever makes it. */
  cookies: readonly string[] | undefined
  /** Which of its own pages the gateway answers with; empty for none. */
  page = ''
  before: Exchange | undefined
  after: Exchange | undefined
  private call: UpstreamCall | undefined
  private body: RequestBody | undefined
  private expiry: Timer | undefined
  private tunnel: Tunnel | undefined
  /** Both sides have ended what followed a 101. */
  private isTunnelled = false

  constructor(
    id: string,
    request: ClientRequest,
    response: ClientResponse,
    clock: Clock,
    waits: boolean,
    early?: EarlyBytes,
    decides?: DecisionEndpoint,
  ) {
    this.id = id
    this.decides = decides
    this.method = request.method ?? ''
    this.waits = waits
    this.early = early
    this.request = request
    this.response = response
    this.clock = clock
    this.startedAtMs = clock.now()
    this.startedMonotonicMs = clock.monotonic()
    this.clientAddress = request.socket.remoteAddress ?? ''
    // Until the target is known to be well formed the log shows it as it came, without its query.
    const { url = '' } = request
    const query = url.indexOf('?')
    this.path = query === -1 ? url : url.slice(0, query)
  }

  get endpoint(): string {
    return this.decides?.name ?? this.page
  }

  get status(): number {
    return this.response.headersSent ? this.response.statusCode : 0
  }

  received(facts: RequestFacts): void {
    this.method = facts.method
    this.host = facts.host.authority
    this.path = facts.target.path
    this.clientAddress = facts.clientAddress
    if (facts.peerTrusted) this.id = givenId(facts.headers) ?? this.id
  }

  decided(decision: Decision, facts: RequestFacts): void {
    const { route, principal } = decision
    this.decision = decision.kind === 'preflight' ? 'allow' : decision.kind
    if (route) {
      this.route = route.name
      this.routeIndex = route.index
      if (route.cors !== undefined) this.cors = corsAnswerFor(route.cors, facts.headers)
    }
    if (decision.kind !== 'preflight') this.cookies = decision.cookies
    if (principal) {
      this.subject = principal.subject
      this.userPool = principal.userPool
      this.clientId = principal.clientId
    }
  }

  /** Poolgate answers by itself; an upstream that was asked is let go of. */
  refused(reason: DenyReason, detail: string): void {
    this.reason = reason
    this.detail = detail
    this.call?.abort()
  }

  asked(upstream: string, body: RequestBody | undefined): void {
    this.upstream = upstream
    this.body = body
    this.overheadMs = this.elapsedMs()
  }

  /** The upstream's side of the exchange, to be let go of with the client's. */
  serving(call: UpstreamCall): void {
    this.call = call
  }

  answered(): void {
    this.upstreamMs = this.elapsedMs() - this.overheadMs
  }

  /** It is a stream that `end` ends when its token expires, if it goes on for so long; Infinity for never. */
  endsAt(expiresAtMs: number, end: () => void): void {
    if (expiresAtMs === Number.POSITIVE_INFINITY) return
    this.expiry = startTokenExpiry(expiresAtMs, this.clock, () => {
      if (this.response.writableEnded) return
      this.outcome = 'token_expired'
      end()
    })
  }

  /** Its connection now carries another protocol. */
  tunnels(tunnel: Tunnel): void {
    this.tunnel = tunnel
  }

  tunnelled(how: 'whole' | Broken): void {
    this.isTunnelled = true
    if (how !== 'whole' && this.outcome === 'complete') this.outcome = how
  }

  /** Ends what follows a 101 as its protocol has it; false where there is no such thing. */
  endTunnel(why: string): boolean {
    if (this.tunnel === undefined) return false
    this.detail = why
    this.tunnel.endEarly(GOING_AWAY, '')
    return true
  }

  /** True while the next byte has to come from, or be taken by, the client. */
  awaitsClient(): boolean {
    const { request, response, body } = this
    if (response.writableLength > 0) return true
    return !request.complete && body?.stream.writableNeedDrain !== true
  }

  /** The client's side has closed, after the whole response or before. */
  finish(): void {
    this.durationMs = this.elapsedMs()
    this.expiry?.cancel()
    if (this.upstream === '') this.overheadMs = this.durationMs
    if (this.body) this.requestBytes = this.body.bytes()
    const asked = this.call?.asked
    if (asked) {
      this.target = asked.origin
      this.attempts = asked.attempts
    }
    this.detail ||= this.call?.said ?? ''
    if (!this.isTunnelled && !this.response.writableFinished && this.outcome === 'complete')
      this.outcome = 'client_aborted'
    this.call?.abort()
  }

  private elapsedMs(): number {
    return this.clock.monotonic() - this.startedMonotonicMs
  }
}

/** The id that a trusted proxy has given the request already, where it can stand in a log as it is. */
export function givenId(headers: RawHeaders): string | undefined {
  const id = singleValue(headers, 'x-request-id')
  return typeof id === 'string' && /^[A-Za-z0-9._:/+=-]{1,128}$/.test(id) ? id : undefined
}
