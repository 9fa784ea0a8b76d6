// When a stream's token has expired, by a wall clock that may step.
import t from 'tap'
import { startTokenExpiry } from '../../src/proxy/token-expiry.ts'
import { createFakeClock } from '../support/fake-clock.ts'

function start(inMs: number) {
  const clock = createFakeClock()
  const state = { runs: 0 }
  const timer = startTokenExpiry(clock.now() + inMs, clock, () => void state.runs++)
  return { clock, state, timer }
}

t.test('it tells once, at the very millisecond', async (t) => {
  const { clock, state } = start(3_600_000)
  await clock.advance(3_599_999)
  t.equal(state.runs, 0)
  await clock.advance(1)
  t.equal(state.runs, 1)
  await clock.advance(3_600_000)
  t.equal(state.runs, 1)
  t.equal(clock.pending(), 0)
})

t.test('what has expired already is told at once', async (t) => {
  const { clock, state } = start(-1)
  await clock.advance(0)
  t.equal(state.runs, 1)
})

t.test(
  'a clock that steps back is waited for, one that steps ahead is noticed in a minute',
  async (t) => {
    const back = start(10_000)
    back.clock.stepWall(-5_000)
    await back.clock.advance(10_000)
    t.equal(back.state.runs, 0)
    await back.clock.advance(5_000)
    t.equal(back.state.runs, 1)
    const ahead = start(3_600_000)
    ahead.clock.stepWall(3_600_000)
    await ahead.clock.advance(60_000)
    t.equal(ahead.state.runs, 1)
  },
)

t.test('cancelled it leaves nothing behind, also after it has waited more than once', async (t) => {
  const { clock, state, timer } = start(180_000)
  await clock.advance(70_000)
  timer.cancel()
  t.equal(clock.pending(), 0)
  await clock.advance(180_000)
  t.equal(state.runs, 0)
})

t.test('ten thousand that end before their tokens leave nothing behind', async (t) => {
  const clock = createFakeClock()
  const timers = Array.from({ length: 10_000 }, (_, i) =>
    startTokenExpiry(clock.now() + 1_000 + i, clock, () => t.fail('it was cancelled')),
  )
  for (const timer of timers) timer.cancel()
  t.equal(clock.pending(), 0)
  await clock.advance(20_000)
})

t.test('no single wait is longer than a minute, however far the expiry', async (t) => {
  const waits: number[] = []
  const clock = {
    now: () => 0,
    after(delayMs: number) {
      waits.push(delayMs)
      return { cancel: () => undefined }
    },
  }
  startTokenExpiry(2 ** 40, clock, () => undefined)
  t.same(waits, [60_000])
})
