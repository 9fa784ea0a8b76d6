// How counted numbers become samples.
import t from 'tap'
import { createBuckets, observeInto } from '../../src/telemetry/buckets.ts'
import {
  single,
  toBound,
  toCounter,
  toGauge,
  toHistogram,
} from '../../src/telemetry/metric-family.ts'

t.test('a single sample has no labels', async (t) => {
  t.same(single(3), [{ labels: {}, value: 3 }])
})

t.test('counters and gauges keep their samples as they are', async (t) => {
  const values = [{ labels: { route: 'a' }, value: 1 }]
  t.same(toCounter('x_total', 'X.', values), {
    name: 'x_total',
    help: 'X.',
    type: 'counter',
    values,
  })
  t.same(toGauge('x', 'X.', values), { name: 'x', help: 'X.', type: 'gauge', values })
})

t.test('a bound is written as a float', async (t) => {
  t.same([0.0005, 0.25, 1, 30, 2.5].map(toBound), ['0.0005', '0.25', '1.0', '30.0', '2.5'])
})

t.test('a histogram turns milliseconds into seconds, in bounds and sum', async (t) => {
  const boundsMs = [500, 2000]
  const buckets = createBuckets(boundsMs)
  for (const valueMs of [100, 1500, 9000]) observeInto(buckets, boundsMs, valueMs)
  const { name, type, values } = toHistogram('x_seconds', 'X.', boundsMs, [
    [{ route: 'a' }, buckets],
  ])
  t.same({ name, type }, { name: 'x_seconds', type: 'histogram' })
  t.same(values, [
    { metricName: 'x_seconds_bucket', labels: { route: 'a', le: '0.5' }, value: 1 },
    { metricName: 'x_seconds_bucket', labels: { route: 'a', le: '2.0' }, value: 2 },
    { metricName: 'x_seconds_bucket', labels: { route: 'a', le: '+Inf' }, value: 3 },
    { metricName: 'x_seconds_sum', labels: { route: 'a' }, value: 10.6 },
    { metricName: 'x_seconds_count', labels: { route: 'a' }, value: 3 },
  ])
})

t.test('a histogram without series has no samples', async (t) => {
  t.same(toHistogram('x_seconds', 'X.', [1], []).values, [])
})
