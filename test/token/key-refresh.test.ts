// When keys are fetched, how long they are used, and what is told of it. All on a clock that the test moves.
import t from 'tap'
import type { FetchJsonResult } from '../../src/base/fetch-json.ts'
import { createKeyRefresh, type KeyRefreshSettings } from '../../src/token/key-refresh.ts'
import type { SigningKey } from '../../src/token/key-set.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { createKey } from '../support/issuer.ts'
import { realClock } from '../support/real-clock.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const one = createKey('one')
const two = createKey('two')
const BOTH = { keys: [one.jwk, two.jwk] }
const DOWN: FetchJsonResult = { ok: false, message: 'refused' }

/** A key refresh whose endpoint answers what the test says, at once or when the test lets it. */
function createBench(changes: Partial<KeyRefreshSettings> = {}, random = () => 0.5) {
  const clock = createFakeClock()
  const retired: SigningKey[] = []
  const told: (string | undefined)[] = []
  const waiting: ((result: FetchJsonResult) => void)[] = []
  let answer: object | undefined = BOTH
  let held = false
  let fetches = 0
  const current = (): FetchJsonResult => (answer ? { ok: true, value: answer } : DOWN)
  const refresh = createKeyRefresh(
    {
      jwksUri: 'https://keys.example/jwks',
      refreshMs: 5 * MINUTE,
      maxStaleMs: 24 * HOUR,
      ...changes,
    },
    {
      clock,
      random,
      fetchJwks: (url) => {
        t.equal(url, 'https://keys.example/jwks')
        fetches++
        return held ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(current())
      },
      onRetired: (keys) => retired.push(...keys),
      onChange: (problem) => told.push(problem),
    },
  )
  return {
    clock,
    refresh,
    retired,
    told,
    fetches: () => fetches,
    /** Undefined: the endpoint is down. */
    serve: (document: object | undefined) => {
      answer = document
    },
    hold: () => {
      held = true
    },
    release: () => {
      held = false
      for (const resolve of waiting.splice(0)) resolve(current())
    },
  }
}

t.test('start fetches once and resolves with the keys in place', async (t) => {
  const bench = createBench()
  t.equal(bench.refresh.usable(), false)
  await bench.refresh.start(undefined)
  t.equal(bench.fetches(), 1)
  t.equal(bench.refresh.usable(), true)
  t.equal(bench.refresh.failing(), false)
  t.ok(bench.refresh.find('one')?.key.equals(one.publicKey))
  t.equal(bench.refresh.find('three'), undefined)
  t.same(bench.told, [undefined])
  t.same(bench.refresh.stats(), {
    keys: 2,
    lastSuccessMs: bench.clock.now(),
    fetched: 1,
    failed: 0,
  })
})

t.test('start resolves after a failed first attempt, without keys', async (t) => {
  const bench = createBench()
  bench.serve(undefined)
  await bench.refresh.start(undefined)
  t.equal(bench.refresh.usable(), false)
  t.equal(bench.refresh.failing(), true)
  t.same(bench.told, ['refused'])
  t.same(bench.refresh.stats(), { keys: 0, lastSuccessMs: 0, fetched: 0, failed: 1 })
})

t.test('a seed gives keys while the endpoint is down', async (t) => {
  const bench = createBench()
  bench.serve(undefined)
  await bench.refresh.start({ keys: [one.jwk] })
  t.equal(bench.refresh.usable(), true)
  t.ok(bench.refresh.find('one'))
  t.equal(bench.refresh.failing(), true)
})

t.test('a bad seed is told and the endpoint is asked all the same', async (t) => {
  const bench = createBench()
  await bench.refresh.start({ keys: [] })
  t.same(bench.told, ['the seed file holds no usable key', undefined])
  t.equal(bench.refresh.usable(), true)
})

t.test('keys are fetched again after the interval, give or take 10 %', async (t) => {
  for (const [random, spread] of [
    [0, 0.9],
    [0.5, 1],
    [1 - Number.EPSILON, 1.1],
  ] as const) {
    const bench = createBench({}, () => random)
    await bench.refresh.start(undefined)
    await bench.clock.advance(5 * MINUTE * spread - 10)
    t.equal(bench.fetches(), 1, `${spread}`)
    await bench.clock.advance(20)
    t.equal(bench.fetches(), 2, `${spread}`)
    bench.refresh.stop()
  }
})

t.test('a failing endpoint is asked again with a growing wait of at most 30 s', async (t) => {
  const bench = createBench()
  bench.serve(undefined)
  await bench.refresh.start(undefined)
  await bench.clock.advance(500)
  t.ok(bench.fetches() >= 2, 'again within the first 500 ms')
  await bench.clock.advance(MINUTE)
  t.ok(bench.fetches() <= 12, `${bench.fetches()} attempts in the first minute`)
  const before = bench.fetches()
  await bench.clock.advance(30_000)
  t.ok(bench.fetches() > before, 'never waits longer than 30 s')
})

t.test('a failure keeps the keys, and the state is told once each way', async (t) => {
  const bench = createBench()
  await bench.refresh.start(undefined)
  const key = bench.refresh.find('one')
  bench.serve(undefined)
  await bench.clock.advance(20 * MINUTE)
  t.ok(bench.refresh.stats().failed > 1)
  t.equal(bench.refresh.find('one'), key)
  t.same(bench.told, [undefined, 'refused'])
  bench.serve(BOTH)
  await bench.clock.advance(MINUTE)
  t.same(bench.told, [undefined, 'refused', undefined])
  t.equal(bench.refresh.failing(), false)
  t.same(bench.retired, [])
})

t.test('an unusable document is a failure and keeps the keys', async (t) => {
  const bench = createBench()
  await bench.refresh.start(undefined)
  bench.serve({ keys: [one.jwk, { ...two.jwk, kid: 'one' }] })
  await bench.clock.advance(6 * MINUTE)
  t.ok(bench.refresh.find('two'))
  t.equal(bench.told[1], 'the same kid twice')
})

t.test('a key that is unchanged stays the same object', async (t) => {
  const bench = createBench()
  await bench.refresh.start(undefined)
  const key = bench.refresh.find('one')
  await bench.clock.advance(6 * MINUTE)
  t.equal(bench.fetches(), 2)
  t.equal(bench.refresh.find('one'), key)
  t.equal(key?.retired, false)
})

t.test('a key that has left the document is retired and no longer found', async (t) => {
  const bench = createBench()
  await bench.refresh.start(undefined)
  const key = bench.refresh.find('two')
  bench.serve({ keys: [one.jwk] })
  await bench.clock.advance(6 * MINUTE)
  t.equal(bench.refresh.find('two'), undefined)
  t.equal(key?.retired, true)
  t.same(
    bench.retired.map(({ kid }) => kid),
    ['two'],
  )
  t.equal(bench.refresh.find('one')?.retired, false)
})

t.test('new material under an old kid retires the old key', async (t) => {
  const bench = createBench()
  await bench.refresh.start(undefined)
  const old = bench.refresh.find('one')
  bench.serve({ keys: [{ ...two.jwk, kid: 'one' }] })
  await bench.clock.advance(6 * MINUTE)
  t.equal(old?.retired, true)
  t.equal(bench.refresh.find('one')?.retired, false)
  t.ok(bench.refresh.find('one')?.key.equals(two.publicKey))
})

t.test(
  'keys are used for maxStale after the last good fetch, and not a moment longer',
  async (t) => {
    const bench = createBench()
    await bench.refresh.start(undefined)
    const key = bench.refresh.find('one')
    bench.serve(undefined)
    await bench.clock.advance(24 * HOUR - 1)
    t.equal(bench.refresh.usable(), true)
    t.ok(bench.refresh.find('one'))
    await bench.clock.advance(1)
    t.equal(bench.refresh.usable(), false)
    t.equal(bench.refresh.find('one'), undefined)
    t.equal(key?.retired, true)
    t.same(bench.retired.map(({ kid }) => kid).sort(), ['one', 'two'])
    bench.serve(BOTH)
    await bench.clock.advance(MINUTE)
    t.equal(bench.refresh.find('one')?.retired, false, 'the key that comes back is a new one')
  },
)

t.test('a good fetch starts the age anew', async (t) => {
  const bench = createBench({ maxStaleMs: 20 * MINUTE })
  await bench.refresh.start(undefined)
  await bench.clock.advance(2 * HOUR)
  t.equal(bench.refresh.usable(), true)
  t.same(bench.retired, [])
})

t.test('a seed grows too old as well', async (t) => {
  const bench = createBench({ maxStaleMs: HOUR })
  bench.serve(undefined)
  await bench.refresh.start(BOTH)
  await bench.clock.advance(HOUR - 1)
  t.equal(bench.refresh.usable(), true)
  await bench.clock.advance(1)
  t.equal(bench.refresh.usable(), false)
})

t.test('a forced fetch joins the one under way', async (t) => {
  const bench = createBench()
  bench.hold()
  const started = bench.refresh.start(undefined)
  const forced = [bench.refresh.refreshNow(), bench.refresh.refreshNow()]
  t.equal(bench.fetches(), 1)
  bench.release()
  await Promise.all([started, ...forced])
  t.ok(bench.refresh.find('one'))
  t.equal(bench.fetches(), 1)
})

t.test('a fetch can be forced once in 10 s', async (t) => {
  const bench = createBench()
  await bench.refresh.start(undefined)
  await bench.refresh.refreshNow()
  t.equal(bench.fetches(), 2)
  t.equal(bench.refresh.refreshNow(), undefined)
  await bench.clock.advance(9_999)
  t.equal(bench.refresh.refreshNow(), undefined)
  await bench.clock.advance(1)
  await bench.refresh.refreshNow()
  t.equal(bench.fetches(), 3)
})

t.test('a forced fetch puts off the next background one', async (t) => {
  const bench = createBench()
  await bench.refresh.start(undefined)
  await bench.clock.advance(4 * MINUTE)
  await bench.refresh.refreshNow()
  await bench.clock.advance(5 * MINUTE - 1)
  t.equal(bench.fetches(), 2)
  await bench.clock.advance(1)
  t.equal(bench.fetches(), 3)
})

t.test(
  'callers are told to come back when the next fetch is due, and after a second at least',
  async (t) => {
    const bench = createBench()
    bench.serve(undefined)
    await bench.refresh.start(undefined)
    t.equal(bench.refresh.retryAfterSeconds(), 1, 'one may be forced at once')
    await bench.refresh.refreshNow()
    t.ok(bench.refresh.retryAfterSeconds() >= 1)
    t.ok(bench.refresh.retryAfterSeconds() <= 10)
    const healthy = createBench()
    await healthy.refresh.start(undefined)
    await healthy.refresh.refreshNow()
    t.equal(healthy.refresh.retryAfterSeconds(), 10, 'the next one can be forced in 10 s')
    await healthy.clock.advance(9_500)
    t.equal(healthy.refresh.retryAfterSeconds(), 1)
  },
)

t.test('after stop no timer is left and a late answer changes nothing', async (t) => {
  const bench = createBench()
  await bench.refresh.start(undefined)
  bench.hold()
  bench.serve({ keys: [one.jwk] })
  const late = bench.refresh.refreshNow()
  bench.refresh.stop()
  bench.release()
  await late
  t.ok(bench.refresh.find('two'))
  t.same(bench.retired, [])
  t.equal(bench.clock.pending(), 0)
  t.equal(bench.refresh.stats().fetched, 1)
})

t.test('a stop during the first fetch leaves no timer', async (t) => {
  const bench = createBench()
  bench.hold()
  const started = bench.refresh.start(undefined)
  bench.refresh.stop()
  bench.release()
  await started
  t.equal(bench.clock.pending(), 0)
  t.same(bench.told, [])
})

t.test('a step of the wall clock moves no timer', async (t) => {
  const bench = createBench()
  await bench.refresh.start(undefined)
  bench.clock.stepWall(25 * HOUR)
  await bench.clock.advance(MINUTE)
  t.equal(bench.fetches(), 1)
  t.equal(bench.refresh.usable(), true)
  bench.clock.stepWall(-50 * HOUR)
  await bench.clock.advance(5 * MINUTE)
  t.equal(bench.fetches(), 2)
})

t.test('on the machine’s own timers keys last as long as configuration may ask for', async (t) => {
  const refresh = createKeyRefresh(
    { jwksUri: 'https://keys.example/jwks', refreshMs: 24 * HOUR, maxStaleMs: 30 * 24 * HOUR },
    {
      clock: realClock,
      random: () => 0.999,
      fetchJwks: async () => ({ ok: true, value: BOTH }),
      onRetired: () => t.fail('keys were retired'),
      onChange: () => undefined,
    },
  )
  t.teardown(refresh.stop)
  await refresh.start(undefined)
  await new Promise((resolve) => setTimeout(resolve, 30))
  t.equal(refresh.usable(), true)
})
