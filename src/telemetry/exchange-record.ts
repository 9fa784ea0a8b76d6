// What one finished exchange tells the access log and the metrics. Never holds a token, a query or a header's value.

/** How it ended: whole; by the client, or the upstream, before its end; or with the token that had opened the stream. */
export type Outcome = 'complete' | 'client_aborted' | 'upstream_truncated' | 'token_expired'

export interface ExchangeRecord {
  readonly id: string
  /** Wall clock in milliseconds since the epoch. */
  readonly startedAtMs: number
  /** The decision endpoint that was asked about the request; empty for what the gateway was to forward itself. */
  readonly endpoint: string
  readonly method: string
  readonly host: string
  /** As the client wrote it, perhaps malformed, without its query. */
  readonly path: string
  readonly clientAddress: string
  /** 0 when the connection ended without an answer. */
  readonly status: number
  /** Route name; empty when none matched. */
  readonly route: string
  /** As `Metrics.routeIndex` gave it; -1 when no route matched. */
  readonly routeIndex: number
  readonly decision: 'allow' | 'deny' | 'none'
  /** One of the closed set of reasons; empty when there is none. */
  readonly reason: string
  /** Why, for the log alone. */
  readonly detail: string
  readonly subject: string
  readonly userPool: string
  readonly clientId: string
  /** Upstream name; empty when none was asked. */
  readonly upstream: string
  /** Which of its targets was asked last; empty where it has only one. */
  readonly target: string
  /** Targets that were asked. */
  readonly attempts: number
  readonly outcome: Outcome
  readonly durationMs: number
  /** Milliseconds until the upstream was asked, or until the gateway's own answer was ready. */
  readonly overheadMs: number
  /** Milliseconds from asking the upstream to its response headers; -1 when there were none. */
  readonly upstreamMs: number
  readonly requestBytes: number
  readonly responseBytes: number
}

/** What every record has of which nothing is known. */
export const UNKNOWN: Omit<ExchangeRecord, 'id' | 'startedAtMs' | 'decision'> = {
  endpoint: '',
  method: '',
  host: '',
  path: '',
  clientAddress: '',
  status: 0,
  route: '',
  routeIndex: -1,
  reason: '',
  detail: '',
  subject: '',
  userPool: '',
  clientId: '',
  upstream: '',
  target: '',
  attempts: 0,
  outcome: 'complete',
  durationMs: 0,
  overheadMs: 0,
  upstreamMs: -1,
  requestBytes: 0,
  responseBytes: 0,
}
