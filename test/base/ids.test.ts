// Ids tell requests apart, also those of two processes.
import t from 'tap'
import { createIds } from '../../src/base/ids.ts'

t.test('no two are alike', async (t) => {
  const [one, other] = [createIds(), createIds()]
  const ids = Array.from({ length: 100 }, () => [one(), other()]).flat()
  t.equal(new Set(ids).size, ids.length)
  for (const id of ids) t.match(id, /^[0-9a-f]{12}-[0-9a-z]+$/)
})
