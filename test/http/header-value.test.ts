// Claim values as header values: printable, injective, whole (catalogue rows H-14 to H-16).
import t from 'tap'
import { encodeHeaderList, encodeHeaderValue } from '../../src/http/header-value.ts'
import { loadCorpus } from '../support/corpora.ts'
import { fc } from '../support/fuzz.ts'

const SAFE =
  /^([!-$&-+\--~]|%[0-9A-F]{2})?(([ -$&-+\--~]|%[0-9A-F]{2})*([!-$&-+\--~]|%[0-9A-F]{2}))?$/

t.test('visible ASCII and inner spaces stand as they are', async (t) => {
  for (const value of ['a', 'jane doe', 'a@b.c', '"x"; y=z', "it's (so)!*", ''])
    t.equal(encodeHeaderValue(value), value)
})

t.test('everything else is percent-encoded UTF-8', async (t) => {
  const cases = [[' a', '%20a'], ['a ', 'a%20'], [' ', '%20'], ['a  b', 'a  b'], ['a,b', 'a%2Cb'], ['100%', '100%25'], ['é', '%C3%A9'], ['😀', '%F0%9F%98%80'], ['\r\n', '%0D%0A'], ['\0', '%00'], ['\x7f', '%7F'], ['\t', '%09']] // prettier-ignore
  for (const [value, encoded] of cases) t.equal(encodeHeaderValue(value as string), encoded)
})

t.test('text with a lone surrogate has no UTF-8 and sends no header', async (t) => {
  t.equal(encodeHeaderValue('a\ud800'), undefined)
  t.equal(encodeHeaderList(['a', '\udc00b']), undefined)
})

t.test('lists are joined with commas that no member holds', async (t) => {
  t.equal(encodeHeaderList(['a', 'b,c', 'd%']), 'a,b%2Cc,d%25')
  t.equal(encodeHeaderList([]), undefined)
  t.equal(encodeHeaderList(['']), '')
  t.equal(encodeHeaderList(['', '']), ',')
})

t.test('H-15, H-16: decoding gives every value and list back', async (t) => {
  const text = fc.string({ unit: 'grapheme' })
  fc.assert(
    fc.property(text, (value) => {
      const encoded = encodeHeaderValue(value) ?? ''
      return decodeURIComponent(encoded) === value && SAFE.test(encoded)
    }),
  )
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), (values) => {
      const decoded = (encodeHeaderList(values) ?? '').split(',').map(decodeURIComponent)
      return JSON.stringify(decoded) === JSON.stringify(values)
    }),
  )
  t.pass('for every generated case')
})

t.test('naughty strings come back as they were', async (t) => {
  const corpus = loadCorpus<{ cases: string[] }>(t, 'naughty_strings')
  if (corpus === undefined) return
  let bad = 0
  for (const value of corpus.cases) {
    const encoded = encodeHeaderValue(value) ?? ''
    if (decodeURIComponent(encoded) !== value || !SAFE.test(encoded)) bad++
  }
  t.equal(bad, 0, `${corpus.cases.length} strings`)
})
