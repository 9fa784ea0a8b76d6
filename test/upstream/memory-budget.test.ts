// What requests keep in memory together: bounded in all and for each caller, and given back once.
import t from 'tap'
import { createMemoryBudget } from '../../src/upstream/memory-budget.ts'

t.test('one caller gets an eighth, and all together no more than there is', async (t) => {
  const budget = createMemoryBudget(80)
  const one = budget.reserve('one')
  t.equal(one.take(11), false)
  t.equal(one.take(10), true)
  t.equal(budget.reserve('one').take(1), false, 'in another request too')
  for (let i = 0; i < 7; i++) t.equal(budget.reserve(`other-${i}`).take(10), true)
  t.equal(budget.reserve('last').take(1), false)
  one.release()
  one.release()
  t.equal(budget.reserve('last').take(10), true)
  t.equal(budget.reserve('one').take(1), false, 'what is given back twice is given back once')
})

t.test('what a caller has in several requests is given back one by one', async (t) => {
  const budget = createMemoryBudget(80)
  const [first, second] = [budget.reserve('one'), budget.reserve('one')]
  t.equal(first.take(4), true)
  t.equal(second.take(6), true)
  first.release()
  t.equal(budget.reserve('one').take(5), false)
  t.equal(budget.reserve('one').take(4), true)
})
