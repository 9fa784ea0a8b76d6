// Routes for some methods or hosts, and what becomes of the other ones: told where they go to a weaker route, and only there.
import t from 'tap'
import { asksAsMuch } from '../../src/config/access-order.ts'
import { findGaps } from '../../src/config/find-gaps.ts'
import { loadConfig } from '../../src/config/load.ts'
import { toPathText } from '../../src/config/problem.ts'
import type { Config } from '../../src/config/schema.ts'
import { parseRequestTarget } from '../../src/http/request-target.ts'
import { compileRules } from '../../src/policy/compile-rules.ts'
import { createConfigText } from '../support/config-text.ts'
import { fc } from '../support/fuzz.ts'

const UPSTREAMS = `upstreams:
  orders: {targets: ['http://127.0.0.1:9']}
  same: {targets: ['http://127.0.0.1:9/']}
  website: {targets: ['http://127.0.0.1:10']}
  found: {discover: {dns: 'http://orders.internal'}}
  foundToo: {discover: {dns: 'http://Orders.internal:80', refresh: 1m}}
  elsewhere: {discover: {dns: 'http://website.internal'}}`

/** `match | access`, with the upstream orders unless a third part names one. */
function load(...lines: string[]): Config {
  const routes = lines.map((line, index) => {
    const [match, access, upstream = 'orders'] = line.split(' | ')
    return `  - {name: r${index}, match: {${match}}, access: ${access}, upstream: ${upstream}}`
  })
  const parts = { upstreams: UPSTREAMS, routes: ['routes:', ...routes].join('\n') }
  return loadConfig(createConfigText(parts), 'c.yaml', {}).config
}

function gapsOf(...lines: string[]): string[] {
  return findGaps(load(...lines)).map(({ path, message }) => `${toPathText(path)}: ${message}`)
}

const ADMINS = '{groups: {anyOf: [admins]}}'
const READ_WRITE = `path: /admin/*, methods: [GET, POST] | ${ADMINS}`

t.test(
  'methods that fall to a weaker route are told, with both routes and what to do',
  async (t) => {
    t.strictSame(gapsOf(READ_WRITE, 'path: /* | authenticated'), [
      'routes[0].match.methods: on /admin/* route r0 leaves HEAD, PUT, PATCH, DELETE and 10 more to route r1, which does not ask for as much; leave methods out here, or name these too',
    ])
    t.match(gapsOf(READ_WRITE, 'path: /* | public | same'), [/route r1/], 'the same target')
    t.match(gapsOf('path: /*, methods: [GET] | authenticated', 'path: /* | public'), [/on \/\* /])
    t.match(gapsOf('path: /a, methods: [GET] | authenticated', 'path: /* | public'), [/on \/a /])
  },
)

t.test('a route in between that is as strict closes the gap', async (t) => {
  for (const others of [
    [`path: /admin/* | ${ADMINS}`, 'path: /* | public'],
    [`path: /* | ${ADMINS}`],
    ['path: /* | {groups: {anyOf: [admins], noneOf: [guests]}}'],
    ['path: /orders/* | public'],
    ['path: /* | public | website'],
    [],
  ]) {
    t.strictSame(gapsOf(READ_WRITE, ...others), [], others.join(' + '))
  }
  t.strictSame(gapsOf('path: /assets/*, methods: [GET] | public', 'path: /* | public'), [])
})

t.test('reads that are open to more callers than writes are as they should be', async (t) => {
  const everyWrite = 'path: /orders, methods: [POST, PUT, PATCH, DELETE] | {scopes: {allOf: [w]}}'
  t.strictSame(gapsOf(everyWrite, 'path: /* | authenticated'), [])
  const oneWrite = 'path: /orders, methods: [POST] | {scopes: {allOf: [w]}}'
  t.match(gapsOf(oneWrite, 'path: /* | authenticated'), [/leaves PUT, PATCH, DELETE to route r1/])
})

t.test('a preflight request may go elsewhere', async (t) => {
  const all =
    'GET, HEAD, POST, PUT, PATCH, DELETE, QUERY, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK, REPORT, SEARCH'
  t.strictSame(gapsOf(`path: /a, methods: [${all}] | authenticated`, 'path: /* | public'), [])
})

t.test('who names the methods of the same path has thought of them', async (t) => {
  const writes = `path: /a, methods: [POST] | ${ADMINS}`
  t.strictSame(gapsOf(writes, 'path: /a, methods: [PUT, PATCH, DELETE] | authenticated'), [])
  t.match(gapsOf(writes, 'path: /a | authenticated'), [/leaves PUT, PATCH, DELETE/])
  t.match(gapsOf(writes, 'path: /*, methods: [PUT] | authenticated'), [/leaves PUT to route r1/])
})

t.test('hosts that fall to a weaker route are told, with both routes and what to do', async (t) => {
  const hosted = `hosts: [api.example.com], path: /admin/* | ${ADMINS}`
  t.strictSame(gapsOf(hosted, 'path: /* | authenticated'), [
    'routes[0].match.hosts: on /admin/* route r0 leaves every other host to route r1, which does not ask for as much; leave hosts out here, or name the hosts of route r1',
  ])
  t.match(gapsOf(hosted, "hosts: ['*.example.com'], path: /* | public"), [/route r1/])
  for (const other of [
    'hosts: [www.example.com], path: /* | public',
    'hosts: [API.example.com.], path: /* | public',
    "hosts: ['*.example.org'], path: /* | public",
    'path: /* | public | website',
    `path: /* | ${ADMINS}`,
  ]) {
    t.strictSame(gapsOf(hosted, other), [], other)
  }
})

t.test('methods are told for the hosts that a route shares with the weaker one', async (t) => {
  const hosted = `hosts: [api.example.com], path: /admin/*, methods: [GET] | ${ADMINS}`
  t.match(gapsOf(hosted, 'hosts: [API.Example.com], path: /* | public'), [/methods: .* route r1/])
  t.match(
    gapsOf(hosted, "hosts: ['*.example.com'], path: /* | public"),
    [/hosts: /, /methods: /].reverse(),
  )
  const wild = `hosts: ['*.example.com'], path: /admin/*, methods: [GET] | ${ADMINS}`
  t.match(gapsOf(wild, 'hosts: [a.example.com], path: /* | public'), [/methods: .* route r1/])
  const every = `path: /admin/*, methods: [GET] | ${ADMINS}`
  t.match(gapsOf(every, 'hosts: [a.example.com], path: /* | public'), [/methods: .* route r1/])
  t.strictSame(gapsOf(every, 'hosts: [a.example.com], path: /admin/* | public'), [], 'its own host')
})

const METHODS = ['GET', 'HEAD', 'POST', 'DELETE'] as const
const ACCESS = ['public', 'authenticated', ADMINS, '{groups: {anyOf: [admins, users]}}'] as const
const PATHS = ['/*', '/a/*', '/a/b/*', '/a/b'] as const

interface Line {
  readonly path: string
  readonly methods: readonly string[]
  readonly access: string
}

function toLine({ path, methods, access }: Line): string {
  const match =
    methods.length > 0 ? `path: ${path}, methods: [${methods.join(', ')}]` : `path: ${path}`
  return `${match} | ${access}`
}

/** Whether the route table gives HEAD on the first route's path to a route that asks for less. */
function leavesHead(config: Config): boolean | undefined {
  const [route] = config.routes
  const { table, problems } = compileRules(config)
  const target = parseRequestTarget((route?.match.path ?? '').replace('*', 'zz'), '')
  if (route === undefined || problems.length > 0 || 'refused' in target) return undefined
  const find = (method: string) => {
    const match = table.match(method, 'other.example', target)
    return match === undefined || 'refused' in match ? undefined : match.route.route
  }
  const other = config.routes[find('HEAD')?.index ?? -1]
  if (find('GET')?.index !== 0 || other === undefined) return undefined
  const isNamed = other.match.path === route.match.path && other.match.methods !== undefined
  return !isNamed && !asksAsMuch(other.access, route.access, ['main'])
}

t.test('what is told is what the route table does', async (t) => {
  const protectedRead = fc.record({
    path: fc.constantFrom(...PATHS),
    methods: fc.constantFrom(['GET'], ['GET', 'POST']),
    access: fc.constantFrom(...ACCESS.slice(1)),
  })
  const anyLine = fc.record({
    path: fc.constantFrom(...PATHS),
    methods: fc.subarray([...METHODS]),
    access: fc.constantFrom(...ACCESS),
  })
  const seen = { told: 0, silent: 0 }
  fc.assert(
    fc.property(protectedRead, fc.array(anyLine, { minLength: 1, maxLength: 3 }), (first, rest) => {
      const config = load(...[first, ...rest].map(toLine))
      const expected = leavesHead(config)
      fc.pre(expected !== undefined)
      seen[expected ? 'told' : 'silent']++
      const isTold = findGaps(config).some(
        ({ path, message }) => toPathText(path).startsWith('routes[0]') && /HEAD/.test(message),
      )
      return isTold === expected
    }),
    { numRuns: 200 },
  )
  t.ok(seen.told > 20, `${seen.told} gaps were told`)
  t.ok(seen.silent > 20, `${seen.silent} times there was none`)
})

t.test('targets that are found in the same place are the same', async (t) => {
  const toFound = `${READ_WRITE} | found`
  t.equal(gapsOf(toFound, 'path: /* | authenticated | foundToo').length, 1)
  t.strictSame(gapsOf(toFound, 'path: /* | authenticated | elsewhere'), [])
  t.strictSame(gapsOf(toFound, 'path: /* | authenticated | orders'), [])
})
