// Items come and go in any order; the list keeps the order in which they came, and they keep nothing of the list.
import t from 'tap'
import { createLinkedList, type Linked } from '../../src/base/linked-list.ts'
import { fc } from '../support/fuzz.ts'

class Item implements Linked<Item> {
  before: Item | undefined
  after: Item | undefined
}

t.test('it holds what a Set would hold, in the same order', async () => {
  const step = fc.record({ isRemoval: fc.boolean(), place: fc.nat(20) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const list = createLinkedList<Item>()
      const model = new Set<Item>()
      for (const { isRemoval, place } of steps) {
        const present = [...model]
        const item = isRemoval ? (present[place % present.length] ?? new Item()) : new Item()
        if (isRemoval) {
          list.remove(item)
          model.delete(item)
          if (item.before !== undefined || item.after !== undefined) return false
        } else {
          list.add(item)
          model.add(item)
        }
      }
      const [items, expected] = [[...list], [...model]]
      return list.size === model.size && items.every((item, i) => item === expected[i])
    }),
  )
})
