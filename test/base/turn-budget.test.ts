// So much in each turn and no more, in order, and only so many wait.
import t from 'tap'
import { createTurnBudget } from '../../src/base/turn-budget.ts'

const create = (perTurn: number, maxWaiting: number, perMs = 0, clock = { monotonic: () => 0 }) =>
  createTurnBudget({ perTurn, perMs, mostPerTurn: 20, maxWaiting }, clock)

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

t.test('a turn has its share, and the next one its own', async (t) => {
  const budget = create(2, 10)
  t.same([budget.take(), budget.take(), budget.take()], [true, true, false])
  await nextTurn()
  t.same([budget.take(), budget.take(), budget.take()], [true, true, false])
})

t.test(
  'what waits is done in order, so much in each turn, and before what comes later',
  async (t) => {
    const budget = create(2, 10)
    budget.take()
    budget.take()
    const done: number[] = []
    for (const i of [1, 2, 3, 4, 5]) void budget.wait()?.then(() => done.push(i))
    t.notOk(budget.take(), 'they go first')
    await nextTurn()
    t.same(done, [1, 2])
    t.notOk(budget.take(), 'this turn has had its share')
    await nextTurn()
    t.same(done, [1, 2, 3, 4])
    await nextTurn()
    t.same(done, [1, 2, 3, 4, 5])
    t.same([budget.take(), budget.take()], [true, false], 'what is left of the turn')
  },
)

t.test('only so many wait', async (t) => {
  const budget = create(1, 2)
  budget.take()
  t.ok(budget.wait())
  t.ok(budget.wait())
  t.equal(budget.wait(), undefined)
  await nextTurn()
  t.ok(budget.wait(), 'until one of them is gone')
})

t.test('behind a long turn more of what waits is done', async (t) => {
  let nowMs = 0
  const clock = { monotonic: () => nowMs }
  const budget = create(1, 10, 2, clock)
  budget.take()
  let done = 0
  for (let i = 0; i < 10; i++) void budget.wait()?.then(() => done++)
  nowMs += 3
  await nextTurn()
  t.equal(done, 6, 'two for each of three milliseconds')
  await nextTurn()
  t.equal(done, 7, 'and one behind a short one')
})

t.test('the work itself earns no more of it, and no turn has more than the most', async (t) => {
  let nowMs = 0
  const budget = create(1, 100, 2, { monotonic: () => nowMs })
  budget.take()
  let done = 0
  const work = () => {
    done++
    nowMs += 1
  }
  for (let i = 0; i < 60; i++) void budget.wait()?.then(work)
  nowMs += 3
  await nextTurn()
  t.equal(done, 6)
  await nextTurn()
  t.equal(done, 7, 'six milliseconds of it went by, and nothing else')
  nowMs += 1_000
  await nextTurn()
  t.equal(done, 27)
})
