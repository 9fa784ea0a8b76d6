// Timers of any length: each runs once, when it is due, unless it is cancelled.
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { startTimer } from '../../src/base/timer.ts'

/** What one timer of the machine can wait. */
const LONGEST_MS = 2 ** 31 - 1
const DAY_MS = 86_400_000

t.test('a delay beyond what one timer can wait does not run at once', async (t) => {
  const warned: string[] = []
  const listen = ({ name }: Error) => warned.push(name)
  process.on('warning', listen)
  t.teardown(() => process.off('warning', listen))
  const ran: number[] = []
  const timers = [LONGEST_MS, LONGEST_MS + 1, 30 * DAY_MS, 366 * DAY_MS].map((delayMs) =>
    startTimer(delayMs, () => ran.push(delayMs)),
  )
  t.teardown(() => {
    for (const timer of timers) timer.cancel()
  })
  await wait(30)
  t.same(ran, [])
  t.same(warned, [])
})

t.test('a delay is as long in several steps as in one, and ends once', async (t) => {
  for (const longestMs of [7, 10, 100]) {
    const began = performance.now()
    let runs = 0
    // A timer of ours does not keep the process alive, so something else has to.
    const other = setInterval(() => {}, 1_000)
    await new Promise<void>((resolve) => {
      const run = () => {
        runs++
        resolve()
      }
      startTimer(50, run, longestMs)
    })
    clearInterval(other)
    // The machine's timers may be early by a part of a millisecond each.
    t.ok(performance.now() - began > 40, `steps of ${longestMs} ms`)
    await wait(20)
    t.equal(runs, 1)
  }
})

t.test('a timer that is cancelled never runs, in whichever step it is', async (t) => {
  for (const afterMs of [0, 15, 35]) {
    const timer = startTimer(50, () => t.fail('it ran'), 10)
    await wait(afterMs)
    timer.cancel()
  }
  await wait(80)
  t.pass('nothing ran')
})

t.test('nothing waits for a timer', async (t) => {
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const timers = [startTimer(1_000, () => {}), startTimer(1_000, () => {}, 10)]
  const after = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  for (const timer of timers) timer.cancel()
  t.equal(after, before)
})
