// Hashes are small, alike for like text, and spread.
import t from 'tap'
import { copyText, hashText } from '../../src/base/text.ts'
import { fc } from '../support/fuzz.ts'

t.test('a copy is the same text', async () => {
  const latin1 = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)),
  })
  fc.assert(fc.property(latin1, (text) => copyText(text) === text))
})

t.test('a hash is a small integer that depends on the text from the place on alone', async () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, text) => {
      const hash = hashText(before + text, before.length)
      return hash === hashText(text) && Number.isInteger(hash) && hash >= 0 && hash < 2 ** 30
    }),
  )
})

t.test('texts that differ little share few places', async (t) => {
  const places = new Set<number>()
  for (let i = 0; i < 4096; i++) places.add(hashText(`x-header-${i}`) % 1024)
  t.ok(places.size > 900, `${places.size} of 1024`)
})
