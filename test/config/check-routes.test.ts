// Rules between routes and what they refer to.
import t from 'tap'
import { checkRoutes } from '../../src/config/check-routes.ts'
import { toPathText } from '../../src/config/problem.ts'

const POOL = { main: {} }

function check(route: Record<string, unknown>, others: Record<string, unknown> = {}) {
  const settings = { userPools: POOL, upstreams: { orders: {} }, routes: [route], ...others }
  return checkRoutes(settings).map(({ path, message }) => `${toPathText(path)}: ${message}`)
}

t.test('names of routes are unique', async (t) => {
  const route = { name: 'a', access: 'public' }
  t.strictSame(check({}, { routes: [route, { name: 'b' }, route] }), [
    'routes[2].name: routes[0] has this name already',
  ])
  t.strictSame(check({}, { routes: [{}, {}] }), [])
})

t.test('an upstream has to be there', async (t) => {
  t.strictSame(check({ upstream: 'orders' }), [])
  t.strictSame(check({ upstream: 'ordesr' }), [
    'routes[0].upstream: there is no upstream of this name; did you mean "orders"?',
  ])
  t.strictSame(check({ upstream: 'constructor' }), [
    'routes[0].upstream: there is no upstream of this name',
  ])
})

t.test('a user pool has to be there, and is named where there are several', async (t) => {
  const several = { userPools: { main: {}, staff: {} } }
  const rule = { tokenUse: 'id' }
  t.strictSame(check({ access: rule }), [])
  t.strictSame(check({ access: { ...rule, userPool: 'mian' } }), [
    'routes[0].access.userPool: there is no user pool of this name; did you mean "main"?',
  ])
  t.strictSame(check({ access: rule }, several), [
    'routes[0].access.userPool: is required where there are several user pools: main, staff',
  ])
  t.strictSame(check({ access: { ...rule, userPool: 'staff' } }, several), [])
  t.strictSame(check({ access: 'authenticated' }, several), [])
})

t.test('without a user pool only public routes are possible', async (t) => {
  const none = { userPools: {} }
  t.strictSame(check({ access: 'public' }, none), [])
  for (const access of ['authenticated', { tokenUse: 'id' }]) {
    t.strictSame(check({ access }, none), [
      'routes[0].access: needs a user pool, but userPools has none',
    ])
  }
})

t.test('a rule that asks for nothing, or that nobody meets, is refused', async (t) => {
  t.match(check({ access: {} }), [/an empty mapping/])
  t.match(check({ access: { groups: {} } }), [/groups: expected anyOf, allOf or noneOf/])
  t.match(check({ access: { tokenUse: 'id', scopes: { allOf: ['a'] } } }), [/carry no scopes/])
  t.match(check({ access: { groups: { allOf: ['a', 'b'], noneOf: ['b'] } } }), [
    /noneOf: can never/,
  ])
  t.match(check({ access: { groups: { anyOf: ['a', 'b'], noneOf: ['b', 'a'] } } }), [/can never/])
  t.strictSame(check({ access: { groups: { anyOf: ['a', 'b'], noneOf: ['b'] } } }), [])
  t.strictSame(check({ access: { tokenUse: 'any', scopes: { allOf: ['a'] } } }), [])
})

t.test("no route lies below the gateway's own paths, however it is written", async (t) => {
  const at = (path: string, others = {}) => check({ match: { path } }, others).length
  for (const path of [
    '/_poolgate',
    '/_poolgate/x',
    '/_poolgate/*',
    '/%5Fpoolgate/x',
    '/_POOLGATE/x',
  ]) {
    t.equal(at(path), 1, path)
  }
  for (const path of ['/*', '/_poolgatex', '/x/_poolgate/', '/_pool', '/%zz'])
    t.equal(at(path), 0, path)
  t.equal(at('/gate/x', { pathPrefix: '/gate' }), 1)
  t.equal(at('/_poolgate/x', { pathPrefix: '/gate' }), 0)
})

t.test('settings of any shape are looked into without throwing', async (t) => {
  for (const routes of [
    undefined,
    null,
    1,
    'x',
    {},
    [null, 1, [], { access: 1, match: [], name: {} }],
  ]) {
    t.strictSame(checkRoutes({ routes }), [])
  }
})
