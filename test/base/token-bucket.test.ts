import t from 'tap'
import { createTokenBucket } from '../../src/base/token-bucket.ts'

t.test('a second’s worth of calls goes at once, and each further one a step later', async (t) => {
  let now = 5_000
  const bucket = createTokenBucket(20, { monotonic: () => now })
  for (let i = 0; i < 20; i++) t.equal(bucket.take(0), 0, `call ${i} at once`)
  t.equal(bucket.take(1_000), 50)
  t.equal(bucket.take(1_000), 100)
  now += 100
  t.equal(bucket.take(1_000), 50)
})

t.test('who would wait too long takes no place', async (t) => {
  const bucket = createTokenBucket(2, { monotonic: () => 0 })
  for (let i = 0; i < 2; i++) bucket.take(0)
  t.equal(bucket.take(499), undefined)
  t.equal(bucket.take(499), undefined)
  t.equal(bucket.take(500), 500)
  t.equal(bucket.take(999), undefined)
  t.equal(bucket.take(1_000), 1_000)
})

t.test('after any quiet time a second’s worth is saved up and no more', async (t) => {
  let now = 0
  const bucket = createTokenBucket(4, { monotonic: () => now })
  for (let i = 0; i < 4; i++) bucket.take(0)
  now = 60_000
  const waits = Array.from({ length: 6 }, () => bucket.take(10_000))
  t.same(waits, [0, 0, 0, 0, 250, 500])
})
