// Substitution: every form, its failures, and that text without references is left alone.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references look like that
import t from 'tap'
import { hasReference, type Lookups, substitute } from '../../src/config/substitute.ts'
import { fc } from '../support/fuzz.ts'

const VARIABLES: Readonly<Record<string, string>> = {
  A: 'one',
  EMPTY: '',
  NESTED: '${A}$$',
  _x1: 'y',
}
const LOOKUPS: Lookups = {
  env: (name) => VARIABLES[name],
  file: (path) =>
    path === '/secret' ? 'from file\n' : { problem: 'the file cannot be read (ENOENT)' },
}

t.test('every form is replaced', async (t) => {
  for (const [text, result] of [
    ['${A}', 'one'],
    ['${env:A}', 'one'],
    ['a${A}b${A}c', 'aonebonec'],
    ['${_x1}', 'y'],
    ['${EMPTY}', ''],
    ['${NO:-default}', 'default'],
    ['${NO:-}', ''],
    ['${EMPTY:-default}', 'default'],
    ['${env:NO:-a:-b}', 'a:-b'],
    ['${A:-default}', 'one'],
    ['${A:?must be set}', 'one'],
    ['${file:/secret}', 'from file'],
    ['$$', '$'],
    ['$${A}', '${A}'],
    ['$$${A}', '$one'],
    ['$$$$', '$$'],
  ] as const) {
    t.strictSame(substitute(text, LOOKUPS), { text: result }, text)
  }
})

t.test('what a reference stands for is not looked into again', async (t) => {
  t.strictSame(substitute('${NESTED}', LOOKUPS), { text: '${A}$$' })
})

t.test('a dollar sign that begins no reference stays', async (t) => {
  for (const text of ['$A', 'a$', '$', '$ {A}', '$(A)', '{A}']) {
    t.equal(hasReference(text), false, text)
    t.strictSame(substitute(text, LOOKUPS), { text }, text)
  }
})

t.test('what leads nowhere is a problem that names the reference', async (t) => {
  for (const [text, problem] of [
    ['${NO}', /variable NO is not set/],
    ['${NO:?ask the platform team}', /NO.* is not set: ask the platform team/],
    ['${EMPTY:?must be set}', /EMPTY.* is not set: must be set/],
    ['${}', /expected \$\{VAR\}/],
    ['${1A}', /expected \$\{VAR\}/],
    ['${A B}', /expected \$\{VAR\}/],
    ['${A:=b}', /expected \$\{VAR\}/],
    ['${A', /expected \}/],
    ['${file:/gone}', /cannot be read/],
    ['${file:relative}', /expected \$\{VAR\}/],
    ['${exec:id}', /expected \$\{VAR\}/],
  ] as const) {
    t.match(substitute(text, LOOKUPS), { problem }, text)
  }
})

t.test('one line end at the end of a file is cut off, no more', async (t) => {
  for (const [content, result] of [
    ['a', 'a'],
    ['a\n', 'a'],
    ['a\r\n', 'a'],
    ['a\n\n', 'a\n'],
    ['\na ', '\na '],
  ] as const) {
    t.strictSame(substitute('${file:/f}', { ...LOOKUPS, file: () => content }), { text: result })
  }
})

t.test('doubled dollar signs bring any text through unchanged', async () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':', '-', 'é') }), (text) => {
      const result = substitute(text.replaceAll('$', '$$$$'), LOOKUPS)
      return 'text' in result && result.text === text
    }),
  )
})

t.test('a problem never holds a value', async () => {
  const secret = 's3cr3t-value'
  const lookups: Lookups = {
    env: (name) => (name === 'A' ? secret : undefined),
    file: () => secret,
  }
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('${A}', '${B}', '${file:/f}', '${', '$$', 'x', '}')),
      (parts) => {
        const result = substitute(parts.join(''), lookups)
        return 'text' in result || !result.problem.includes(secret)
      },
    ),
  )
})
