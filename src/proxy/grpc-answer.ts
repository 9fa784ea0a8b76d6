// Answers that a gRPC client reads: status 200, and the outcome in grpc-status (gRPC over HTTP/2, "Responses").
import type { DenyReason } from '../policy/decision.ts'
import type { UpstreamCall } from '../upstream/dispatch.ts'
import type { ClientResponse } from './client-side.ts'
import { type DenialResponse, toDenial } from './denial-response.ts'
import type { Exchange } from './exchange.ts'

const UNAUTHENTICATED = 16
const UNKNOWN = 2

/** By status of HTTP, as gRPC itself maps them; sizes are RESOURCE_EXHAUSTED, times DEADLINE_EXCEEDED. */
const GRPC_STATUS: Readonly<Record<number, number>> = {
  400: 13,
  401: UNAUTHENTICATED,
  403: 7,
  404: 12,
  405: 12,
  408: 4,
  411: 13,
  413: 8,
  414: 8,
  417: 13,
  431: 8,
  500: 13,
  502: 14,
  503: 14,
  504: 4,
  508: 13,
}

/** A denial whose fields and trailers are one block, with nothing behind it. */
export function toGrpcDenial(reason: DenyReason, requestId: string): DenialResponse {
  const { status, text } = toDenial(reason)
  return toTrailersOnly(GRPC_STATUS[status] ?? UNKNOWN, text, requestId)
}

/** A call may go on for as long as both sides like, in either direction; its end says why. */
export function endWithToken(exchange: Exchange, expiresAtMs: number, call: UpstreamCall): void {
  exchange.endsAt(expiresAtMs, () => {
    call.abort()
    endExpired(exchange.response, exchange.id)
  })
}

/** Behind whatever was sent of the answer. */
function endExpired(response: ClientResponse, requestId: string): void {
  const text = 'token expired'
  if (response.headersSent) {
    response.addTrailers([
      ['grpc-status', String(UNAUTHENTICATED)],
      ['grpc-message', text],
    ])
    response.end()
  } else {
    const { status, headers } = toTrailersOnly(UNAUTHENTICATED, text, requestId)
    response.writeHead(status, headers).end()
  }
}

/** The texts are printable ASCII without a percent sign, and need no encoding. */
function toTrailersOnly(status: number, text: string, requestId: string): DenialResponse {
  const headers = {
    'content-type': 'application/grpc',
    'grpc-status': String(status),
    'grpc-message': text,
    'x-request-id': requestId,
  }
  return { status: 200, headers, body: '' }
}
