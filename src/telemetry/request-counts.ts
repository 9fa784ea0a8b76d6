// What finished requests add up to, in plain arrays by route, upstream and reason, because it is paid for on every request.
// Series come from configured names and closed sets alone, never from what a client sends.
import { createBuckets, observeInto } from './buckets.ts'
import type { ExchangeRecord } from './exchange-record.ts'

export const STATUS_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const

/** Upper bounds in milliseconds for the whole request and for the upstream's response headers. */
export const DURATION_BOUNDS_MS = [
  0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000,
]
/** Upper bounds in milliseconds for what the gateway itself adds. */
export const OVERHEAD_BOUNDS_MS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 1000]

/** The reason under which everything outside the closed set is counted. */
const OTHER = 'other'

export interface RouteCounts {
  readonly name: string
  /** Requests by reason, then status class. */
  readonly requests: Float64Array
  readonly durations: Float64Array
}

export interface RequestCounts {
  readonly reasons: readonly string[]
  readonly routes: readonly RouteCounts[]
  readonly upstreams: ReadonlyMap<string, Float64Array>
  readonly overhead: Float64Array
  /** Bytes of request bodies and of response bodies. */
  readonly bytes: Float64Array
  /** The index under which a route's requests are counted; the same name always has the same one. */
  routeIndex(name: string): number
  observe(record: ExchangeRecord): void
}

export function createRequestCounts(names: {
  readonly routes: readonly string[]
  readonly upstreams: readonly string[]
  readonly reasons: readonly string[]
}): RequestCounts {
  const reasons = ['', ...names.reasons, OTHER]
  const reasonIndex = new Map(reasons.map((reason, index) => [reason, index]))
  const createRoute = (name: string): RouteCounts => ({
    name,
    requests: new Float64Array(reasons.length * STATUS_CLASSES.length),
    durations: createBuckets(DURATION_BOUNDS_MS),
  })
  const unrouted = createRoute('')
  const routes = [unrouted, ...names.routes.map(createRoute)]
  const upstreams = new Map(
    names.upstreams.map((name) => [name, createBuckets(DURATION_BOUNDS_MS)]),
  )
  const overhead = createBuckets(OVERHEAD_BOUNDS_MS)
  const bytes = new Float64Array(2)

  function observeUpstream(name: string, upstreamMs: number): void {
    let buckets = upstreams.get(name)
    if (buckets === undefined) {
      buckets = createBuckets(DURATION_BOUNDS_MS)
      upstreams.set(name, buckets)
    }
    observeInto(buckets, DURATION_BOUNDS_MS, upstreamMs)
  }

  return {
    reasons,
    routes,
    upstreams,
    overhead,
    bytes,
    routeIndex(name) {
      const known = routes.findIndex((route) => route.name === name)
      return known > 0 ? known - 1 : routes.push(createRoute(name)) - 2
    },
    observe(record) {
      const route = routes[record.routeIndex + 1] ?? unrouted
      const reason = reasonIndex.get(record.reason) ?? reasons.length - 1
      route.requests[reason * STATUS_CLASSES.length + toStatusClass(record.status)]!++
      observeInto(route.durations, DURATION_BOUNDS_MS, record.durationMs)
      observeInto(overhead, OVERHEAD_BOUNDS_MS, record.overheadMs)
      if (record.upstreamMs >= 0) observeUpstream(record.upstream, record.upstreamMs)
      bytes[0]! += record.requestBytes
      bytes[1]! += record.responseBytes
    },
  }
}

/** An index into STATUS_CLASSES; what is no status code counts as none. */
function toStatusClass(status: number): number {
  const hundreds = Math.trunc(status / 100)
  return hundreds >= 1 && hundreds <= 5 ? hundreds : 0
}
