// What is put off runs once, in order, when the turn ends and not before.
import t from 'tap'
import { createTurnEnd } from '../../src/base/turn-end.ts'

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

t.test('it runs at the end of the turn, in order, and once', async (t) => {
  const putOff = createTurnEnd()
  const ran: number[] = []
  for (const i of [1, 2, 3]) putOff({ run: () => void ran.push(i) })
  await Promise.resolve()
  t.same(ran, [], 'not before')
  await nextTurn()
  t.same(ran, [1, 2, 3])
  await nextTurn()
  t.equal(ran.length, 3)
})

t.test('what is put off meanwhile waits for the next turn', async (t) => {
  const putOff = createTurnEnd()
  const ran: string[] = []
  putOff({
    run: () => {
      ran.push('first')
      putOff({ run: () => void ran.push('second') })
    },
  })
  await nextTurn()
  t.same(ran, ['first'])
  await nextTurn()
  t.same(ran, ['first', 'second'])
})
