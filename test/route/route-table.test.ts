// The most specific route wins, whatever the order, and looser readings bring in the others.
import t from 'tap'
import { parseRequestTarget, type RequestTarget } from '../../src/http/request-target.ts'
import type { RoutePattern } from '../../src/route/pattern.ts'
import { compileRouteTable } from '../../src/route/route-table.ts'
import { fc } from '../support/fuzz.ts'

type Patterns = Readonly<Record<string, RoutePattern | string>>

function compile(patterns: Patterns, names = Object.keys(patterns)) {
  return compileRouteTable(
    names.map((name) => {
      const pattern = patterns[name] as RoutePattern | string
      return { name, route: name, match: typeof pattern === 'string' ? { path: pattern } : pattern }
    }),
  )
}

function asker(patterns: Patterns, names?: string[]) {
  const { table, problems } = compile(patterns, names)
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  return (path: string, method = 'GET', host = 'a.example'): string => {
    const target = parseRequestTarget(path, host)
    if ('refused' in target) return target.reason
    const match = table.match(method, host, target)
    if (match === undefined) return 'none'
    if ('refused' in match) return match.reason
    return [match.route, ...[...match.others].sort()].join(' + ')
  }
}

t.test(
  'exact before prefix, longer before shorter, and the prefix itself is not below it',
  async (t) => {
    const ask = asker({ all: '/*', admin: '/admin/*', deep: '/admin/a/*', exact: '/admin/a/x' })
    t.equal(ask('/admin/'), 'admin + all')
    t.equal(ask('/admin/b'), 'admin')
    t.equal(ask('/admin'), 'all + admin')
    t.equal(ask('/adminx'), 'all')
    t.equal(ask('/admin/a/b/c'), 'deep')
    t.equal(ask('/admin/a/x'), 'exact + deep')
    t.equal(ask('/'), 'all')
    t.equal(ask('/x/y/z'), 'all')
  },
)

t.test('P-15: an exact route is that path alone', async (t) => {
  const ask = asker({ health: '/health' })
  t.equal(ask('/health'), 'health')
  for (const path of [
    '/health/',
    '/healthz',
    '/health;x',
    '/health%20',
    '/HEALTH',
    '/health/x',
    '/',
  ])
    t.equal(ask(path), 'none', path)
})

t.test(
  'a host counts more than none, an exact one more than a star, methods more than none',
  async (t) => {
    const ask = asker({
      none: '/a',
      method: { path: '/a', methods: ['GET'] },
      star: { path: '/a', hosts: ['*.example'] },
      host: { path: '/a', hosts: ['A.Example.'] },
      both: { path: '/a', hosts: ['a.example'], methods: ['POST'] },
      longer: '/a/*',
    })
    t.equal(ask('/a', 'POST'), 'both + longer')
    t.equal(ask('/a', 'GET'), 'host + longer')
    t.equal(ask('/a', 'GET', 'b.example'), 'star + longer')
    t.equal(ask('/a', 'GET', 'a.b.example'), 'method + longer')
    t.equal(ask('/a', 'PUT', 'other'), 'none + longer')
    t.equal(ask('/a', 'get', 'other'), 'none + longer', 'methods are compared exactly')
  },
)

t.test('a more specific path whose host or method does not match gives way', async (t) => {
  const ask = asker({
    all: '/*',
    posts: { path: '/a/*', methods: ['POST'] },
    exact: { path: '/a/b', hosts: ['x'] },
  })
  t.equal(ask('/a/b', 'POST'), 'posts')
  t.equal(ask('/a/b', 'GET'), 'all')
  t.equal(ask('/a/b', 'GET', 'x'), 'exact + all')
})

t.test('P-11: paths are compared decoded once, with case', async (t) => {
  const ask = asker({ admin: '/admin', cafe: '/caf%C3%A9', star: '/%2A' })
  t.equal(ask('/%61dm%69n'), 'admin')
  t.equal(ask('/caf%c3%a9'), 'cafe')
  t.equal(ask('/*'), 'star')
  t.equal(ask('/Admin'), 'none')
})

t.test('P-06, P-12: looser readings bring in what they would reach', async (t) => {
  const ask = asker({ all: '/*', admin: '/admin/*', x: '/x' })
  t.equal(ask('/ADMIN/a'), 'all + admin')
  t.equal(ask('/admin;v/a'), 'all + admin')
  t.equal(ask('/%2561dmin/a'), 'all + admin')
  t.equal(ask('/ADMIN;v'), 'all + admin')
  t.equal(ask('/X;v/'), 'all + x')
  t.equal(ask('/x/'), 'all + x')
  t.equal(ask('/x'), 'x + all')
  t.equal(ask('/Admin/%2e%2e%252f'), 'target_ambiguous')
  t.equal(ask('/a%252fb'), 'target_ambiguous')
})

t.test('a reading that reaches no route adds nothing', async (t) => {
  const ask = asker({ admin: '/admin/*' })
  t.equal(ask('/admin/'), 'admin')
  t.equal(ask('/admin/A;b'), 'admin')
  t.equal(ask('/ADMIN/a'), 'none', 'and no reading makes a route of none')
})

t.test('readings hold for the same host and method only', async (t) => {
  const ask = asker({
    all: '/*',
    posts: { path: '/a/*', methods: ['POST'] },
    hosted: { path: '/b/*', hosts: ['h'] },
  })
  t.equal(ask('/a', 'GET'), 'all')
  t.equal(ask('/a', 'POST'), 'all + posts')
  t.equal(ask('/b', 'GET'), 'all')
  t.equal(ask('/b', 'GET', 'h'), 'all + hosted')
})

t.test('where no reading matters the answer is made once and handed out again', async (t) => {
  const { table } = compile({ a: '/a/*' })
  const target = parseRequestTarget('/a/b', 'h') as RequestTarget
  t.equal(table.match('GET', 'h', target), table.match('GET', 'h', target))
})

t.test('routes that could tie are told, the later one first', async (t) => {
  const tie = (a: RoutePattern, b: RoutePattern) => compile({ a, b }).problems.length
  t.equal(tie({ path: '/a' }, { path: '/a' }), 1)
  t.equal(tie({ path: '/a' }, { path: '/%61' }), 1)
  t.equal(tie({ path: '/a/*' }, { path: '/a/*' }), 1)
  t.equal(tie({ path: '/a' }, { path: '/a/*' }), 0)
  t.equal(tie({ path: '/a' }, { path: '/a/' }), 0)
  t.equal(tie({ path: '/a', methods: ['GET', 'PUT'] }, { path: '/a', methods: ['PUT'] }), 1)
  t.equal(tie({ path: '/a', methods: ['GET'] }, { path: '/a', methods: ['PUT'] }), 0)
  t.equal(tie({ path: '/a', methods: ['GET'] }, { path: '/a' }), 0)
  t.equal(tie({ path: '/a', hosts: ['x', 'Y'] }, { path: '/a', hosts: ['y.'] }), 1)
  t.equal(tie({ path: '/a', hosts: ['x'] }, { path: '/a', hosts: ['y'] }), 0)
  t.equal(tie({ path: '/a', hosts: ['*.x'] }, { path: '/a', hosts: ['a.x'] }), 0)
  t.equal(tie({ path: '/a', hosts: ['*.x', 'a.x'] }, { path: '/a', hosts: ['*.x'] }), 1)
  t.match(compile({ a: '/a', b: '/a' }).problems, [{ index: 1, message: /route a/ }])
})

t.test('a path that cannot be matched is told and left out', async (t) => {
  const { table, problems } = compile({ bad: '/a//b', good: '/a' })
  t.match(problems, [{ index: 0, message: /empty or dot segments/ }])
  t.same(table.inOrder, ['good'])
})

t.test('the match order is exact, longest, hosts, methods, name', async (t) => {
  const { table } = compile({
    all: '/*',
    b: '/a/*',
    a: '/b/*',
    long: '/a/b/*',
    methods: { path: '/a/*', methods: ['GET'] },
    star: { path: '/a/*', hosts: ['*.x'] },
    host: { path: '/a/*', hosts: ['x', '*.y'] },
    exact: '/z',
  })
  t.same(table.inOrder, ['exact', 'long', 'host', 'star', 'methods', 'a', 'b', 'all'])
})

t.test('the order of the configuration never matters', async (t) => {
  const patterns: Patterns = {
    all: '/*',
    a: '/a/*',
    ab: '/a/b/*',
    exact: '/a/b',
    slash: '/a/b/',
    post: { path: '/a/b', methods: ['POST'] },
    host: { path: '/a/*', hosts: ['h'] },
    upper: '/A/*',
  }
  const reference = asker(patterns)
  const names = Object.keys(patterns)
  const path = fc.array(fc.constantFrom('/a', '/b', '/A', '/c', '/', ';x', '%2541'), {
    minLength: 1,
    maxLength: 5,
  })
  fc.assert(
    fc.property(
      fc.shuffledSubarray(names, { minLength: names.length }),
      path,
      fc.constantFrom('GET', 'POST'),
      fc.constantFrom('h', 'i'),
      (order, pieces, method, host) => {
        const raw = `/${pieces.join('').replace(/^\/+/, '')}`
        return asker(patterns, order)(raw, method, host) === reference(raw, method, host)
      },
    ),
  )
  t.pass('for every generated case')
})

t.test('the tree agrees with comparing every pattern in turn', async (t) => {
  const paths = ['/*', '/a/*', '/a/b/*', '/a', '/a/', '/a/b', '/b/*', '/']
  const segment = fc.constantFrom('a', 'b', 'c', '')
  fc.assert(
    fc.property(
      fc.subarray(paths, { minLength: 1 }),
      fc.array(segment, { maxLength: 4 }),
      (chosen, segments) => {
        const path = `/${segments.join('/')}`
        if (path.includes('//')) return true
        const matching = chosen
          .filter((pattern) =>
            pattern.endsWith('/*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern,
          )
          .sort((x, y) => Number(x.endsWith('*')) - Number(y.endsWith('*')) || y.length - x.length)
        const found = asker(Object.fromEntries(chosen.map((pattern) => [pattern, pattern])))(path)
        return found.split(' + ')[0] === (matching[0] ?? 'none')
      },
    ),
    { numRuns: 2_000 },
  )
  t.pass('for every generated case')
})

/** Decodes byte by byte what is valid UTF-8 and leaves the rest: slow, and written apart from the code under test. */
function decodeOnceMore(path: string): string {
  const [, bytes = ''] = /^((?:%[0-9a-f]{2}){1,4})/i.exec(path) ?? []
  for (let length = 3; length <= bytes.length; length += 3) {
    try {
      return decodeURIComponent(bytes.slice(0, length)) + decodeOnceMore(path.slice(length))
    } catch {}
  }
  return path === '' ? '' : path.charAt(0) + decodeOnceMore(path.slice(1))
}

function segmentsOf(path: string): string[] {
  return path.split('/').slice(1)
}

function isRefusedReading(path: string): boolean {
  const isDots = (segment: string) => /^\.\.?(;|$)/.test(segment)
  return segmentsOf(path).some(isDots) || segmentsOf(path).slice(0, -1).includes('')
}

/** The routes of a decoded path and of all its readings, by trying every one against every pattern. */
function askSlowly(patterns: readonly string[], decodedPath: string): string {
  const cut = (path: string) => path.replace(/;[^/]*/g, '')
  const again = decodeOnceMore(decodedPath)
  if (/[\\]|%2f/i.test(again + decodedPath)) return 'target_ambiguous'
  if (segmentsOf(again).length !== segmentsOf(decodedPath).length) return 'target_ambiguous'
  const decoded = [decodedPath, again, cut(decodedPath), cut(again)]
  const paths = [...decoded, decodeOnceMore(cut(decodedPath))]
  if (paths.some(isRefusedReading)) return 'target_ambiguous'
  const best = (path: string) =>
    patterns
      .filter((pattern) => {
        const plain = decodeURIComponent(pattern)
        return pattern.endsWith('/*') ? path.startsWith(plain.slice(0, -1)) : path === plain
      })
      .sort((x, y) => Number(x.endsWith('*')) - Number(y.endsWith('*')) || y.length - x.length)[0]
  const written = best(decodedPath)
  if (written === undefined) return 'none'
  const readings = paths
    .flatMap((path) => [path, path.toLowerCase()])
    .flatMap((path) => [path, path.endsWith('/') ? path.slice(0, -1) : `${path}/`])
  const others = new Set(readings.map(best).filter((route) => route && route !== written))
  return [written, ...[...others].sort()].join(' + ')
}

t.test('the other routes are those that trying every reading in turn finds', async (t) => {
  const patterns = [
    '/*', '/a/*', '/a/b/*', '/a', '/a/', '/a/b', '/a/b/', '/k/*', '/', '/a;x', '/A/*', '/%C3%A9/*', '/%C3%A9%25ff',
  ] // prettier-ignore
  const segment = fc.constantFrom(
    'a', 'b', 'A', 'k', '', ';x', 'a;x', 'a%3bx', '%2541', 'a%253bx', '%253b', '%252e', '..%253b', '%c3%a9', '%25c3%25a9', '%25ff',
    '%25c3%25a9%25ff', '%25ed%25a0%2580', '%e2%84%aa', '%255c', '%252F', '%25',
  ) // prettier-ignore
  fc.assert(
    fc.property(
      fc.subarray(patterns, { minLength: 1 }),
      fc.array(segment, { minLength: 1, maxLength: 4 }),
      (chosen, segments) => {
        const target = parseRequestTarget(`/${segments.join('/')}`, 'h')
        if ('refused' in target) return true
        const found = asker(Object.fromEntries(chosen.map((path) => [path, path])))(target.path)
        return found === askSlowly(chosen, target.decodedPath)
      },
    ),
    { numRuns: 5_000 },
  )
  t.pass('for every generated case')
})
