// Sizes: what is one, what is none, and that writing and reading agree.
import t from 'tap'
import { parseSize, toSize } from '../../src/config/size.ts'
import { fc } from '../support/fuzz.ts'

t.test('a size is a whole number with B, KiB, MiB or GiB', async (t) => {
  for (const [text, bytes] of [
    ['0B', 0],
    ['512B', 512],
    ['64KiB', 65_536],
    ['10MiB', 10_485_760],
    ['2GiB', 2_147_483_648],
  ] as const) {
    t.equal(parseSize(text), bytes, text)
  }
})

t.test('anything else is no size', async (t) => {
  const texts = ['', '5', '5 KiB', '5KB', '5kib', '5K', '-5B', '1.5MiB', 'KiB', '5KiB\n', '5TiB']
  for (const text of texts) t.equal(parseSize(text), undefined, JSON.stringify(text))
})

t.test('a size that numbers cannot hold exactly is none', async (t) => {
  t.equal(parseSize('8388607GiB'), 8_388_607 * 1024 ** 3)
  t.equal(parseSize('8388608GiB'), undefined)
})

t.test('what is written is read as the same number of bytes', async () => {
  fc.assert(
    fc.property(fc.nat(999_999_999), fc.constantFrom(1, 1024, 1024 ** 2), (number, unit) => {
      const bytes = number * unit
      return parseSize(toSize(bytes)) === bytes
    }),
  )
})
