// What counts as one JSON object, and what is refused that JSON.parse would let through.
import t from 'tap'
import { parseJsonObject } from '../../src/token/strict-json.ts'

const parse = (text: string) => parseJsonObject(Buffer.from(text))
const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`

t.test('an object is read with all its members', async (t) => {
  t.same(parse('{}'), {})
  t.same(parse(' {"a" : [1, {"b": "x"}], "c": null}\n'), { a: [1, { b: 'x' }], c: null })
  t.same(parse('{"é😀":"\\ud83d\\ude00"}'), { 'é😀': '😀' })
})

t.test('any other JSON value is refused', async (t) => {
  for (const text of ['[]', '"a"', '1', 'true', 'null', '']) t.equal(parse(text), undefined, text)
})

t.test('what is not JSON is refused', async (t) => {
  const texts = [
    '{',
    '{"a":1,}',
    '{"a":1}{}',
    '{"a":NaN}',
    "{'a':1}",
    '{"a":1}//',
    '{a:1}',
    '\ufeff{}',
  ]
  for (const text of texts) t.equal(parse(text), undefined, text)
})

t.test('bytes that are not UTF-8 are refused', async (t) => {
  t.equal(parseJsonObject(Buffer.from('{"a":"\xff"}', 'latin1')), undefined)
  t.equal(parseJsonObject(Buffer.from('{"a":1}', 'utf16le')), undefined)
  t.equal(parseJsonObject(Buffer.from('7b2261223a22eda080227d', 'hex')), undefined)
})

t.test(
  'half a surrogate pair is refused in a value and in a name, a whole pair is fine',
  async (t) => {
    t.equal(parse('{"a":"\\ud83d"}'), undefined)
    t.equal(parse('{"a":["\\ude00"]}'), undefined)
    t.equal(parse('{"\\ud83d":1}'), undefined)
    t.ok(parse('{"\\ud83d\\ude00":"\\ud83d\\ude00"}'))
  },
)

t.test('a member name that comes twice is refused at any level and in any spelling', async (t) => {
  const texts = [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"a":{"x":1},"a":2}',
    '{"o":{"a":1,"b":2,"a":3}}',
    '{"l":[{"a":1},{"a":1,"a":2}]}',
    '{"cognito:groups":[],"cognito\\u003agroups":["admins"]}',
    '{"__proto__":1,"__proto__":2}',
  ]
  for (const text of texts) t.equal(parse(text), undefined, text)
})

t.test('colons, quotes and backslashes inside strings are not taken for members', async (t) => {
  const texts = [
    { 'a:b': 'c:d' },
    { a: '":"' },
    { a: '\\' },
    { a: '\\\\":' },
    { 'x\\"': ':', y: '\\":{' },
    { a: ['::', ':'], b: { c: '"' } },
  ]
  for (const value of texts) t.same(parse(JSON.stringify(value)), value, JSON.stringify(value))
})

t.test('the same name in different objects is no duplicate', async (t) => {
  t.same(parse('{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}'), {
    a: { a: { a: 1 } },
    b: [{ a: 1 }, { a: 2 }],
  })
})

t.test('64 levels are read and 65 are refused', async (t) => {
  t.ok(parse(nested(64)))
  t.equal(parse(nested(65)), undefined)
  t.ok(parse(`{"a":${'['.repeat(63)}${']'.repeat(63)}}`))
  t.equal(parse(`{"a":${'['.repeat(64)}${']'.repeat(64)}}`), undefined)
})

t.test('a member called __proto__ is an ordinary member and changes no prototype', async (t) => {
  const value = parse('{"__proto__":{"admin":true}}')
  t.ok(value)
  t.equal(value?.admin, undefined)
  t.equal(Object.getPrototypeOf(value), Object.prototype)
  t.equal(({} as Record<string, unknown>).admin, undefined)
})

t.test('the object and everything in it is frozen', async (t) => {
  const value = parse('{"groups":["a"],"o":{"p":{}}}') as { groups: string[]; o: { p: object } }
  for (const part of [value, value.groups, value.o, value.o.p]) t.ok(Object.isFrozen(part))
  t.throws(() => value.groups.push('admins'))
})
