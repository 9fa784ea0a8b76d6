// A configured upstream: where allowed requests go. Nothing is dispatched without an Allow, and nothing is ever sent twice.
import { Pool } from 'undici'
import type { Allow } from '../policy/decision.ts'
import type { ResponseSink, UpstreamCall, UpstreamRequest } from './dispatch.ts'
import type { UpstreamFailure } from './failure.ts'
import { createUndiciCall } from './undici-call.ts'

export interface UpstreamSettings {
  readonly name: string
  /** Scheme, host and port. */
  readonly target: string
  readonly connectMs: number
  /** Until the response's headers. */
  readonly responseMs: number
  /** Between bytes of the response's body. */
  readonly idleMs: number
  /** An idle connection is closed after this time. */
  readonly keepAliveMs: number
  readonly connections: number
  /** Requests that may wait for a connection; beyond, `overloaded`. */
  readonly queue: number
}

export interface Upstream {
  readonly name: string
  dispatch(allow: Allow, request: UpstreamRequest, sink: ResponseSink): UpstreamCall
  /** Takes no more requests and ends once those under way have. */
  close(): Promise<void>
  /** Ends every connection, whatever is under way. */
  destroy(): Promise<void>
}

/** Bytes of response head; more is not an HTTP server's. */
const MAX_RESPONSE_HEAD = 32 * 1024
const OVERLOADED: UpstreamFailure = {
  kind: 'overloaded',
  detail: 'all connections and queue places taken',
}

export function createUpstream(settings: UpstreamSettings): Upstream {
  const pool = new Pool(settings.target, {
    connections: settings.connections,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: settings.connectMs },
    headersTimeout: settings.responseMs,
    bodyTimeout: settings.idleMs,
    keepAliveTimeout: settings.keepAliveMs,
    maxHeaderSize: MAX_RESPONSE_HEAD,
    strictContentLength: true,
  })
  const capacity = settings.connections + settings.queue
  let active = 0
  const release = () => {
    active--
  }
  return {
    name: settings.name,
    dispatch(_allow, request, sink) {
      const call = createUndiciCall(sink, release)
      if (active >= capacity) {
        sink.failed(OVERLOADED)
        return call
      }
      active++
      call.begin(pool, request)
      return call
    },
    close: () => pool.close(),
    destroy: () => pool.destroy(),
  }
}
