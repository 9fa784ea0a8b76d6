// What was matched is what is forwarded; only a token in the query stays behind.
import t from 'tap'
import type { Route } from '../../src/policy/decision.ts'
import { toUpstreamTarget } from '../../src/proxy/upstream-target.ts'

const target = { path: '/a%20b', query: '?b=1&t=x&%74=y&c', decodedPath: '/a b', plain: true }
const toTarget = (places: Route['places']) => toUpstreamTarget(target, { places } as Route)

t.test('the target is passed on as it was written', async (t) => {
  t.equal(toTarget(undefined), '/a%20b?b=1&t=x&%74=y&c')
  t.equal(toTarget({ cookie: 't' }), '/a%20b?b=1&t=x&%74=y&c')
  t.equal(toTarget({ query: 'T' }), '/a%20b?b=1&t=x&%74=y&c')
})

t.test('without the parameters that the route takes tokens from', async (t) => {
  t.equal(toTarget({ query: 't' }), '/a%20b?b=1&c')
})
