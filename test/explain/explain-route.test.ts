// Why a route is not the request's, and which one lies nearest where none is.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { explainRoute } from '../../src/explain/explain-route.ts'
import { parseHost } from '../../src/http/host.ts'
import type { RequestFacts } from '../../src/http/request-facts.ts'
import { parseRequestTarget } from '../../src/http/request-target.ts'
import { compileRules } from '../../src/policy/compile-rules.ts'
import { createConfigText } from '../support/config-text.ts'

const { config } = loadConfig(
  createConfigText({
    routes: `routes:
  - {name: admin, match: {path: /admin/*, hosts: [api.example], methods: [GET, POST]}, access: authenticated, upstream: orders}
  - {name: reports, match: {path: /admin/reports}, access: authenticated, upstream: orders}
  - {name: upper, match: {path: /Files/Mine}, access: public, upstream: orders}
  - {name: folder, match: {path: /folder/}, access: public, upstream: orders}
  - {name: files, match: {path: /files/*}, access: authenticated, upstream: orders}
  - {name: uploads, match: {path: /files/*, hosts: ['*.example'], methods: [PUT]}, access: authenticated, upstream: orders}`,
  }),
  'c.yaml',
  {},
)
const { table } = compileRules(config)

function ask(path: string, host = 'api.example', method = 'GET') {
  const facts = { method, host: parseHost(host), target: parseRequestTarget(path, host) }
  const { step, rules, nearest } = explainRoute(config, table, facts as unknown as RequestFacts)
  return { checks: step.checks, routes: rules.map(({ route }) => route.name), nearest }
}

t.test('the nearest route, and what keeps it from the request', async (t) => {
  const cases: [string, string, string, string, string, RegExp][] = [
    ['/admin/x', 'www.example', 'GET', 'admin', 'host', /the host api\.example, .* www\.example/],
    ['/admin/x', 'api.example', 'PUT', 'admin', 'method', /takes GET, POST, the request is PUT/],
    ['/Admin/x', 'api.example', 'GET', 'admin', 'letter case', /\/admin\/\*, .*\/Admin\/x/],
    ['/FILES/x', 'api.example', 'GET', 'files', 'letter case', /letter case differs/],
    ['/admin', 'api.example', 'GET', 'admin', 'last slash', /\/admin\/\*, the request's \/admin:/],
    ['/folder', 'api.example', 'GET', 'folder', 'last slash', /the last slash differs/],
    ['/admin/reports/', 'www.example', 'GET', 'reports', 'last slash', /./],
    ['/admn/x/y', 'api.example', 'GET', 'admin', 'spelling', /the spelling differs/],
    [
      '/Admin/x',
      'www.example',
      'PUT',
      'admin',
      'letter case',
      /letter.*; it takes the host.*; it takes GET/,
    ],
    ['/folders/', 'api.example', 'GET', 'folder', 'spelling', /./],
  ]
  for (const [path, host, method, name, kind, why] of cases) {
    const { nearest, checks } = ask(path, host, method)
    t.match(nearest, { name, kind, why }, `${method} ${host}${path}`)
    const failing = checks.filter(({ result }) => result === 'no')
    t.equal(failing.length, 1, 'another route fails nothing')
  }
})

t.test('what has nothing in common is named, and is not near', async (t) => {
  const { checks, nearest } = ask('/elsewhere/at/all')
  t.equal(nearest, undefined)
  t.match(checks[0], { result: 'info', what: 'other paths', detail: /admin \/admin\/\*, / })
})

t.test('routes that a looser reading leads to are shown behind the request’s own', async (t) => {
  const { routes, checks } = ask('/files/mine')
  t.same(routes, ['files'], 'no reading gains letter case')
  const { routes: both, checks: readings } = ask('/Files/Mine')
  t.same(both, ['upper', 'files'])
  t.match(readings[0], { what: 'other readings', detail: /\/files\/mine/ })
  t.match(readings.at(-1), { result: 'ok', what: 'files', detail: /has to allow the request too/ })
  t.match(checks.at(-1), { result: 'ok', what: 'files', detail: '/files/*' })
})

t.test('a broader route that takes the request too is told apart', async (t) => {
  const { checks, routes } = ask('/files/x', 'api.example', 'PUT')
  t.same(routes, ['uploads'])
  t.match(checks.at(-1), { result: 'info', what: 'files', detail: /less specific/ })
})

t.test('a reading that gains segments is refused there', async (t) => {
  t.match(ask('/files/%252e%252e/admin/x').checks.at(-1), {
    result: 'no',
    reason: 'target_ambiguous',
  })
})
