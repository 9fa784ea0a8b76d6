// What was matched is what is forwarded; only a token in the query stays behind, and a prefix is exchanged where the route says so.
import t from 'tap'
import { parseRequestTarget, type RequestTarget } from '../../src/http/request-target.ts'
import type { Route } from '../../src/policy/decision.ts'
import { toUpstreamTarget } from '../../src/proxy/upstream-target.ts'

const target = { path: '/a%20b', query: '?b=1&t=x&%74=y&c', decodedPath: '/a b', plain: true }
const toTarget = (places: Route['places']) => toUpstreamTarget(target, { places } as Route)

function rewrite(raw: string, strip: number, add: string, places?: Route['places']) {
  const parsed = parseRequestTarget(raw, 'a') as RequestTarget
  return toUpstreamTarget(parsed, { rewrite: { strip, add }, places } as Route)
}

t.test('the target is passed on as it was written', async (t) => {
  t.equal(toTarget(undefined), '/a%20b?b=1&t=x&%74=y&c')
  t.equal(toTarget({ cookie: 't' }), '/a%20b?b=1&t=x&%74=y&c')
  t.equal(toTarget({ query: 'T' }), '/a%20b?b=1&t=x&%74=y&c')
})

t.test('without the parameters that the route takes tokens from', async (t) => {
  t.equal(toTarget({ query: 't' }), '/a%20b?b=1&c')
  t.equal(rewrite('/api/x?t=1&u=2', 1, '', { query: 't' }), '/x?u=2')
})

t.test(
  'a prefix goes in whole segments, however it is written, and the rest stays as written',
  async (t) => {
    t.equal(rewrite('/api/x', 1, ''), '/x')
    t.equal(rewrite('/%61pi/X%41;v=1/?q=/api', 1, '/v1'), '/v1/X%41;v=1/?q=/api')
    t.equal(rewrite('/a/b/c', 2, ''), '/c')
    t.equal(rewrite('/x', 0, '/v1'), '/v1/x')
  },
)

t.test('the prefix alone leaves the root, or what is added', async (t) => {
  t.equal(rewrite('/api', 1, ''), '/')
  t.equal(rewrite('/api/', 1, ''), '/')
  t.equal(rewrite('/api?x', 1, ''), '/?x')
  t.equal(rewrite('/api', 1, '/v1'), '/v1')
  t.equal(rewrite('/api/', 1, '/v1'), '/v1/')
})

t.test('what would be refused of a client is not made here either', async (t) => {
  const loose = { path: '/api/%252e%252e/x', query: '', decodedPath: '', plain: false }
  const empty = { path: '/api//x', query: '', decodedPath: '', plain: false }
  for (const unsound of [loose, empty]) {
    const result = toUpstreamTarget(unsound, { rewrite: { strip: 1, add: '' } } as Route)
    t.match(result, { refused: true, reason: 'target_ambiguous' })
  }
})
