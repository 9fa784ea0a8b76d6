// A header line that is pasted whole is as good as the token in it.
import t from 'tap'
import { withoutScheme } from '../../src/cli/token-text.ts'

t.test('what stands before the token is left out', async (t) => {
  for (const before of [
    '',
    'Bearer ',
    'bearer  ',
    'Authorization: Bearer ',
    'authorization:Bearer ',
  ])
    t.equal(withoutScheme(`${before}a.b.c`), 'a.b.c', before)
  for (const other of ['Basic a', 'Bearera', 'a Bearer b']) t.equal(withoutScheme(other), other)
})
