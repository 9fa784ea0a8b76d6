// From configured routes to rules: defaults, limits, numbers for telemetry, and routes that could tie.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { compileRules } from '../../src/policy/compile-rules.ts'

function compile(routes: string, more = '') {
  return compileRules(
    loadConfig(
      `version: 1
userPools: {main: {userPoolId: eu-west-1_Main00001, clientIds: [c]}}
upstreams: {up: {targets: ['http://127.0.0.1:1']}}
${more}
routes:
${routes}`,
      'c.yaml',
      {},
    ).config,
  )
}

t.test('the body limit is the route’s own, else the general one, else none', async (t) => {
  const routes = `
  - {name: own, match: {path: /own}, access: public, upstream: up, maxBody: 1KiB}
  - {name: off, match: {path: /off}, access: public, upstream: up, maxBody: none}
  - {name: general, match: {path: /general}, access: public, upstream: up}`
  const limitsOf = (more: string) =>
    Object.fromEntries(
      compile(routes, more).table.inOrder.map(({ route }) => [route.name, route.maxBody]),
    )
  t.same(limitsOf('limits: {body: 2KiB}'), {
    own: 1024,
    off: Number.POSITIVE_INFINITY,
    general: 2048,
  })
  t.same(limitsOf(''), {
    own: 1024,
    off: Number.POSITIVE_INFINITY,
    general: Number.POSITIVE_INFINITY,
  })
})

t.test('the only pool is meant where a rule names none', async (t) => {
  const { table } = compile(
    '  - {name: a, match: {path: /a}, access: {groups: {anyOf: [x]}}, upstream: up}',
  )
  t.same(table.inOrder[0]?.wanted, { userPool: 'main', tokenUse: 'access' })
})

t.test('routes are numbered by their place, or as telemetry says', async (t) => {
  const { table } = compile(`
  - {name: b, match: {path: /b}, access: public, upstream: up}
  - {name: a, match: {path: /a}, access: authenticated, upstream: up}`)
  t.same(
    table.inOrder.map(({ route }) => [route.name, route.index]),
    [
      ['a', 1],
      ['b', 0],
    ],
  )
})

t.test('two routes that could tie are a problem at the later one', async (t) => {
  const { problems } = compile(`
  - {name: a, match: {path: /a, methods: [GET, POST]}, access: public, upstream: up}
  - {name: b, match: {path: /%61, methods: [POST]}, access: public, upstream: up}`)
  t.match(problems, [{ index: 1, message: /tie with route a/ }])
})
