// Targets that fail are left alone for a while, and never more than half of them.
import t from 'tap'
import { createEjections } from '../../src/upstream/ejection.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const SETTINGS = { failures: 5, timeMs: 10_000, maxTimeMs: 30_000 }

function create(targets: readonly string[], changes: Partial<typeof SETTINGS> = {}) {
  const clock = createFakeClock()
  const ejections = createEjections<string>({ ...SETTINGS, ...changes }, clock)
  ejections.replace(targets)
  const fail = (target: string, times: number) => {
    for (let i = 0; i < times; i++) ejections.failed(target)
  }
  return { clock, ejections, fail }
}

t.test('five failures in a row eject, four do not, nor five with a success between', async (t) => {
  const { ejections, fail } = create(['a', 'b'])
  fail('a', 4)
  t.same(ejections.candidates(), ['a', 'b'])
  ejections.succeeded('a')
  fail('a', 4)
  t.same(ejections.candidates(), ['a', 'b'])
  fail('a', 1)
  t.same(ejections.candidates(), ['b'])
})

t.test('it comes back after 10 s, then 20, then 30 and never more', async (t) => {
  const { clock, ejections, fail } = create(['a', 'b'])
  for (const ms of [10_000, 20_000, 30_000, 30_000]) {
    fail('a', 5)
    await clock.advance(ms - 1)
    t.same(ejections.candidates(), ['b'], `before ${ms}`)
    await clock.advance(1)
    t.same(ejections.candidates(), ['a', 'b'], `after ${ms}`)
  }
})

t.test('once it does well it begins at 10 s again', async (t) => {
  const { clock, ejections, fail } = create(['a', 'b'])
  fail('a', 5)
  ejections.succeeded('a')
  await clock.advance(10_000)
  fail('a', 5)
  await clock.advance(19_999)
  t.same(ejections.candidates(), ['b'], 'what began before its ejection says nothing')
  await clock.advance(1)
  ejections.succeeded('a')
  fail('a', 5)
  await clock.advance(10_000)
  t.same(ejections.candidates(), ['a', 'b'])
})

t.test('never more than half of them', async (t) => {
  const { clock, ejections, fail } = create(['a', 'b', 'c', 'd', 'e'])
  for (const target of ['a', 'b', 'c', 'd', 'e']) fail(target, 50)
  t.same(ejections.candidates(), ['c', 'd', 'e'])
  await clock.advance(10_000)
  fail('c', 1)
  t.same(ejections.candidates(), ['a', 'b', 'd', 'e'], 'the next one once there is room')
  const { ejections: alone, fail: failAlone } = create(['a'])
  failAlone('a', 50)
  t.same(alone.candidates(), ['a'])
})

t.test('0 is for never', async (t) => {
  const { ejections, fail } = create(['a', 'b'], { failures: 0 })
  fail('a', 1_000)
  t.same(ejections.candidates(), ['a', 'b'])
})

t.test('it holds no timer once it is stopped', async (t) => {
  const { clock, ejections, fail } = create(['a', 'b'])
  fail('a', 5)
  t.equal(clock.pending(), 1)
  ejections.stop()
  t.equal(clock.pending(), 0)
})

t.test('whoever stays keeps its health, and whoever comes begins with none', async (t) => {
  const { clock, ejections, fail } = create(['a', 'b', 'c', 'd'])
  fail('a', 5)
  fail('b', 4)
  ejections.replace(['e', 'b', 'a', 'c', 'd'])
  t.same(ejections.candidates(), ['e', 'b', 'c', 'd'])
  fail('e', 4)
  fail('b', 1)
  t.same(ejections.candidates(), ['e', 'c', 'd'])
  await clock.advance(10_000)
  t.same(ejections.candidates(), ['e', 'b', 'a', 'c', 'd'])
})

t.test('whoever is gone is passed over, holds no timer and comes back as new', async (t) => {
  const { clock, ejections, fail } = create(['a', 'b'])
  fail('a', 5)
  ejections.replace(['b', 'c'])
  t.equal(clock.pending(), 0)
  fail('a', 50)
  ejections.succeeded('a')
  t.same(ejections.candidates(), ['b', 'c'])
  ejections.replace(['a', 'b'])
  t.same(ejections.candidates(), ['a', 'b'])
  ejections.replace([])
  t.same(ejections.candidates(), [])
})

t.test('never more than half of those that are left when others go', async (t) => {
  const { clock, ejections, fail } = create(['a', 'b', 'c', 'd', 'e', 'f'])
  for (const target of ['a', 'b', 'c']) fail(target, 5)
  ejections.replace(['a', 'b', 'c', 'd'])
  t.same(ejections.candidates(), ['a', 'd'], 'the first one is asked again')
  t.equal(clock.pending(), 2)
  ejections.replace(['b', 'c'])
  t.same(ejections.candidates(), ['b'])
})
