// Where everything in a YAML file stands, and what YAML itself is refused.
import t from 'tap'
import { parseYamlSource } from '../../src/config/yaml-source.ts'

const TEXT = `version: 1
routes:
  - name: a
    match: {path: /x, hosts: []}
    empty:
  - &second
    name: b
    deep:
      er: [1, two]
again: *second
`

function placeOf(path: readonly (string | number)[], part?: 'key') {
  const { line, column, snippet } = parseYamlSource(TEXT, 'c.yaml').toProblem({
    path,
    message: '',
    part,
  })
  const carets = snippet.split('\n')[1] ?? ''
  const text = (snippet.split('\n')[0] ?? '').slice(
    carets.indexOf('^'),
    carets.lastIndexOf('^') + 1,
  )
  return [line, column, text]
}

t.test('a value is pointed at where it stands', async (t) => {
  t.strictSame(placeOf(['version']), [1, 10, '1'])
  t.strictSame(placeOf(['routes', 0, 'match', 'path']), [4, 19, '/x'])
  t.strictSame(placeOf(['routes', 0, 'match', 'hosts']), [4, 30, '[]'])
  t.strictSame(placeOf(['routes', 1, 'deep', 'er', 1]), [9, 15, 'two'])
})

t.test('a key is pointed at where that is asked for', async (t) => {
  t.strictSame(placeOf(['routes', 0, 'match', 'hosts'], 'key'), [4, 23, 'hosts'])
})

t.test(
  'a block below its key, and a value that is nothing, are pointed at by the key',
  async (t) => {
    t.strictSame(placeOf(['routes', 1, 'deep']), [8, 5, 'deep'])
    t.strictSame(placeOf(['routes', 0, 'empty']), [5, 5, 'empty'])
  },
)

t.test("what is missing is pointed at by its nearest parent's key", async (t) => {
  t.strictSame(placeOf(['routes', 0, 'match', 'methods']), [4, 5, 'match'])
  t.strictSame(placeOf(['routes', 1, 'deep', 'x', 'y']), [8, 5, 'deep'])
  t.strictSame(placeOf(['routes', 0, 'access']), [3, 5, 'name'])
  t.strictSame(placeOf(['routes', 9]), [2, 1, 'routes'])
  t.strictSame(placeOf(['nothing']), [1, 1, 'version'])
})

t.test('an alias is pointed at itself, what is inside it where it was written', async (t) => {
  t.strictSame(placeOf(['again']), [10, 8, '*second'])
  t.strictSame(placeOf(['again', 'name']), [7, 11, 'b'])
})

function faultsOf(text: string) {
  const { problems, readable } = parseYamlSource(text, 'c.yaml')
  return {
    readable,
    faults: problems.map(({ line, column, message }) => `${line}:${column} ${message}`),
  }
}

t.test('broken YAML is located and ends the reading', async (t) => {
  for (const [text, fault] of [
    ['a: [1\nb: 2\n', /^\d:\d/],
    ['a: "x\n', /quote/],
    ['a: b: c\n', /^1:\d .*[Nn]ested/],
    ['a:\n\t- b\n', /^2:\d .*[Tt]ab/],
    ['a: 1\n---\nb: 2\n', /one YAML document/],
  ] as const) {
    const { readable, faults } = faultsOf(text)
    t.equal(readable, false, text)
    t.match(faults[0], fault, text)
  }
})

t.test('a reference inside brackets without quotes gets a hint', async (t) => {
  for (const text of [
    'ids: [$' + '{A}]\n',
    'ids: [a, $' + '{A}]\n',
    'tls: {cert: $' + '{A}, key: b}\n',
  ]) {
    const { readable, faults } = faultsOf(text)
    t.equal(readable, false, text)
    t.match(faults[0], /stands in quotes/, text)
  }
})

t.test(
  'duplicate keys, tags and keys that are no text are located and reading goes on',
  async (t) => {
    t.strictSame(faultsOf('a: 1\nb: 2\na: 3\n'), {
      readable: true,
      faults: ['3:1 this key was given before in the same mapping'],
    })
    t.strictSame(faultsOf('1: a\n"1": b\n').faults, [
      '2:1 this key was given before in the same mapping',
    ])
    for (const tag of ['!mine', '!!set', '!!binary', '!!js/function']) {
      t.match(faultsOf(`a: ${tag} {}\n`), { readable: true, faults: [/tags/] }, tag)
    }
    t.match(faultsOf('? [a]\n: b\n'), { readable: true, faults: [/plain text as a key/] })
  },
)

t.test('an old YAML version brings no old meanings', async (t) => {
  const { document } = parseYamlSource('%YAML 1.1\n---\na: yes\nb: 0o17\n', 'c.yaml')
  t.strictSame(document.toJS(), { a: 'yes', b: 15 })
})

t.test('an empty file has a place too', async (t) => {
  t.match(parseYamlSource('', 'c.yaml').toProblem({ path: ['version'], message: 'm' }), {
    file: 'c.yaml',
    line: 1,
    column: 1,
    path: 'version',
    message: 'm',
  })
})
