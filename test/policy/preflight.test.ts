// Preflights: which requests are one, which route answers, and that every reading of the path has to agree.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { parseHost } from '../../src/http/host.ts'
import type { RequestFacts } from '../../src/http/request-facts.ts'
import { parseRequestTarget, type RequestTarget } from '../../src/http/request-target.ts'
import { compileRules } from '../../src/policy/compile-rules.ts'
import { decidePreflight } from '../../src/policy/preflight.ts'

const CORS = 'cors: {origins: [https://app.example]'
const { config } = loadConfig(
  `version: 1
userPools: {main: {userPoolId: eu-west-1_Main00001, clientIds: [c]}}
upstreams: {up: {targets: ['http://127.0.0.1:1']}}
routes:
  - {name: read, match: {path: /a/*, methods: [GET]}, access: public, upstream: up, ${CORS}}}
  - {name: write, match: {path: /a/*, methods: [PUT]}, access: authenticated, upstream: up, ${CORS}, headers: [X-One, x-two]}}
  - {name: quiet, match: {path: /a/quiet}, access: public, upstream: up}
  - {name: any, match: {path: /any/*}, access: public, upstream: up, ${CORS}}}
  - {name: plain, match: {path: /plain/*}, access: public, upstream: up}
  - {name: inner, match: {path: /any/inner}, access: public, upstream: up, cors: {origins: [https://other.example]}}
`,
  'c.yaml',
  {},
)
const { table } = compileRules(config)
const ORIGIN = ['Origin', 'https://app.example']

function ask(path: string, headers: readonly string[], changes: Partial<RequestFacts> = {}) {
  const facts = {
    method: 'OPTIONS',
    host: parseHost('a.example'),
    target: parseRequestTarget(path, 'a.example') as RequestTarget,
    headers,
    hasBody: false,
    ...changes,
  } as unknown as RequestFacts
  const decision = decidePreflight(facts, table)
  if (decision === undefined) return 'no preflight'
  return decision.kind === 'deny' ? decision.reason : decision.route.name
}

const wants = (method: string, ...headers: string[]) => [
  ...ORIGIN,
  'Access-Control-Request-Method',
  method,
  ...headers.flatMap((names) => ['Access-Control-Request-Headers', names]),
]

t.test('the route is the one of the request that is asked about', async (t) => {
  t.equal(ask('/a/x', wants('GET')), 'read')
  t.equal(ask('/a/x', wants('PUT')), 'write')
  t.equal(ask('/any/x', wants('POST')), 'any')
})

t.test('a route that says nothing of it, and no route, answer as ever', async (t) => {
  t.equal(ask('/plain/x', wants('GET')), 'no preflight')
  t.equal(ask('/a/x', wants('DELETE')), 'no preflight')
  t.equal(ask('/nowhere', wants('GET')), 'no preflight')
})

t.test('what is no preflight is no preflight', async (t) => {
  t.equal(ask('/a/x', wants('GET'), { method: 'GET' }), 'no preflight')
  t.equal(ask('/a/x', wants('GET'), { hasBody: true }), 'no preflight')
  t.equal(ask('/a/x', ORIGIN), 'no preflight')
  t.equal(ask('/a/x', wants('GET').slice(2)), 'no preflight', 'without Origin')
  t.equal(ask('/a/x', [...ORIGIN, ...wants('GET')]), 'no preflight', 'two Origin fields')
  const twice = [...wants('GET'), ...wants('PUT').slice(2)]
  t.equal(ask('/a/x', twice), 'no preflight', 'two methods')
})

t.test('methods as they are written, header names in any case and in several lines', async (t) => {
  t.equal(ask('/any/x', wants('get')), 'cors_denied')
  t.equal(ask('/any/x', wants('PUT')), 'cors_denied')
  t.equal(ask('/a/x', wants('PUT', 'x-one, X-Two', 'X-ONE')), 'write')
  t.equal(ask('/a/x', wants('PUT', 'x-one', 'x-three')), 'cors_denied')
  t.equal(ask('/a/x', wants('PUT', 'x-onex')), 'cors_denied')
  t.equal(ask('/a/x', wants('PUT', ' , ')), 'write')
  t.equal(ask('/a/x', wants('GET', 'Authorization,content-type')), 'read', 'the default')
})

t.test('each looser reading has to allow it too', async (t) => {
  t.equal(ask('/a/quiet/', wants('GET')), 'cors_denied', 'the other one has no cors')
  t.equal(ask('/any/inner/', wants('GET')), 'cors_denied', 'the other one names others')
  t.equal(ask('/any/other/', wants('GET')), 'any')
})
