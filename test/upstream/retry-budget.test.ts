// Second attempts are a share of all requests, and a few a second.
import t from 'tap'
import { createRetryBudget } from '../../src/upstream/retry-budget.ts'
import { createFakeClock } from '../support/fake-clock.ts'

function spendAll(budget: ReturnType<typeof createRetryBudget>): number {
  let spent = 0
  while (budget.spend()) spent++
  return spent
}

t.test('ten at once, and ten more each second', async (t) => {
  const clock = createFakeClock()
  const budget = createRetryBudget(clock)
  t.equal(spendAll(budget), 10)
  await clock.advance(99)
  t.equal(spendAll(budget), 0)
  await clock.advance(1)
  t.equal(spendAll(budget), 1)
  await clock.advance(1_000)
  t.equal(spendAll(budget), 10)
})

t.test('one for each five requests', async (t) => {
  const budget = createRetryBudget(createFakeClock())
  spendAll(budget)
  for (let i = 0; i < 51; i++) budget.earn()
  t.equal(spendAll(budget), 10)
})

t.test('no more than 100 are saved up', async (t) => {
  const clock = createFakeClock()
  const budget = createRetryBudget(clock)
  for (let i = 0; i < 10_000; i++) budget.earn()
  await clock.advance(60_000)
  t.equal(spendAll(budget), 100)
})
