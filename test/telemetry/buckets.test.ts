// A value lands in exactly one bucket; reading adds them up.
import t from 'tap'
import { createBuckets, observeInto, toCumulative, toSum } from '../../src/telemetry/buckets.ts'

const BOUNDS = [1, 2.5, 10]

function observed(...values: number[]) {
  const buckets = createBuckets(BOUNDS)
  for (const value of values) observeInto(buckets, BOUNDS, value)
  return { counts: toCumulative(buckets), sum: toSum(buckets) }
}

t.test('a new histogram is all zero', async (t) => {
  t.same(observed(), { counts: [0, 0, 0, 0], sum: 0 })
})

t.test('a bound belongs to its own bucket, a hair more to the next', async (t) => {
  t.same(observed(1).counts, [1, 1, 1, 1])
  t.same(observed(1.0001).counts, [0, 1, 1, 1])
  t.same(observed(10).counts, [0, 0, 1, 1])
  t.same(observed(10.0001).counts, [0, 0, 0, 1])
  t.same(observed(0).counts, [1, 1, 1, 1])
})

t.test('counts are cumulative and end in the number of observations', async (t) => {
  t.same(observed(0.5, 2, 2, 5, 99), { counts: [1, 3, 4, 5], sum: 108.5 })
})

t.test('what is no duration is not observed', async (t) => {
  t.same(observed(-1, -0.001, Number.NaN), { counts: [0, 0, 0, 0], sum: 0 })
})
