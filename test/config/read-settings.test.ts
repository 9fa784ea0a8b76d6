// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references look like that
// From nodes to values: substitution in scalars only, types as YAML would read them, aliases with an end.
import t from 'tap'
import { readSettings } from '../../src/config/read-settings.ts'
import { parseYamlSource } from '../../src/config/yaml-source.ts'

function read(text: string, variables: Readonly<Record<string, string>> = {}) {
  const source = parseYamlSource(text, 'c.yaml')
  return readSettings(source.document, {
    env: (name) => variables[name],
    file: () => ({ problem: 'no files here' }),
  })
}

t.test('an unquoted value is typed as YAML would read what it becomes', async (t) => {
  for (const [value, typed] of [
    ['12', 12],
    ['0x10', 16],
    ['-1.5', -1.5],
    ['true', true],
    ['False', false],
    ['null', null],
    ['', null],
    ['yes', 'yes'],
    ['5s', '5s'],
    ['12 ', '12 '],
    ['2026-01-01', '2026-01-01'],
  ] as const) {
    t.strictSame(read('a: ${V}\n', { V: value }).value, { a: typed }, JSON.stringify(value))
  }
})

t.test('a quoted or tagged value stays text', async (t) => {
  t.strictSame(read('a: "${V}"\nb: \'${V}\'\nc: !!str ${V}\nd: |\n  ${V}\n', { V: '12' }).value, {
    a: '12',
    b: '12',
    c: '12',
    d: '12\n',
  })
})

t.test('a value never becomes structure', async (t) => {
  for (const value of ['[1, 2]', '{a: 1}', 'x\nb: 2', '- a', '*anchor', '# comment', '"quoted"']) {
    t.strictSame(read('a: ${V}\n', { V: value }).value, { a: value }, value)
  }
})

t.test('keys are not substituted', async (t) => {
  t.strictSame(read('"${V}": 1\n', { V: 'x' }).value, { '${V}': 1 })
})

t.test('a reference that leads nowhere is found at its place and reads as missing', async (t) => {
  const { value, findings } = read('a:\n  - ${NO}\n  - 1\n')
  t.strictSame(value, { a: [undefined, 1] })
  t.match(findings, [{ path: ['a', 0], message: /NO is not set/ }])
})

t.test('what is printable holds references, never values', async (t) => {
  const { printable } = read('a: [x, "${V}"]\nb: ${V}\nc: $$${V}\n', { V: 'hunter2' })
  const text = JSON.stringify(printable)
  t.notMatch(text, /hunter2/)
  t.equal(text, '{"a":["x","${V}"],"b":"${V}","c":"$$${V}"}')
})

t.test('anchors and aliases share values', async (t) => {
  t.strictSame(read('a: &x\n  - 1\n  - ${V}\nb: *x\n', { V: '2' }).value, { a: [1, 2], b: [1, 2] })
})

function aliases(number: number) {
  return `a: &x 1\nb: [${Array.from({ length: number }, () => '*x').join(', ')}]\n`
}

t.test('a hundred aliases are followed and no more', async (t) => {
  t.strictSame(read(aliases(100)).findings, [])
  t.match(read(aliases(101)).findings, [{ message: /more than 100 aliases/ }])
})

t.test('aliases of aliases, and of themselves, come to an end', async (t) => {
  const bomb = ['a0: &a0 [x]']
  for (let level = 1; level <= 30; level++) {
    bomb.push(`a${level}: &a${level} [${`*a${level - 1},`.repeat(9)}]`)
  }
  t.equal(read(`${bomb.join('\n')}\n`).findings.length, 1)
  t.equal(read('a: &a [*a, *a]\n').findings.length, 1)
})

t.test('an alias of nothing is found', async (t) => {
  const { value, findings } = read('a: *nobody\n')
  t.strictSame(value, { a: undefined })
  t.match(findings, [{ path: ['a'], message: /no anchor/ }])
})

t.test('merge keys and __proto__ are refused', async (t) => {
  const { value, findings } = read('x: &x {a: 1}\ny:\n  <<: *x\n  b: 2\n__proto__: {z: 1}\n')
  t.match(findings, [
    { path: ['y', '<<'], message: /merge keys/ },
    { path: ['__proto__'], message: /cannot be used/ },
  ])
  t.strictSame(value, { x: { a: 1 }, y: { b: 2 } })
})

t.test('an empty document reads as nothing', async (t) => {
  t.equal(read('').value, null)
})
