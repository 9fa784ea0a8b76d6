// Bounds of the waiting times between attempts.
import t from 'tap'
import { createBackoff } from '../../src/base/backoff.ts'

t.test('the ceiling doubles from 500 ms to 30 s and stays there', async (t) => {
  const backoff = createBackoff(() => 1 - Number.EPSILON)
  const waits = Array.from({ length: 9 }, () => backoff.nextMs() + 1)
  t.same(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
})

t.test('the jitter leaves between half and all of the ceiling', async (t) => {
  t.equal(createBackoff(() => 0).nextMs(), 250)
  t.equal(createBackoff(() => 0.5).nextMs(), 375)
  t.equal(createBackoff(() => 0.9999).nextMs(), 499)
})

t.test('a dead endpoint is asked twelve times in the first minute at most', async (t) => {
  const backoff = createBackoff(() => 0)
  let attempts = 1
  for (let elapsed = backoff.nextMs(); elapsed < 60_000; elapsed += backoff.nextMs()) attempts++
  t.ok(attempts <= 12, `${attempts} attempts`)
})

t.test('after a success the next failure waits as briefly as the first', async (t) => {
  const backoff = createBackoff(() => 0)
  t.same([backoff.nextMs(), backoff.nextMs()], [250, 500])
  backoff.reset()
  t.same([backoff.nextMs(), backoff.nextMs()], [250, 500])
})

t.test('two back-offs do not share a ceiling', async (t) => {
  const [one, other] = [createBackoff(() => 0), createBackoff(() => 0)]
  one.nextMs()
  t.equal(other.nextMs(), 250)
})
