// The gateway's metrics: counted in plain arrays, put into words by prom-client when somebody scrapes.
// Labels come from closed sets (route, reason, status class, upstream, user pool), never from a path, subject or address.
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client'
import type { ExchangeRecord } from './exchange-record.ts'
import { type IdentityPoolSource, toIdentityPoolFamilies } from './identity-pool-families.ts'
import {
  type Labels,
  type MetricFamily,
  type Sample,
  single,
  toBound,
  toCounter,
  toGauge,
  toHistogram,
} from './metric-family.ts'
import { prefersOpenMetrics } from './open-metrics.ts'
import {
  createRequestCounts,
  DURATION_BOUNDS_MS,
  OVERHEAD_BOUNDS_MS,
  type RequestCounts,
  type RouteCounts,
  STATUS_CLASSES,
} from './request-counts.ts'
import { toUpstreamFamilies, type UpstreamSource } from './upstream-families.ts'

/** What other parts count themselves, read when somebody scrapes. */
export interface MetricsSources {
  readonly keySets: readonly {
    readonly userPool: string
    readonly keys: number
    /** Wall clock of the last good fetch in milliseconds; 0 when there was none. */
    readonly lastSuccessMs: number
    readonly fetched: number
    readonly failed: number
  }[]
  readonly tokenCache: {
    readonly entries: number
    readonly hits: number
    readonly misses: number
    readonly evictions: number
  }
  readonly identityPools: readonly IdentityPoolSource[]
  readonly accessLogDropped: number
  readonly upstreams: readonly UpstreamSource[]
}

export interface MetricsOptions {
  readonly version: string
  /** Route names; a record's route index is the place in this list. */
  readonly routes: readonly string[]
  readonly upstreams: readonly string[]
  /** Every reason code there is. */
  readonly reasons: readonly string[]
  readonly read: () => MetricsSources
}

export interface Exposition {
  readonly contentType: string
  readonly body: string
}

export interface Metrics {
  /** A route's index, for routes that a reload brings; a name keeps its index, and so its counts. */
  routeIndex(name: string): number
  connectionOpened(): void
  connectionClosed(): void
  /** A connection carries another protocol than HTTP from now on, or does no longer. */
  upgraded(delta: 1 | -1): void
  exchangeStarted(): void
  exchangeEnded(): void
  observe(record: ExchangeRecord): void
  /** Everything as text: OpenMetrics where the Accept field prefers it, else the Prometheus format 0.0.4. */
  render(accept: string | undefined): Promise<Exposition>
}

export function createMetrics(options: MetricsOptions): Metrics {
  const { version, read } = options
  const counts = createRequestCounts(options)
  const nodeMetrics = new Registry()
  collectDefaultMetrics({ register: nodeMetrics })
  let connections = 0
  let activeRequests = 0
  let upgraded = 0

  const gauges = (): MetricFamily[] => [
    toGauge('poolgate_active_requests', 'Requests under way.', single(activeRequests)),
    toGauge('poolgate_connections', 'Client connections that are open.', single(connections)),
    toGauge(
      'poolgate_upgraded_connections',
      'Client connections that carry another protocol, such as WebSocket.',
      single(upgraded),
    ),
    toGauge('poolgate_build_info', 'The running version; always 1.', [
      { labels: { version, node: process.version }, value: 1 },
    ]),
  ]

  return {
    routeIndex: counts.routeIndex,
    observe: counts.observe,
    connectionOpened: () => void connections++,
    connectionClosed: () => void connections--,
    upgraded: (delta) => {
      upgraded += delta
    },
    exchangeStarted: () => void activeRequests++,
    exchangeEnded: () => void activeRequests--,
    async render(accept) {
      const sources = read()
      const ours = [
        ...toRequestFamilies(counts),
        ...gauges(),
        ...toSourceFamilies(sources),
        ...toIdentityPoolFamilies(sources.identityPools),
        ...toUpstreamFamilies(sources.upstreams),
      ]
      return expose([...ours, ...(await readNode(nodeMetrics))], prefersOpenMetrics(accept))
    },
  }
}

/** Put right where prom-client's text is not: "Nan" for what was never measured, whole numbers as bucket bounds. */
async function readNode(registry: Registry): Promise<MetricFamily[]> {
  const families = (await registry.getMetricsAsJSON()) as unknown as readonly MetricFamily[]
  return families.map((family) => ({
    ...family,
    values: family.values.filter(({ value }) => !Number.isNaN(value)).map(withFloatBound),
  }))
}

function withFloatBound(sample: Sample): Sample {
  const le: unknown = (sample.labels as Labels | undefined)?.le
  return typeof le === 'number'
    ? { ...sample, labels: { ...sample.labels, le: toBound(le) } }
    : sample
}

function toRequestFamilies(counts: RequestCounts): MetricFamily[] {
  const { routes, upstreams, overhead, bytes } = counts
  const byRoute = (route: RouteCounts): [Labels, Float64Array] => [
    { route: route.name },
    route.durations,
  ]
  return [
    toCounter(
      'poolgate_requests_total',
      'Finished requests.',
      routes.flatMap((route) => toRequestSamples(route, counts.reasons)),
    ),
    toHistogram(
      'poolgate_request_duration_seconds',
      'From the first byte of a request to the last byte of its answer.',
      DURATION_BOUNDS_MS,
      routes.map(byRoute),
    ),
    toHistogram(
      'poolgate_overhead_seconds',
      'What the gateway takes before it asks the upstream or answers itself.',
      OVERHEAD_BOUNDS_MS,
      [[{}, overhead]],
    ),
    toHistogram(
      'poolgate_upstream_duration_seconds',
      "From asking the upstream to its response's header fields.",
      DURATION_BOUNDS_MS,
      Array.from(upstreams, ([upstream, buckets]) => [{ upstream }, buckets]),
    ),
    toCounter('poolgate_request_bytes_total', 'Bytes of request bodies.', single(bytes[0]!)),
    toCounter('poolgate_response_bytes_total', 'Bytes of response bodies.', single(bytes[1]!)),
  ]
}

/** Combinations that never happened are left out: nearly all of them cannot. */
function toRequestSamples(route: RouteCounts, reasons: readonly string[]): Sample[] {
  return reasons.flatMap((reason, row) =>
    STATUS_CLASSES.flatMap((status_class, column) => {
      const value = route.requests[row * STATUS_CLASSES.length + column]!
      return value > 0 ? [{ labels: { route: route.name, status_class, reason }, value }] : []
    }),
  )
}

function toSourceFamilies({ keySets, tokenCache, accessLogDropped }: MetricsSources) {
  const byPool = (read: (keySet: (typeof keySets)[number]) => number): Sample[] =>
    keySets.map((keySet) => ({ labels: { user_pool: keySet.userPool }, value: read(keySet) }))
  const fetches = keySets.flatMap(({ userPool, fetched, failed }): Sample[] => [
    { labels: { user_pool: userPool, result: 'success' }, value: fetched },
    { labels: { user_pool: userPool, result: 'failure' }, value: failed },
  ])
  const { entries, hits, misses, evictions } = tokenCache
  return [
    toCounter('poolgate_token_cache_hits_total', 'Tokens known already.', single(hits)),
    toCounter('poolgate_token_cache_misses_total', 'Tokens not known yet.', single(misses)),
    toCounter('poolgate_token_cache_evictions_total', 'Tokens pushed out.', single(evictions)),
    toGauge('poolgate_token_cache_entries', 'Tokens in the cache.', single(entries)),
    toGauge(
      'poolgate_keyset_keys',
      'Usable signing keys.',
      byPool((keySet) => keySet.keys),
    ),
    toGauge(
      'poolgate_keyset_last_success_timestamp_seconds',
      'When the keys were last fetched; 0 before the first time.',
      byPool((keySet) => keySet.lastSuccessMs / 1000),
    ),
    toCounter('poolgate_keyset_fetches_total', 'Attempts to fetch signing keys.', fetches),
    toCounter(
      'poolgate_access_log_dropped_total',
      'Log lines that could not be written.',
      single(accessLogDropped),
    ),
  ]
}

/** A registry of its own for each scrape: prom-client renames counters for good when it writes OpenMetrics. */
async function expose(
  families: readonly MetricFamily[],
  openMetrics: boolean,
): Promise<Exposition> {
  const { OPENMETRICS_CONTENT_TYPE, PROMETHEUS_CONTENT_TYPE } = Registry
  const contentType = openMetrics ? OPENMETRICS_CONTENT_TYPE : PROMETHEUS_CONTENT_TYPE
  const registry = new Registry(contentType)
  for (const family of families) {
    const shown = openMetrics ? withoutTotal(family) : family
    registry.registerMetric({ ...shown, get: async () => shown } as unknown as Metric)
  }
  return { contentType, body: await registry.metrics() }
}

/** OpenMetrics names a counter without the _total that its samples end in. */
function withoutTotal(family: MetricFamily): MetricFamily {
  if (family.type !== 'counter') return family
  return { ...family, name: family.name.replace(/_total$/, '') }
}
