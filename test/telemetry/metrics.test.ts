// The exposed text is right in both formats, adds up, and holds no more series than were configured.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts'
import { createExchangeRecord } from '../support/exchange-record.ts'
import { parseMetricsText } from '../support/metrics-text.ts'

const SOURCES = {
  keySets: [
    { userPool: 'main', keys: 2, lastSuccessMs: 1_795_000_000_500, fetched: 7, failed: 1 },
    { userPool: 'staff', keys: 0, lastSuccessMs: 0, fetched: 0, failed: 3 },
  ],
  tokenCache: { entries: 4, hits: 100, misses: 5, evictions: 1 },
  identityPools: [{ name: 'aws', exchanges: { given: 8, denied: 2, unavailable: 1 }, size: 6 }],
  accessLogDropped: 9,
  upstreams: [
    {
      name: 'orders',
      targets: ['healthy', 'healthy', 'ejected'].map((state, n) => ({
        origin: `http://10.0.1.${n}:8080`,
        state,
        sinceMs: 0,
        active: n,
        lastFailure: '',
      })),
      states: { healthy: 2, unchecked: 0, ejected: 1, unhealthy: 0 },
      isPanicking: true,
      ejections: 4,
      retries: 5,
      checks: { success: 6, failure: 7 },
    },
  ],
}

const create = (routes: readonly string[] = ['admin', 'assets']) =>
  createMetrics({
    version: '1.2.3',
    routes,
    upstreams: ['orders'],
    reasons: ['token_expired', 'group_missing'],
    read: () => SOURCES,
  })

async function read(metrics: Metrics) {
  return parseMetricsText((await metrics.render(undefined)).body, false)
}

/** The garbage collector's observer hears of a collection in a later turn, and of one only where several fell in it. */
async function readAfterGc(metrics: Metrics) {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (;;) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
    const exposed = await read(metrics)
    const isCounted = (name: string) => name.startsWith('nodejs_gc_duration_seconds_count')
    if ([...exposed.series.keys()].some(isCounted)) return exposed
  }
}

const TYPES = {
  poolgate_requests_total: 'counter',
  poolgate_request_duration_seconds: 'histogram',
  poolgate_overhead_seconds: 'histogram',
  poolgate_upstream_duration_seconds: 'histogram',
  poolgate_upstream_targets: 'gauge',
  poolgate_upstream_panic: 'gauge',
  poolgate_upstream_active_requests: 'gauge',
  poolgate_upstream_ejections_total: 'counter',
  poolgate_upstream_retries_total: 'counter',
  poolgate_upstream_health_checks_total: 'counter',
  poolgate_request_bytes_total: 'counter',
  poolgate_response_bytes_total: 'counter',
  poolgate_active_requests: 'gauge',
  poolgate_connections: 'gauge',
  poolgate_build_info: 'gauge',
  poolgate_token_cache_hits_total: 'counter',
  poolgate_token_cache_misses_total: 'counter',
  poolgate_token_cache_evictions_total: 'counter',
  poolgate_token_cache_entries: 'gauge',
  poolgate_keyset_keys: 'gauge',
  poolgate_keyset_last_success_timestamp_seconds: 'gauge',
  poolgate_keyset_fetches_total: 'counter',
  poolgate_credential_exchanges_total: 'counter',
  poolgate_credentials_kept: 'gauge',
  poolgate_access_log_dropped_total: 'counter',
}

t.test('without an Accept field the text is Prometheus 0.0.4', async (t) => {
  const { contentType, body } = await create().render(undefined)
  t.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8')
  const { types } = parseMetricsText(body, false)
  for (const [name, type] of Object.entries(TYPES)) t.equal(types.get(name), type, name)
})

t.test('a scraper that prefers OpenMetrics gets it', async (t) => {
  const { contentType, body } = await create().render('application/openmetrics-text;version=1.0.0')
  t.equal(contentType, 'application/openmetrics-text; version=1.0.0; charset=utf-8')
  const { types } = parseMetricsText(body, true)
  for (const [name, type] of Object.entries(TYPES)) {
    t.equal(types.get(type === 'counter' ? name.replace(/_total$/, '') : name), type, name)
  }
})

t.test(
  'both formats give the same series of ours, in whatever order they are asked for',
  async (t) => {
    const metrics = create()
    metrics.observe(createExchangeRecord())
    const ours = async (accept: string | undefined) => {
      const { body, contentType } = await metrics.render(accept)
      const { series } = parseMetricsText(body, contentType.startsWith('application/openmetrics'))
      return [...series].filter(([name]) => name.startsWith('poolgate_'))
    }
    const text = await ours(undefined)
    t.same(await ours('application/openmetrics-text'), text)
    t.same(await ours(undefined), text)
  },
)

t.test('the process’s own metrics are there too', async (t) => {
  const { types } = await readAfterGc(create())
  t.equal(types.get('nodejs_gc_duration_seconds'), 'histogram')
  t.equal(types.get('process_cpu_seconds_total'), 'counter')
  t.equal(types.get('process_resident_memory_bytes'), 'gauge')
  t.equal(types.get('nodejs_eventloop_lag_p99_seconds'), 'gauge')
})

t.test(
  'requests count by route, status class and reason; what never happened is absent',
  async (t) => {
    const metrics = create()
    metrics.observe(createExchangeRecord())
    metrics.observe(createExchangeRecord())
    metrics.observe(createExchangeRecord({ routeIndex: 1, status: 401, reason: 'token_expired' }))
    metrics.observe(createExchangeRecord({ routeIndex: -1, route: '', status: 404 }))
    const { series } = await read(metrics)
    const requests = [...series].filter(([name]) => name.startsWith('poolgate_requests_total'))
    t.same(Object.fromEntries(requests), {
      'poolgate_requests_total{route="",status_class="4xx",reason=""}': 1,
      'poolgate_requests_total{route="admin",status_class="2xx",reason=""}': 2,
      'poolgate_requests_total{route="assets",status_class="4xx",reason="token_expired"}': 1,
    })
  },
)

t.test('a histogram is cumulative and agrees with its sum and count', async (t) => {
  const metrics = create()
  for (const durationMs of [0.4, 1, 1.1, 700, 60_000]) {
    metrics.observe(createExchangeRecord({ durationMs }))
  }
  const { series } = await read(metrics)
  const of = (suffix: string) => series.get(`poolgate_request_duration_seconds_${suffix}`)
  const bucket = (le: string) => of(`bucket{route="admin",le="${le}"}`)
  t.same(
    ['0.0005', '0.001', '0.0025', '0.5', '1.0', '30.0', '+Inf'].map(bucket),
    [1, 2, 3, 3, 4, 4, 5],
  )
  t.equal(of('count{route="admin"}'), 5)
  t.ok(Math.abs((of('sum{route="admin"}') ?? 0) - 60.7025) < 1e-9)
})

t.test('every histogram’s buckets ascend and end in its count', async (t) => {
  const metrics = create()
  metrics.observe(createExchangeRecord())
  const { series } = await read(metrics)
  let last = { name: '', value: 0 }
  for (const [key, value] of series) {
    if (!key.startsWith('poolgate_')) continue
    const [, name = '', labels = '', bound] =
      /^(\w+)_bucket\{(.*?),?le="([^"]+)"\}$/.exec(key) ?? []
    if (bound === undefined) continue
    const group = `${name}{${labels}}`
    if (last.name === group) t.ok(value >= last.value, key)
    last = { name: group, value }
    const count = labels === '' ? `${name}_count` : `${name}_count{${labels}}`
    if (bound === '+Inf') t.equal(series.get(count), value, key)
  }
  t.ok(series.has('poolgate_overhead_seconds_count'))
  t.ok(series.has('poolgate_upstream_duration_seconds_count{upstream="orders"}'))
})

t.test('connections and requests under way rise and fall', async (t) => {
  const metrics = create()
  metrics.connectionOpened()
  metrics.connectionOpened()
  metrics.exchangeStarted()
  let { series } = await read(metrics)
  t.equal(series.get('poolgate_connections'), 2)
  t.equal(series.get('poolgate_active_requests'), 1)
  metrics.connectionClosed()
  metrics.exchangeEnded()
  ;({ series } = await read(metrics))
  t.equal(series.get('poolgate_connections'), 1)
  t.equal(series.get('poolgate_active_requests'), 0)
})

t.test('what other parts count is read at the scrape', async (t) => {
  const { series } = await read(create())
  const expected = {
    'poolgate_keyset_keys{user_pool="main"}': 2,
    'poolgate_keyset_keys{user_pool="staff"}': 0,
    'poolgate_keyset_last_success_timestamp_seconds{user_pool="main"}': 1_795_000_000.5,
    'poolgate_keyset_last_success_timestamp_seconds{user_pool="staff"}': 0,
    'poolgate_keyset_fetches_total{user_pool="main",result="success"}': 7,
    'poolgate_keyset_fetches_total{user_pool="main",result="failure"}': 1,
    'poolgate_keyset_fetches_total{user_pool="staff",result="failure"}': 3,
    poolgate_token_cache_hits_total: 100,
    poolgate_token_cache_misses_total: 5,
    poolgate_token_cache_evictions_total: 1,
    poolgate_token_cache_entries: 4,
    'poolgate_credential_exchanges_total{identity_pool="aws",result="denied"}': 2,
    poolgate_access_log_dropped_total: 9,
    [`poolgate_build_info{version="1.2.3",node="${process.version}"}`]: 1,
  }
  for (const [name, value] of Object.entries(expected)) t.equal(series.get(name), value, name)
})

t.test('a route name may hold what labels must escape', async (t) => {
  const metrics = create(['a "quoted" \\ name\nof two lines'])
  metrics.observe(createExchangeRecord())
  const { series } = await read(metrics)
  const written = 'route="a \\"quoted\\" \\\\ name\\nof two lines"'
  t.equal(series.get(`poolgate_requests_total{${written},status_class="2xx",reason=""}`), 1)
})

t.test('a route that a reload brings goes on where it stood', async (t) => {
  const metrics = create(['admin'])
  t.equal(metrics.routeIndex('new'), 1)
  t.equal(metrics.routeIndex('admin'), 0)
  metrics.observe(createExchangeRecord({ routeIndex: 1 }))
  const { series } = await read(metrics)
  t.equal(series.get('poolgate_requests_total{route="new",status_class="2xx",reason=""}'), 1)
})

t.test('no client can add a series', async (t) => {
  const metrics = create()
  metrics.observe(createExchangeRecord())
  const before = (await read(metrics)).series.size
  for (let index = 0; index < 1000; index++) {
    const text = `client ${index}`
    metrics.observe(
      createExchangeRecord({ path: text, host: text, method: text, subject: text, clientId: text }),
    )
  }
  const { series } = await read(metrics)
  t.equal([...series.keys()].filter((name) => name.includes('client ')).length, 0)
  t.equal([...series.keys()].filter((name) => name.startsWith('poolgate_requests')).length, 1)
  t.ok(series.size <= before + 50, 'only node’s own may differ')
})

t.test('two metrics do not share a count', async (t) => {
  const [one, other] = [create(), create()]
  one.connectionOpened()
  one.observe(createExchangeRecord())
  t.equal((await read(other)).series.get('poolgate_connections'), 0)
})

t.test('upstreams tell of their targets by state, and never by address', async (t) => {
  const { body } = await create().render(undefined)
  const { series } = parseMetricsText(body, false)
  t.notMatch(body, /10\.0\.1\./)
  const expected = {
    'poolgate_upstream_targets{upstream="orders",state="healthy"}': 2,
    'poolgate_upstream_targets{upstream="orders",state="unchecked"}': 0,
    'poolgate_upstream_targets{upstream="orders",state="ejected"}': 1,
    'poolgate_upstream_targets{upstream="orders",state="unhealthy"}': 0,
    'poolgate_upstream_panic{upstream="orders"}': 1,
    'poolgate_upstream_active_requests{upstream="orders"}': 3,
    'poolgate_upstream_ejections_total{upstream="orders"}': 4,
    'poolgate_upstream_retries_total{upstream="orders"}': 5,
    'poolgate_upstream_health_checks_total{upstream="orders",result="success"}': 6,
    'poolgate_upstream_health_checks_total{upstream="orders",result="failure"}': 7,
  }
  for (const [name, value] of Object.entries(expected)) t.equal(series.get(name), value, name)
})
