// Looking into settings of any shape never throws and finds only what is there.
import t from 'tap'
import { asList, asMapping, asText, asTexts } from '../../src/config/loose.ts'

t.test('what has another shape reads as empty', async (t) => {
  for (const value of [undefined, null, 1, true]) {
    t.strictSame([asMapping(value), asList(value), asTexts(value)], [{}, [], []], String(value))
    t.equal(asText(value), undefined)
  }
  t.strictSame([asMapping(['a']), asList({ a: 1 }), asMapping('a')], [{}, [], {}])
})

t.test('what has the shape is handed through', async (t) => {
  t.strictSame([asMapping({ a: 1 }), asList([1]), asText('a')], [{ a: 1 }, [1], 'a'])
  t.strictSame([asTexts('a'), asTexts(['a', 1, 'b'])], [['a'], ['a', 'b']])
})
