// One form of each target, which means what the matched one meant and cannot be read in another way.
import t from 'tap'
import { encodeStrictly, toCanonicalTarget } from '../../src/aws/canonical-target.ts'
import { parseRequestTarget } from '../../src/http/request-target.ts'
import { fc } from '../support/fuzz.ts'

/** Every target that the gateway lets in, which is what is signed. */
const written = fc
  .array(
    fc.oneof(
      fc.constantFrom('/', '?', '&', '=', '+', '~', '!', '*', "'", '(', ';', ':', '@', '.', '%7E'),
      fc.constantFrom('%2f', '%2B', '%20', '%c3%A9', '%F0%9f%98%80', '%25', '%zz', '%', '%ff'),
      fc.string({ unit: 'grapheme-ascii', maxLength: 4 }),
    ),
    { maxLength: 20 },
  )
  .map((parts) => `/${parts.join('')}`)
  .filter((target) => !('reason' in parseRequestTarget(target, 'host')))

const pathOf = (target: string) => target.split('?', 1)[0] ?? ''

t.test('the decoded path is what was matched, and the form is one', async (t) => {
  fc.assert(
    fc.property(written, (target) => {
      const canonical = toCanonicalTarget(target)
      if (canonical === undefined) return target.includes('?')
      const { path, query, parameters } = canonical
      const again = toCanonicalTarget(path + query)
      return (
        decodeURIComponent(path) === decodeURIComponent(pathOf(target)) &&
        path.split('/').length === pathOf(target).split('/').length &&
        /^(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})*$/.test(path) &&
        /^(?:\?(?:[A-Za-z0-9\-._~=&]|%[0-9A-F]{2})+)?$/.test(query) &&
        JSON.stringify([again?.path, again?.query, again?.parameters]) ===
          JSON.stringify([path, query, parameters])
      )
    }),
    { numRuns: 5_000 },
  )
  t.pass('for everything that the gateway lets in')
})

t.test('parameters keep their names, values and order, and come back as they were', async (t) => {
  const text = fc
    .string({ unit: 'binary', maxLength: 8 })
    .filter((one) => one.isWellFormed() && one !== '__proto__')
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 6 }), (pairs) => {
      const query = pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')
      const canonical = toCanonicalTarget(`/a?${query}`)
      return JSON.stringify(canonical?.parameters) === JSON.stringify(pairs)
    }),
  )
  t.same(toCanonicalTarget('/a?b=2&a=1&b=1&c&=x&&d==')?.parameters, [
    ['b', '2'],
    ['a', '1'],
    ['b', '1'],
    ['c', ''],
    ['', 'x'],
    ['d', '='],
  ])
  t.equal(toCanonicalTarget('/a?b=2&a=1&b=1&c&=x&&d==')?.query, '?b=2&a=1&b=1&c=&=x&d=%3D')
})

t.test('characters, one by one', async (t) => {
  for (const [target, path, query] of [
    ['/', '/', ''],
    ['/?', '/', ''],
    ['/?&&', '/', ''],
    ['/a-b._~c', '/a-b._~c', ''],
    ["/!*'();:@&=+$,[]", '/%21%2A%27%28%29%3B%3A%40%26%3D%2B%24%2C%5B%5D', ''],
    ['/%7e%41%2d', '/~A-', ''],
    ['/%c3%a9%2b%25', '/%C3%A9%2B%25', ''],
    ['/a?x=a+b%20c%2Bd', '/a', '?x=a%20b%20c%2Bd'],
    ['/a?x=/?:@', '/a', '?x=%2F%3F%3A%40'],
  ] as const)
    t.match(toCanonicalTarget(target), { path, query }, target)
  t.equal(encodeStrictly("!'()*~"), '%21%27%28%29%2A~')
})

t.test('what cannot be read in one way has no form', async (t) => {
  for (const query of ['%', '%z0', 'a=%ff', 'a=%c3', '%ed%a0%80=1', '__proto__=1', '__proto_%5f'])
    t.equal(toCanonicalTarget(`/a?${query}`), undefined, query)
  for (const query of ['proto=1', 'a=__proto__', 'constructor=1', 'toString'])
    t.not(toCanonicalTarget(`/a?${query}`), undefined, query)
})
