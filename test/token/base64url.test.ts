// One byte string, one text: everything but the canonical spelling is refused.
import t from 'tap'
import { parseBase64url } from '../../src/token/base64url.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

t.test('the canonical text of any bytes gives those bytes', async (t) => {
  for (const length of [0, 1, 2, 3, 4, 255, 256]) {
    const bytes = Buffer.alloc(length, 0xfb)
    t.same(parseBase64url(bytes.toString('base64url')), bytes)
  }
})

t.test('padding, the other alphabet, white space and other characters are refused', async (t) => {
  const extra = ['=', '+', '/', ' ', '\t', '\r', '\n', '\0', '\u00a0', '!', '%', '.', 'é', '\ud83d']
  for (const character of extra) {
    for (const text of [`${character}Zm9v`, `Zm${character}9v`, `Zm9v${character}`]) {
      t.equal(parseBase64url(text), undefined, JSON.stringify(text))
    }
  }
  t.equal(parseBase64url('Zg=='), undefined)
})

t.test('a length of one more than a multiple of four is refused', async (t) => {
  for (const text of ['Z', 'Zm9vZ', 'A'.repeat(1001)]) t.equal(parseBase64url(text), undefined)
})

t.test('of all last characters only those without stray bits are accepted', async (t) => {
  const two = [...ALPHABET].filter((last) => parseBase64url(`Z${last}`))
  const three = [...ALPHABET].filter((last) => parseBase64url(`Zm${last}`))
  t.equal(two.join(''), 'AQgw')
  t.equal(three.join(''), 'AEIMQUYcgkosw048')
})

t.test(
  'every other UTF-16 unit is refused wherever it stands, also where its low byte is a letter',
  async (t) => {
    const accepted: string[] = []
    for (let unit = 0; unit <= 0xffff; unit++) {
      const character = String.fromCharCode(unit)
      if (ALPHABET.includes(character)) continue
      for (const [before, after] of [
        ['', ''],
        ['', 'A'],
        ['', 'AAA'],
        ['AA', 'A'],
        ['AAA', ''],
        ['AAAA', 'AA'],
      ]) {
        if (parseBase64url(`${before}${character}${after}`)) accepted.push(unit.toString(16))
      }
    }
    t.same(accepted, [])
  },
)

t.test(
  'random texts are accepted exactly where writing their bytes again gives them back',
  async (t) => {
    const odd = ['+', '/', '=', '\n', ' ', '\0', '\u0141', '\u00c1', '\ud83d']
    const pick = (from: readonly string[]) => from[Math.floor(Math.random() * from.length)] ?? ''
    const letters = [...ALPHABET]
    for (let i = 0; i < 100_000; i++) {
      const length = Math.floor(Math.random() * 12)
      const text = Array.from({ length }, () => pick(Math.random() < 0.03 ? odd : letters)).join('')
      const bytes = Buffer.from(text, 'base64url')
      const expected = bytes.toString('base64url') === text ? bytes : undefined
      const actual = parseBase64url(text)
      if (actual?.toString('hex') !== expected?.toString('hex')) t.fail(JSON.stringify(text))
    }
  },
)
