// Which of several targets a request goes to.
import t from 'tap'
import { hashText } from '../../src/base/text.ts'
import { type Balance, createBalancer } from '../../src/upstream/balancer.ts'
import { createSeeded } from '../support/seeded.ts'

interface Fake {
  readonly hash: number
  load: number
  active(): number
}

function createTargets(count: number): Fake[] {
  return Array.from({ length: count }, (_, n) => {
    const hash = hashText(`http://10.0.0.${n}:8080`)
    const target: Fake = { hash, load: 0, active: () => target.load }
    return target
  })
}

function create(balance: Balance, seed = 1) {
  const seeded = createSeeded(seed)
  return createBalancer<Fake>(balance, () => seeded.below(2 ** 30) / 2 ** 30)
}

t.test('of two taken by chance the less busy one is chosen', async (t) => {
  const choose = create('least-requests')
  const targets = createTargets(2)
  targets[0]!.load = 1
  for (let i = 0; i < 50; i++) t.equal(choose(targets, undefined), targets[1])
  targets[1]!.load = 2
  for (let i = 0; i < 50; i++) t.equal(choose(targets, undefined), targets[0])
})

t.test('targets that are equally busy all get some, and one alone gets all', async (t) => {
  const choose = create('least-requests')
  const targets = createTargets(10)
  const seen = new Set(Array.from({ length: 500 }, () => choose(targets, undefined)))
  t.equal(seen.size, 10)
  const [only] = targets
  t.equal(choose([only!], undefined), only)
})

t.test('requests that stay spread far more evenly than by chance', async (t) => {
  const choose = create('least-requests')
  const targets = createTargets(100)
  for (let i = 0; i < 10_000; i++) choose(targets, undefined).load++
  const loads = targets.map(({ load }) => load)
  t.ok(Math.max(...loads) <= 105, `at most ${Math.max(...loads)}`)
  t.ok(Math.min(...loads) >= 90, `at least ${Math.min(...loads)}`)
})

t.test('round robin takes each in turn, whatever it has to do', async (t) => {
  const choose = create('round-robin')
  const targets = createTargets(3)
  targets[1]!.load = 100
  const first = Array.from({ length: 3 }, () => choose(targets, undefined))
  t.equal(new Set(first).size, 3)
  t.same(
    Array.from({ length: 3 }, () => choose(targets, undefined)),
    first,
  )
})

t.test('a hash sends one key to one target, and keys to all of them alike', async (t) => {
  const choose = create('hash')
  const targets = createTargets(8)
  const counts = new Map<Fake, number>()
  for (let i = 0; i < 8_000; i++) {
    const chosen = choose(targets, `subject-${i}`)
    t.equal(choose(targets.toReversed(), `subject-${i}`), chosen)
    counts.set(chosen, (counts.get(chosen) ?? 0) + 1)
  }
  for (const count of counts.values()) t.ok(count > 850 && count < 1_150, String(count))
})

t.test('when a target goes only its own keys move', async (t) => {
  const choose = create('hash')
  const targets = createTargets(8)
  const [gone, ...rest] = targets
  for (let i = 0; i < 1_000; i++) {
    const before = choose(targets, `k${i}`)
    if (before !== gone) t.equal(choose(rest, `k${i}`), before)
  }
})

t.test('without a key a hash goes where there is less to do', async (t) => {
  const choose = create('hash')
  const targets = createTargets(2)
  targets[0]!.load = 1
  for (let i = 0; i < 20; i++) t.equal(choose(targets, undefined), targets[1])
})
