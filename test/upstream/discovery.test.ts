// Targets are looked for again and again, and no failure takes one away.
import t, { type Test } from 'tap'
import { type Answer, createDiscovery, type DiscoveryEvent } from '../../src/upstream/discovery.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const answerOf = (...names: string[]): Answer => ({
  targets: names.map((target) => ({ target })),
  leftOut: [],
})

function start(t: Test, first: Answer | Error | 'never', refreshMs = 5_000) {
  const clock = createFakeClock()
  const found: string[][] = []
  const events: DiscoveryEvent[] = []
  let next = first
  let asked = 0
  let closed = 0
  const discovery = createDiscovery(
    {
      async ask(signal) {
        asked++
        if (next === 'never') {
          return new Promise((_, reject) =>
            signal.addEventListener('abort', () => reject(new Error('x'))),
          )
        }
        if (next instanceof Error) throw next
        return next
      },
      close: () => void closed++,
    },
    refreshMs,
    {
      clock,
      random: () => 0.999,
      found: (targets) => found.push(targets.map(({ target }) => target)),
      told: (event) => events.push(event),
    },
  )
  t.teardown(discovery.stop)
  const say = (answer: typeof next) => {
    next = answer
  }
  return { clock, discovery, found, events, say, asked: () => asked, closed: () => closed }
}

t.test('it looks at once, and says why there is nothing until then', async (t) => {
  const { clock, discovery, found, asked, events } = start(t, answerOf('a', 'b'))
  t.equal(asked(), 1)
  t.match(discovery.problem(), 'not asked yet')
  await clock.advance(0)
  t.same(found, [['a', 'b']])
  t.equal(discovery.problem(), undefined)
  t.same(events, [{ kind: 'found', targets: 2 }])
})

t.test(
  'the next look is when the answer ends, within the refresh time and five minutes',
  async (t) => {
    for (const [ttlMs, ms] of [
      [undefined, 5_000],
      [0, 5_000],
      [4_999, 5_000],
      [30_000, 30_000],
      [86_400_000, 300_000],
      [Infinity, 300_000],
    ] as const) {
      const { clock, asked } = start(t, { ...answerOf('a'), ttlMs })
      await clock.advance(0)
      await clock.advance(ms - 1)
      t.equal(asked(), 1, `${ttlMs}`)
      await clock.advance(1)
      t.equal(asked(), 2, `${ttlMs}`)
    }
  },
)

t.test('a failure, or an empty answer, takes no target away and is told once', async (t) => {
  for (const failure of [new Error('refused'), answerOf()]) {
    const { clock, found, events, say, discovery, asked } = start(t, answerOf('a'))
    await clock.advance(0)
    say(failure)
    await clock.advance(300_000)
    t.same(found, [['a']])
    t.ok(asked() > 60, `${asked()} looks: every five seconds at least`)
    t.ok(asked() < 80, `${asked()} looks`)
    const problem = failure instanceof Error ? 'refused' : 'the answer holds no target'
    t.equal(discovery.problem(), problem)
    say(answerOf('b'))
    await clock.advance(5_000)
    t.same(found.at(-1), ['b'])
    t.same(events, [
      { kind: 'found', targets: 1 },
      { kind: 'failing', problem },
      { kind: 'found', targets: 1 },
    ])
  }
})

t.test('what comes is taken, also where something could not be asked', async (t) => {
  const { clock, found, events } = start(t, { ...answerOf('a'), problem: 'no AAAA' })
  await clock.advance(0)
  t.same(found, [['a']])
  t.same(events, [{ kind: 'failing', problem: 'no AAAA' }])
})

t.test('what is left out is told once for as long as it is the same', async (t) => {
  const { clock, events, say } = start(t, { ...answerOf('a'), leftOut: ['x'] })
  await clock.advance(20_000)
  say({ ...answerOf('a'), leftOut: ['x', 'y'] })
  await clock.advance(20_000)
  t.same(
    events.filter(({ kind }) => kind === 'left out'),
    [
      { kind: 'left out', what: ['x'] },
      { kind: 'left out', what: ['x', 'y'] },
    ],
  )
})

t.test('an answer that does not come is given up after 15 s', async (t) => {
  const { clock, discovery, asked } = start(t, 'never')
  await clock.advance(14_999)
  t.match(discovery.problem(), 'not asked yet')
  await clock.advance(1)
  t.equal(discovery.problem(), 'no answer within 15000 ms')
  await clock.advance(500)
  t.equal(asked(), 2)
})

t.test('once it is stopped it asks no more, and an answer under way is not taken', async (t) => {
  const { clock, discovery, found, asked, closed } = start(t, answerOf('a'))
  discovery.stop()
  await clock.advance(60_000)
  t.same(found, [])
  t.equal(asked(), 1)
  t.equal(closed(), 1)
  t.equal(clock.pending(), 0)
})
