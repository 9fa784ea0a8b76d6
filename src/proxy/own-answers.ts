// The answers that Poolgate gives by itself, to whatever it does not forward. Each is given once, and says when it ends its connection.
import type { Clock } from '../base/clock.ts'
import type { PutOff } from '../base/turn-end.ts'
import type { DenyReason, Preflight } from '../policy/decision.ts'
import { respondAllowed } from './decision-endpoint.ts'
import {
  type DenialExtras,
  type DenialResponse,
  respondDenied,
  toDenialResponse,
  withFields,
} from './denial-response.ts'
import type { Exchange } from './exchange.ts'
import { toGrpcDenial } from './grpc-answer.ts'
import { respondPermitted } from './preflight-response.ts'
import { discardBody } from './request-body.ts'
import { toCookieLines, withDenialCookies } from './session-cookies.ts'
import type { OwnPage } from '../session/own-page.ts'

export interface OwnAnswersPorts {
  readonly clock: Clock
  /** The gateway is stopping: answers end their connections. */
  readonly draining: () => boolean
  /** The answer to it ends its connection: nothing behind it is to be taken. */
  readonly ending: (exchange: Exchange) => void
}

export type Deny = (
  exchange: Exchange,
  reason: DenyReason,
  detail: string,
  extras?: DenialExtras,
) => void

export interface OwnAnswers {
  /** Answers an exchange that has not been answered. */
  readonly deny: Deny
  /** What follows on its connection cannot be read: the exchange is the last there, and refused if its own body is broken. */
  readonly breakOff: Deny
  readonly permit: (exchange: Exchange, preflight: Preflight) => void
  /** A page for a browser, or a redirect. */
  readonly show: (exchange: Exchange, page: OwnPage) => void
  /** Who asked for the decision may forward the request, with these fields. */
  readonly allow: (exchange: Exchange, fields: readonly string[]) => void
}

/** What an endpoint denies whose askers take 200 for a permit, and would forward the preflight. */
export const UNANSWERED_PREFLIGHT = {
  reason: 'policy_denied',
  detail: 'a CORS preflight, which this endpoint cannot answer',
} as const

/** After these nobody can say for sure where the next request begins, so there is none. */
const CLOSING: readonly DenyReason[] = ['request_malformed', 'request_timeout']

export function createOwnAnswers(
  ports: OwnAnswersPorts,
  putOff: (item: PutOff) => void,
): OwnAnswers {
  const deny: Deny = (exchange, reason, detail, extras) => {
    const { request, response, waits } = exchange
    exchange.refused(reason, detail)
    if (!waits) discardBody(request, ports.clock)
    const close = isEnding(exchange, CLOSING.includes(reason))
    const denial = toDenial(exchange, reason, extras)
    exchange.responseBytes = request.method === 'HEAD' ? 0 : denial.body.length
    const answer = withDenialCookies(withFields(denial, exchange.cors?.fields), exchange.cookies)
    respondDenied(response, answer, close, putOff)
  }

  /** Of HTTP/2 the stream is over with the answer, and the connection goes on. */
  function isEnding(exchange: Exchange, isLast = false): boolean {
    const { request, waits } = exchange
    const close = request.http2 === undefined && (isLast || waits || ports.draining())
    if (close) ports.ending(exchange)
    return close
  }

  return {
    deny,
    breakOff(exchange, reason, detail) {
      const { request, response } = exchange
      response.shouldKeepAlive = false
      // Who ends amid a request has left, as has who ends behind a whole one.
      if (request.complete && request.socket.readableEnded) request.socket.destroySoon()
      else if (request.complete) response.on('finish', () => request.socket.destroySoon())
      else if (response.headersSent) response.destroy()
      else deny(exchange, reason, detail)
    },
    permit(exchange, preflight) {
      if (exchange.decides?.answersPreflights === false) {
        exchange.decision = 'deny'
        deny(exchange, UNANSWERED_PREFLIGHT.reason, UNANSWERED_PREFLIGHT.detail)
      } else respondPermitted(exchange.response, preflight, exchange.id, isEnding(exchange))
    },
    show(exchange, { status, headers, body, detail }) {
      const { request, response, waits, id } = exchange
      // Beside why somebody was refused.
      exchange.detail = exchange.detail === '' ? detail : `${exchange.detail}; ${detail}`
      if (!waits) discardBody(request, ports.clock)
      const isHead = exchange.method === 'HEAD'
      exchange.responseBytes = isHead ? 0 : Buffer.byteLength(body)
      const own = ['x-request-id', id]
      if (isEnding(exchange)) own.push('connection', 'close')
      response.writeHead(status, [...headers, ...toCookieLines(exchange.cookies ?? []), ...own])
      response.end(isHead ? undefined : Buffer.from(body))
    },
    allow: (exchange, fields) =>
      respondAllowed(
        exchange.response,
        [...fields, ...toCookieLines(exchange.cookies ?? [])],
        exchange.id,
        isEnding(exchange),
      ),
  }
}

function toDenial(
  { decides, request, id }: Exchange,
  reason: DenyReason,
  extras: DenialExtras | undefined,
): DenialResponse {
  if (decides === undefined && request.http2?.isGrpc === true) return toGrpcDenial(reason, id)
  const denial = toDenialResponse(reason, id, extras)
  return decides === undefined ? denial : decides.toDenial(denial, reason, extras)
}
