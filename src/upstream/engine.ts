// What carries requests to one target of an upstream. There are three, and nothing above knows which one runs.
import type { ResponseSink, UpstreamCall, UpstreamRequest } from './dispatch.ts'
import type { UpstreamFailure } from './failure.ts'

export interface Engine {
  /** `release` is called exactly once, when the call no longer takes a place. */
  dispatch(request: UpstreamRequest, sink: ResponseSink, release: () => void): UpstreamCall
  /** Takes no more requests and ends once those under way have. */
  close(): Promise<void>
  /** Ends every connection, whatever is under way. */
  destroy(): Promise<void>
}

export interface TargetAddress {
  /** Scheme, host and port, or `unix:/path`. */
  readonly target: string
  /** The target's own name, where it is not the host: an https target's certificate has to be for it. */
  readonly serverName?: string | undefined
}

/** Texts of PEM files, and the name that certificates have to be for where it is not the target's. */
export interface UpstreamTls {
  /** Whose certificates are trusted; undefined for those that the system trusts. */
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly serverName?: string | undefined
}

export interface EngineSettings extends TargetAddress {
  /** For https targets. */
  readonly tls?: UpstreamTls | undefined
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
  /** How long they may wait for one to be free. */
  readonly queueMs: number
}

/** Whether a request that was lost unanswered with its kept connection may be sent once more, on a new one. */
export type MayResend = (sink: ResponseSink) => boolean

export const NEVER_RESENT: MayResend = () => false

/** Bytes of response head; more is not an HTTP server's. */
export const MAX_RESPONSE_HEAD = 32 * 1024

/** Field lines of a response; more is not an HTTP server's. */
export const MAX_RESPONSE_FIELDS = 512

export const OVERLOADED: UpstreamFailure = {
  kind: 'overloaded',
  detail: 'all connections and queue places taken',
}
export const CLOSED: UpstreamFailure = {
  kind: 'unreachable',
  detail: 'the upstream is no longer in use',
}
export const CUT: UpstreamFailure = { kind: 'protocol', detail: 'the upstream is no longer in use' }

export function toQueuedTooLong(queueMs: number): UpstreamFailure {
  return { kind: 'overloaded', detail: `no connection was free within ${queueMs} ms` }
}
