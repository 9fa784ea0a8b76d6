// What is taken out of a cookie line, a query and a list of subprotocols, and what is left: byte for byte what was there.
import t from 'tap'
import {
  decodeParameter,
  takeCookie,
  takeParameter,
  takeProtocol,
} from '../../src/token/credential-places.ts'

t.test('a cookie is found by its exact name, and the others stay as they are', async (t) => {
  const cases: [string, string[], string][] = [
    ['token=abc', ['abc'], ''],
    ['a=1; token=abc; b="x y"', ['abc'], 'a=1; b="x y"'],
    ['token=abc;b=2 ;  c', ['abc'], 'b=2 ;  c'],
    ['a=1;token = abc ', ['abc'], 'a=1'],
    ['a=1; token=x; token=y', ['x', 'y'], 'a=1'],
    ['token=a=b==', ['a=b=='], ''],
    ['token=', [''], ''],
    [
      'Token=abc; tokens=1; xtoken=2; token; =token',
      [],
      'Token=abc; tokens=1; xtoken=2; token; =token',
    ],
    ['a=token=1', [], 'a=token=1'],
    ['', [], ''],
  ]
  for (const [field, values, rest] of cases) {
    t.same(takeCookie(field, 'token'), { values, rest }, field)
  }
})

t.test('a parameter is found however its name is encoded, and taken out as written', async (t) => {
  const cases: [string, string[], string][] = [
    ['?t=abc', ['abc'], ''],
    ['?a=1&t=abc&b=%20', ['abc'], '?a=1&b=%20'],
    ['?%74=abc&a', ['abc'], '?a'],
    ['?a=1&t', [''], '?a=1'],
    ['?t=1&&t=2', ['1', '2'], ''],
    ['?a=1&&b=2', [], '?a=1&&b=2'],
    ['?T=1&tt=2&%7=3&a=t=4', [], '?T=1&tt=2&%7=3&a=t=4'],
    ['?a=1&&t=2&&', ['2'], '?a=1&&&'],
    ['?', [], '?'],
    ['', [], ''],
  ]
  for (const [query, values, rest] of cases) {
    t.same(takeParameter(query, 't'), { values, rest }, query)
  }
})

t.test('a bearer subprotocol is taken out of the list, the others stay', async (t) => {
  const cases: [string, string[], string][] = [
    ['bearer.a.b.c', ['a.b.c'], ''],
    ['chat, bearer.a.b.c', ['a.b.c'], 'chat'],
    ['bearer.x,chat ,soap', ['x'], 'chat ,soap'],
    ['bearer.x, bearer.y', ['x', 'y'], ''],
    ['Bearer.x, bearer, xbearer.y', [], 'Bearer.x, bearer, xbearer.y'],
    ['bearer.', [''], ''],
  ]
  for (const [field, values, rest] of cases) t.same(takeProtocol(field), { values, rest }, field)
})

t.test('a parameter is decoded once; what cannot be decoded is nothing', async (t) => {
  t.equal(decodeParameter('a.b-c_d'), 'a.b-c_d')
  t.equal(decodeParameter('a%2Eb+c'), 'a.b c')
  t.equal(decodeParameter('%252E'), '%2E')
  t.equal(decodeParameter('%zz'), undefined)
  t.equal(decodeParameter('%ff'), undefined)
})
