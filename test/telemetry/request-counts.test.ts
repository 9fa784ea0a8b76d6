// Counting by route, reason and status class: bounded whatever a request says.
import t from 'tap'
import { createRequestCounts, STATUS_CLASSES } from '../../src/telemetry/request-counts.ts'
import { createExchangeRecord } from '../support/exchange-record.ts'

const create = () =>
  createRequestCounts({
    routes: ['admin', 'assets'],
    upstreams: ['orders'],
    reasons: ['token_expired', 'group_missing'],
  })

/** What was counted, as "route/reason/class" → count. */
function toTable({ routes, reasons }: ReturnType<typeof create>): Record<string, number> {
  const cells = routes.flatMap(({ name, requests }) =>
    Array.from(requests, (count, index): [string, number] => [
      `${name}/${reasons[Math.floor(index / STATUS_CLASSES.length)]}/${STATUS_CLASSES[index % STATUS_CLASSES.length]}`,
      count,
    ]),
  )
  return Object.fromEntries(cells.filter(([, count]) => count > 0))
}

t.test('a request counts once, under its route, reason and status class', async (t) => {
  const counts = create()
  counts.observe(createExchangeRecord())
  counts.observe(createExchangeRecord({ routeIndex: 1, status: 403, reason: 'group_missing' }))
  counts.observe(createExchangeRecord({ routeIndex: 1, status: 403, reason: 'group_missing' }))
  t.same(toTable(counts), { 'admin//2xx': 1, 'assets/group_missing/4xx': 2 })
})

t.test('every status has its class, and what is no status has none', async (t) => {
  const classes: readonly (readonly [number, string])[] = [
    [0, 'none'],
    [99, 'none'],
    [100, '1xx'],
    [199, '1xx'],
    [200, '2xx'],
    [304, '3xx'],
    [499, '4xx'],
    [599, '5xx'],
    [600, 'none'],
    [-1, 'none'],
    [Number.NaN, 'none'],
  ]
  for (const [status, name] of classes) {
    const counts = create()
    counts.observe(createExchangeRecord({ status }))
    t.same(toTable(counts), { [`admin//${name}`]: 1 }, `${status}`)
  }
})

t.test('unknown reasons share one name and unknown routes another', async (t) => {
  const counts = create()
  counts.observe(createExchangeRecord({ reason: 'made_up' }))
  counts.observe(createExchangeRecord({ reason: 'constructor' }))
  for (const routeIndex of [-1, -2, 2, 1e9]) {
    counts.observe(createExchangeRecord({ routeIndex, route: 'made up' }))
  }
  t.same(toTable(counts), { 'admin/other/2xx': 2, '//2xx': 4 })
})

t.test('a route keeps its index and a new one gets the next', async (t) => {
  const counts = create()
  t.equal(counts.routeIndex('assets'), 1)
  t.equal(counts.routeIndex('new'), 2)
  t.equal(counts.routeIndex('new'), 2)
  t.equal(counts.routeIndex('admin'), 0)
  counts.observe(createExchangeRecord({ routeIndex: 2 }))
  t.same(toTable(counts), { 'new//2xx': 1 })
})

t.test('the upstream is observed when it answered and only then', async (t) => {
  const counts = create()
  counts.observe(createExchangeRecord({ upstreamMs: -1, upstream: '' }))
  counts.observe(createExchangeRecord({ upstreamMs: 0 }))
  counts.observe(createExchangeRecord({ upstreamMs: 7, upstream: 'added later' }))
  t.same([...counts.upstreams.keys()], ['orders', 'added later'])
  t.equal(counts.upstreams.get('orders')?.[0], 1)
})

t.test('bytes add up in both directions', async (t) => {
  const counts = create()
  counts.observe(createExchangeRecord({ requestBytes: 5, responseBytes: 2 ** 40 }))
  counts.observe(createExchangeRecord({ requestBytes: 6, responseBytes: 1 }))
  t.same([...counts.bytes], [11, 2 ** 40 + 1])
})
