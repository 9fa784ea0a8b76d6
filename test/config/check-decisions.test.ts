// What only answers decisions needs someone who may ask, and no setting of what is forwarded.
import t from 'tap'
import { checkDecisionRoute, checkDecisions } from '../../src/config/check-decisions.ts'
import { toPathText } from '../../src/config/problem.ts'

const told = (findings: ReturnType<typeof checkDecisions>) =>
  findings.map(({ path, message }) => `${toPathText(path)}: ${message}`)

t.test('F-01: without trusted proxies nobody could ever ask', async (t) => {
  const routes = [{ upstream: 'up' }, { upstream: 'none' }]
  t.match(told(checkDecisions({ routes })), [/^routes\[1\]\.upstream: needs trustedProxies/])
  t.match(told(checkDecisions({ extAuthz: '127.0.0.1:1' })), [/^extAuthz: needs trustedProxies/])
  t.same(checkDecisions({ routes, extAuthz: '127.0.0.1:1', trustedProxies: ['10.0.0.1'] }), [])
  t.same(checkDecisions({ routes: [{ upstream: 'up' }], extAuthz: 'none' }), [])
  t.same(checkDecisions({ routes: 'x' }), [], 'another shape is the schema’s to refuse')
})

t.test('unix stands for peers of a listener that is a unix socket', async (t) => {
  const trustedProxies = ['10.0.0.1', 'unix']
  t.match(told(checkDecisions({ trustedProxies })), [/^trustedProxies\[1\]: .*neither listen nor/])
  t.same(checkDecisions({ trustedProxies, listen: 'unix:/a' }), [])
  t.same(checkDecisions({ trustedProxies, listen: { address: 'unix:/a' } }), [])
  t.same(checkDecisions({ trustedProxies, extAuthz: 'unix:/a' }), [])
  const others = { trustedProxies: ['10.0.0.1'], routes: [{ upstream: 'none' }] }
  t.match(told(checkDecisions({ ...others, listen: 'unix:/a' })), [/^trustedProxies: .*add unix/])
  t.match(told(checkDecisions({ ...others, extAuthz: 'unix:/a' })), [/^trustedProxies: .*add unix/])
  t.same(checkDecisions(others), [])
})

t.test('no upstream is called none', async (t) => {
  t.match(told(checkDecisions({ upstreams: { none: {} } })), [/^upstreams\.none: /])
  t.same(checkDecisions({ upstreams: { one: {} } }), [])
})

t.test('a route for decisions alone has nothing of forwarding', async (t) => {
  const route = {
    upstream: 'none',
    rewrite: {},
    maxBody: '1KiB',
    forwardToken: false,
    access: 'public',
  }
  t.match(told(checkDecisionRoute(route, ['r'])), [/^r\.maxBody: does nothing/, /^r\.rewrite: /])
  t.same(checkDecisionRoute({ ...route, upstream: 'up' }, ['r']), [])
  const credentials = { upstream: 'none', credentials: { cookie: 'a', query: 't' } }
  t.match(told(checkDecisionRoute(credentials, ['r'])), [/^r\.credentials\.query: .*logged/])
})
