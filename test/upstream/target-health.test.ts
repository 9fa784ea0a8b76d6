// Targets that fail are left alone for a while, never more than half of them for requests and never all.
import t from 'tap'
import { createTargetHealth } from '../../src/upstream/target-health.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const SETTINGS = { failures: 5, timeMs: 10_000, maxTimeMs: 30_000 }

function create(
  targets: readonly string[],
  changes: Partial<typeof SETTINGS> = {},
  hasChecks = false,
) {
  const clock = createFakeClock()
  const changed: string[] = []
  const health = createTargetHealth<string>({ ...SETTINGS, ...changes }, hasChecks, {
    clock,
    changed: (target, state, why) => changed.push(`${target} ${state} ${why}`.trim()),
  })
  health.replace(targets)
  const fail = (target: string, times: number) => {
    for (let i = 0; i < times; i++) health.failed(target, 'status 503')
  }
  return { clock, health, fail, changed }
}

t.test('five failures in a row eject, four do not, nor five with a success between', async (t) => {
  const { health, fail } = create(['a', 'b'])
  fail('a', 4)
  t.same(health.candidates(), ['a', 'b'])
  health.succeeded('a')
  fail('a', 4)
  t.same(health.candidates(), ['a', 'b'])
  fail('a', 1)
  t.same(health.candidates(), ['b'])
})

t.test('it comes back after 10 s, then 20, then 30 and never more', async (t) => {
  const { clock, health, fail } = create(['a', 'b'])
  for (const ms of [10_000, 20_000, 30_000, 30_000]) {
    fail('a', 5)
    await clock.advance(ms - 1)
    t.same(health.candidates(), ['b'], `before ${ms}`)
    await clock.advance(1)
    t.same(health.candidates(), ['a', 'b'], `after ${ms}`)
  }
})

t.test('once it does well it begins at 10 s again', async (t) => {
  const { clock, health, fail } = create(['a', 'b'])
  fail('a', 5)
  health.succeeded('a')
  await clock.advance(10_000)
  fail('a', 5)
  await clock.advance(19_999)
  t.same(health.candidates(), ['b'], 'what began before its ejection says nothing')
  await clock.advance(1)
  health.succeeded('a')
  fail('a', 5)
  await clock.advance(10_000)
  t.same(health.candidates(), ['a', 'b'])
})

t.test('never more than half of them', async (t) => {
  const { clock, health, fail } = create(['a', 'b', 'c', 'd', 'e'])
  for (const target of ['a', 'b', 'c', 'd', 'e']) fail(target, 50)
  t.same(health.candidates(), ['c', 'd', 'e'])
  await clock.advance(10_000)
  fail('c', 1)
  t.same(health.candidates(), ['a', 'b', 'd', 'e'], 'the next one once there is room')
  const { health: alone, fail: failAlone } = create(['a'])
  failAlone('a', 50)
  t.same(alone.candidates(), ['a'])
})

t.test('0 is for never', async (t) => {
  const { health, fail } = create(['a', 'b'], { failures: 0 })
  fail('a', 1_000)
  t.same(health.candidates(), ['a', 'b'])
})

t.test('it holds no timer once it is stopped', async (t) => {
  const { clock, health, fail } = create(['a', 'b'])
  fail('a', 5)
  t.equal(clock.pending(), 1)
  health.stop()
  t.equal(clock.pending(), 0)
})

t.test('whoever stays keeps its health, and whoever comes begins with none', async (t) => {
  const { clock, health, fail } = create(['a', 'b', 'c', 'd'])
  fail('a', 5)
  fail('b', 4)
  health.replace(['e', 'b', 'a', 'c', 'd'])
  t.same(health.candidates(), ['e', 'b', 'c', 'd'])
  fail('e', 4)
  fail('b', 1)
  t.same(health.candidates(), ['e', 'c', 'd'])
  await clock.advance(10_000)
  t.same(health.candidates(), ['e', 'b', 'a', 'c', 'd'])
})

t.test('whoever is gone is passed over, holds no timer and comes back as new', async (t) => {
  const { clock, health, fail } = create(['a', 'b'])
  fail('a', 5)
  health.replace(['b', 'c'])
  t.equal(clock.pending(), 0)
  fail('a', 50)
  health.succeeded('a')
  t.same(health.candidates(), ['b', 'c'])
  health.replace(['a', 'b'])
  t.same(health.candidates(), ['a', 'b'])
  health.replace([])
  t.same(health.candidates(), [])
})

t.test('never more than half of those that are left when others go', async (t) => {
  const { clock, health, fail } = create(['a', 'b', 'c', 'd', 'e', 'f'])
  for (const target of ['a', 'b', 'c']) fail(target, 5)
  health.replace(['a', 'b', 'c', 'd'])
  t.same(health.candidates(), ['a', 'd'], 'the first one is asked again')
  t.equal(clock.pending(), 2)
  health.replace(['b', 'c'])
  t.same(health.candidates(), ['b'])
})

t.test('each change is told once, with why', async (t) => {
  const { clock, fail, health, changed } = create(['a', 'b'], {}, true)
  for (const target of ['a', 'b']) health.checked(target, true, '')
  fail('a', 9)
  await clock.advance(10_000)
  health.checked('b', false, 'status 500')
  health.checked('b', false, 'status 500')
  t.same(changed, [
    'a healthy',
    'b healthy',
    'a ejected 5 failures in a row: status 503',
    'a healthy',
    'b unhealthy status 500',
  ])
  t.match(health.stateOf('b'), { state: 'unhealthy', lastFailure: 'status 500' })
  t.match(health.stateOf('a'), { sinceMs: clock.now(), lastFailure: 'status 503' })
  t.equal(health.ejections(), 1)
  t.same(health.states(), { healthy: 1, unchecked: 0, ejected: 0, unhealthy: 1 })
})

t.test('checks may take any number of targets, and all of them are better than none', async (t) => {
  const { health } = create(['a', 'b', 'c'], {}, true)
  for (const target of ['a', 'b', 'c']) health.checked(target, true, '')
  health.checked('a', false, 'x')
  health.checked('b', false, 'x')
  t.same([health.candidates(), health.isPanicking()], [['c'], false])
  health.checked('c', false, 'x')
  t.same([health.candidates(), health.isPanicking()], [['a', 'b', 'c'], true])
  health.checked('b', true, '')
  t.same([health.candidates(), health.isPanicking()], [['b'], false])
})

t.test('who has not been checked yet gets requests only where nobody has passed', async (t) => {
  const { health } = create(['a', 'b'], {}, true)
  t.same([health.candidates(), health.isPanicking()], [['a', 'b'], false])
  health.checked('a', true, '')
  t.same(health.candidates(), ['a'])
  health.checked('a', false, 'x')
  t.same([health.candidates(), health.isPanicking()], [['b'], false])
  health.checked('b', true, '')
  health.replace(['a', 'b', 'c'])
  t.same(health.candidates(), ['b'])
  health.checked('c', true, '')
  t.same(health.candidates(), ['b', 'c'])
})

t.test('requests never take the last one that checks have left', async (t) => {
  const { health, fail } = create(['a', 'b', 'c', 'd'], {}, true)
  for (const target of ['a', 'b', 'c']) health.checked(target, false, 'x')
  health.checked('d', true, '')
  fail('d', 50)
  t.same([health.candidates(), health.isPanicking()], [['d'], false])
})

t.test(
  'what is unhealthy as well as ejected is unhealthy, and once fit still ejected',
  async (t) => {
    const { health, fail } = create(['a', 'b'], {}, true)
    for (const target of ['a', 'b']) health.checked(target, true, '')
    fail('a', 5)
    health.checked('a', false, 'x')
    t.equal(health.stateOf('a').state, 'unhealthy')
    health.checked('a', true, '')
    t.equal(health.stateOf('a').state, 'ejected')
  },
)
