// AWS's clock, learnt from its refusals: from what distance on, how far, and back again.
import t from 'tap'
import { createClockOffset } from '../../src/upstream/clock-offset.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const MINUTE_MS = 60_000
const YEAR_MS = 366 * 24 * 60 * MINUTE_MS

function start() {
  const clock = createFakeClock()
  const offset = createClockOffset(clock)
  return { clock, offset, at: (ms: number) => new Date(clock.now() + ms).toUTCString() }
}

t.test('a clock is another beyond four minutes, in both directions', async (t) => {
  for (const sign of [1, -1]) {
    const { offset, at } = start()
    t.equal(offset.ms(), 0)
    for (const ms of [0, MINUTE_MS, 4 * MINUTE_MS]) {
      t.equal(offset.correct(at(sign * ms)), false, `${sign * ms}`)
      t.equal(offset.ms(), 0)
    }
    const over = sign * (4 * MINUTE_MS + 1_000)
    t.equal(offset.correct(at(over)), true)
    t.equal(offset.ms(), over)
    t.equal(offset.correct(at(over)), false, 'known now: it is refused for something else')
    t.equal(offset.correct(at(over + sign * 4 * MINUTE_MS)), false)
    t.equal(offset.correct(at(over + sign * (4 * MINUTE_MS + 1_000))), true)
  }
})

t.test('it goes back once this clock is right again', async (t) => {
  const { clock, offset, at } = start()
  t.equal(offset.correct(at(10 * MINUTE_MS)), true)
  clock.stepWall(10 * MINUTE_MS)
  t.equal(offset.correct(at(0)), true)
  t.equal(offset.ms(), 0)
})

t.test('no date, a broken one or one of another year changes nothing', async (t) => {
  const { offset, at } = start()
  offset.correct(at(10 * MINUTE_MS))
  for (const date of [undefined, '', 'yesterday', 'Thu, 99 Nov 2026 12:00:00 GMT', 'NaN'])
    t.equal(offset.correct(date), false, String(date))
  for (const sign of [1, -1]) t.equal(offset.correct(at(sign * (YEAR_MS + 1_000))), false)
  t.equal(offset.ms(), 10 * MINUTE_MS)
  t.equal(offset.correct(at(YEAR_MS)), true)
  t.equal(offset.correct(at(-YEAR_MS)), true)
})
