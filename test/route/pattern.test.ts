// What a route may be written as, and which hosts it is for.
import t from 'tap'
import { matchesHost, parseHostPattern, parsePathPattern } from '../../src/route/pattern.ts'

t.test('a path is exact, or a prefix that ends in /*', async (t) => {
  t.same(parsePathPattern('/a/b'), { prefix: false, segments: ['a', 'b'] })
  t.same(parsePathPattern('/a/b/'), { prefix: false, segments: ['a', 'b', ''] })
  t.same(parsePathPattern('/'), { prefix: false, segments: [''] })
  t.same(parsePathPattern('/*'), { prefix: true, segments: [] })
  t.same(parsePathPattern('/a/*'), { prefix: true, segments: ['a'] })
  t.same(parsePathPattern('/caf%C3%A9/%2A'), { prefix: false, segments: ['café', '*'] })
  t.same(parsePathPattern('/café'), { prefix: false, segments: ['café'] })
  t.same(parsePathPattern('/a;v=1'), { prefix: false, segments: ['a;v=1'] })
})

t.test('a path that no request could have is a problem', async (t) => {
  const bad = [
    '', 'a', '*', '/a*', '/*/b', '/a/*/', '/a**', '/a/b*', '/a//b', '//', '//*', '/../a', '/a/..', '/./*', '/%2e%2e/a', '/a%2fb', '/a%5cb',
    '/a\\b', '/a?b', '/a#b', '/a b', '/%', '/%ff', '/%00', '/\u0001', '/a/..;x',
  ] // prettier-ignore
  for (const text of bad) t.match(parsePathPattern(text), { problem: /./ }, JSON.stringify(text))
})

t.test('hosts are compared without case and last dot; a star stands for one label', async (t) => {
  const cases: [string, string, boolean][] = [
    ['Api.Example.com.', 'api.example.com', true],
    ['api.example.com', 'xapi.example.com', false],
    ['*.example.com', 'a.example.com', true],
    ['*.Example.com.', 'a.example.com', true],
    ['*.example.com', 'a.b.example.com', false],
    ['*.example.com', 'example.com', false],
    ['*.example.com', '.example.com', false],
    ['*.example.com', 'aexample.com', false],
    ['*.example.com', 'a.example.com.evil', false],
  ]
  for (const [pattern, host, matches] of cases) {
    t.equal(matchesHost(parseHostPattern(pattern), host), matches, `${pattern} ${host}`)
  }
})
