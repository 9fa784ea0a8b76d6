// Any text comes through writing and loading as the same text.
import t from 'tap'
import { readSettings } from '../../src/config/read-settings.ts'
import { toYamlText } from '../../src/config/yaml-text.ts'
import { parseYamlSource } from '../../src/config/yaml-source.ts'
import { fc } from '../support/fuzz.ts'

const LOOKUPS = { env: () => 'substituted', file: () => 'substituted' }

function readBack(text: string) {
  return readSettings(parseYamlSource(text, 'c.yaml').document, LOOKUPS).value
}

t.test('any text reads back as itself', async () => {
  const unit = fc.constantFrom(
    '$',
    '{',
    '}',
    'A',
    ':',
    ' ',
    '#',
    '\n',
    '"',
    "'",
    '-',
    '1',
    '&',
    'é',
  )
  fc.assert(
    fc.property(fc.string({ unit, minLength: 1 }), (value) => {
      const read = readBack(toYamlText({ a: value, b: [value] })) as { a: string; b: string[] }
      return read.a === value && read.b[0] === value
    }),
  )
})

t.test('what block text would lose is kept', async (t) => {
  const values = [' \n', '\n', ' a\n b', 'a\n\n', '\ta\n', '  \n \n']
  t.strictSame(readBack(toYamlText({ values })), { values })
})

t.test('text that looks like another type stays text', async (t) => {
  const values = ['12', 'true', 'null', '0x1', '~', '', '[a]', '{a: b}', '*a', '!x', '1e3']
  t.strictSame(readBack(toYamlText({ values })), { values })
})

t.test('what is undefined is left out', async (t) => {
  t.equal(toYamlText({ a: 1, b: undefined, c: { d: undefined } }), 'a: 1\nc: {}\n')
})
