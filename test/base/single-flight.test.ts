// Work under way is shared; work that has ended is not.
import t from 'tap'
import { singleFlight } from '../../src/base/single-flight.ts'

t.test('callers during one flight get the same promise and the work runs once', async (t) => {
  let runs = 0
  const { promise, resolve } = Promise.withResolvers<string>()
  const fly = singleFlight(() => {
    runs++
    return promise
  })
  const first = fly()
  t.equal(fly(), first)
  resolve('landed')
  t.equal(await first, 'landed')
  t.equal(runs, 1)
})

t.test('a call after the end starts anew', async (t) => {
  let runs = 0
  const fly = singleFlight(async () => ++runs)
  t.equal(await fly(), 1)
  t.equal(await fly(), 2)
})

t.test('a call made as the result arrives starts anew', async (t) => {
  let runs = 0
  const fly = singleFlight(async () => ++runs)
  t.equal(await fly().then(() => fly()), 2)
})

t.test('a failure reaches every caller and is not kept', async (t) => {
  let runs = 0
  const fly = singleFlight(async () => {
    if (++runs === 1) throw new Error('no landing')
    return runs
  })
  const both = [fly(), fly()]
  await t.rejects(both[0]!, { message: 'no landing' })
  await t.rejects(both[1]!, { message: 'no landing' })
  t.equal(await fly(), 2)
})

t.test(
  'work that throws before its first await is a failure like any other, and is not kept',
  async (t) => {
    let runs = 0
    const fly = singleFlight((): Promise<number> => {
      if (++runs === 1) throw new Error('no take-off')
      return Promise.resolve(runs)
    })
    await t.rejects(fly(), { message: 'no take-off' })
    t.equal(await fly(), 2)
  },
)
