// So much in each turn and no more, in order, and only so many wait.
import t from 'tap'
import { createTurnBudget } from '../../src/base/turn-budget.ts'

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

t.test('a turn has its share, and the next one its own', async (t) => {
  const budget = createTurnBudget(2, 10)
  t.same([budget.take(), budget.take(), budget.take()], [true, true, false])
  await nextTurn()
  t.same([budget.take(), budget.take(), budget.take()], [true, true, false])
})

t.test(
  'what waits is done in order, so much in each turn, and before what comes later',
  async (t) => {
    const budget = createTurnBudget(2, 10)
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
  const budget = createTurnBudget(1, 2)
  budget.take()
  t.ok(budget.wait())
  t.ok(budget.wait())
  t.equal(budget.wait(), undefined)
  await nextTurn()
  t.ok(budget.wait(), 'until one of them is gone')
})
