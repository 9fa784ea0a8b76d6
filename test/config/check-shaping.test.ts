// What a route may change in requests and answers, and what it may not.
import t from 'tap'
import { checkShaping } from '../../src/config/check-shaping.ts'
import { toPathText } from '../../src/config/problem.ts'

function check(route: Record<string, unknown>) {
  const findings = checkShaping(route, ['r'], ['X-Who'])
  return findings.map(({ path, message }) => `${toPathText(path)}: ${message}`)
}

const set = (name: string) => ({ set: { [name]: 'v' } })

t.test('a prefix is stripped only where the match begins with its segments', async (t) => {
  const strip = (path: string) => check({ match: { path }, rewrite: { stripPrefix: '/api' } })
  for (const path of ['/api', '/api/*', '/api/v1/*']) t.same(strip(path), [], path)
  for (const path of ['/apix', '/apix/*', '/*', '/v1/api/*', '/API/*'])
    t.match(strip(path), [/^r\.rewrite\.stripPrefix: can never be stripped/], path)
  t.same(check({ match: { path: '/*' }, rewrite: { addPrefix: '/v1' } }), [])
  t.match(check({ rewrite: {} }), [/change nothing/])
})

t.test('H-01 H-02: nobody says who calls in Poolgate’s place, by any spelling', async (t) => {
  for (const name of ['x-auth-subject', 'X.Auth.Sub', 'x-who', 'X.WHO', 'x-amzn-oidc-data']) {
    for (const key of ['requestHeaders', 'responseHeaders']) {
      t.match(check({ [key]: set(name) }), [/says who calls/], name)
      t.match(check({ [key]: { remove: [name] } }), [/says who calls/], name)
    }
  }
})

t.test('framing, the hop, the host and the way here are not for a route to change', async (t) => {
  const names = ['Connection', 'Content-Length', 'content.length', 'Transfer-Encoding', 'TE', 'Host',
    'X-Forwarded-For', 'x-forwarded-prefix', 'Forwarded', 'Via', 'X-Real-IP', 'x-request-id', 'X-Original-URL',
    'Expect', 'Sec-WebSocket-Key'] // prettier-ignore
  for (const name of names) {
    t.equal(check({ requestHeaders: set(name) }).length, 1, name)
    t.equal(check({ requestHeaders: { remove: [name] } }).length, 1, name)
  }
  t.match(check({ requestHeaders: set('host') }), [/host: client or upstream/])
  for (const name of ['Connection', 'content-length', 'transfer-encoding'])
    t.equal(check({ responseHeaders: set(name) }).length, 1, name)
  const both = { ...set('x-env'), remove: ['server', 'Cookie'] }
  t.same(check({ requestHeaders: both, responseHeaders: both }), [])
})

t.test('Authorization is set only where the caller’s own does not go on', async (t) => {
  t.match(check({ requestHeaders: set('Authorization') }), [/needs forwardToken: false/])
  t.same(check({ requestHeaders: set('Authorization'), forwardToken: false }), [])
  t.match(check({ requestHeaders: { remove: ['authorization'] } }), [/forwardToken: false/])
})

t.test('a name is named once, and something is named', async (t) => {
  t.match(check({ requestHeaders: { set: { 'x-a': '1', 'X.A': '2' } } }), [/X\.A.*twice/])
  t.match(check({ requestHeaders: { ...set('x-a'), remove: ['X-A'] } }), [
    /remove\[0\]: is named twice/,
  ])
  t.match(check({ requestHeaders: {} }), [/names no header/])
  t.match(check({ responseHeaders: { set: {} } }), [/names no header/])
  t.same(check({ requestHeaders: 'x', rewrite: 1 }), [], 'another shape is the schema’s to refuse')
})
