// Rules between settings other than routes.
import t from 'tap'
import { checkSettings } from '../../src/config/check-settings.ts'
import { toPathText } from '../../src/config/problem.ts'

function check(settings: Record<string, unknown>) {
  return checkSettings(settings).map(({ path, message }) => `${toPathText(path)}: ${message}`)
}

t.test('nothing given is nothing wrong', async (t) => {
  t.strictSame(check({}), [])
})

t.test('the admin listener has an address of its own', async (t) => {
  const message = 'admin: must be another address than listen'
  t.strictSame(check({ listen: '127.0.0.1:9090' }), [message])
  t.strictSame(check({ admin: { address: '127.0.0.1:8080' } }), [message])
  t.strictSame(check({ listen: 'unix:/a', admin: 'unix:/a' }), [message])
  t.strictSame(check({ listen: '127.0.0.1:0', admin: '127.0.0.1:0' }), [])
  t.strictSame(check({ listen: '127.0.0.1:80', admin: 'none' }), [])
})

t.test('identity headers that an upstream may take for one another are refused', async (t) => {
  t.match(check({ identityHeaders: { 'X-User': 'sub', 'x.user': 'email' } }), [
    /^identityHeaders\["x\.user"\]: an upstream may take this for X-User/,
  ])
  t.match(check({ identityHeaders: { 'x-user': 'sub', 'X-USER': 'sub' } }), [/X-USER/])
  t.strictSame(check({ identityHeaders: { 'x-user': 'sub', 'x-users': 'sub' } }), [])
})

t.test('identity headers with a meaning of their own are refused', async (t) => {
  for (const name of ['Host', 'Cookie', 'content-length', 'X-Forwarded-For', 'Transfer.Encoding']) {
    t.match(check({ identityHeaders: { [name]: 'sub' } }), [/meaning of its own/], name)
  }
})

t.test('an issuer belongs to one user pool', async (t) => {
  const pool = { userPoolId: 'eu-west-1_A' }
  const issuer = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A'
  t.strictSame(check({ userPools: { a: pool, b: { userPoolId: 'eu-west-1_B' } } }), [])
  t.match(check({ userPools: { a: pool, b: pool } }), [
    /^userPools\.b\.userPoolId: the user pool a/,
  ])
  t.match(check({ userPools: { a: pool, b: { userPoolId: 'x', issuer } } }), [
    /^userPools\.b\.issuer/,
  ])
  t.match(check({ userPools: { a: { issuer: ['https://x', issuer] }, b: pool } }), [
    /^userPools\.b/,
  ])
})

t.test('settings that bound one another are in order, defaults included', async (t) => {
  for (const [section, given, problem] of [
    [
      'timeouts',
      { checkInterval: '10s' },
      'timeouts.checkInterval: must be less than headers, which is 10s unless it is set',
    ],
    [
      'timeouts',
      { headers: '2s' },
      'timeouts.headers: must be more than checkInterval, which is 2s unless it is set',
    ],
    [
      'timeouts',
      { checkInterval: '5s', headers: '5s' },
      'timeouts.checkInterval: must be less than headers',
    ],
    [
      'timeouts',
      { request: '10s' },
      'timeouts.request: must be more than headers, which is 10s unless it is set',
    ],
    ['timeouts', { headers: '1m', request: '60s' }, 'timeouts.headers: must be less than request'],
    [
      'limits',
      { target: '32KiB' },
      'limits.target: must be less than headerBytes, which is 32KiB unless it is set',
    ],
    [
      'limits',
      { headerBytes: '8KiB' },
      'limits.headerBytes: must be more than target, which is 8KiB unless it is set',
    ],
  ] as const) {
    t.strictSame(check({ [section]: given }), [problem])
  }
  t.strictSame(check({ timeouts: { checkInterval: '9999ms' } }), [])
  t.strictSame(check({ timeouts: { request: '10001ms' } }), [])
  t.strictSame(check({ timeouts: { request: 'none', headers: '1h' } }), [])
  t.strictSame(check({ limits: { target: '32767B' } }), [])
  t.match(check({ userPools: { a: { jwksMaxStale: '5m' } } }), [
    'userPools.a.jwksMaxStale: must be more than jwksRefresh, which is 5m unless it is set',
  ])
  t.strictSame(check({ userPools: { a: { jwksMaxStale: '301s' } } }), [])
})

t.test('settings of any shape are looked into without throwing', async (t) => {
  for (const value of [null, 1, 'x', [], [null]]) {
    const keys = ['listen', 'identityHeaders', 'userPools', 'timeouts', 'limits']
    t.strictSame(
      check(Object.fromEntries(keys.map((key) => [key, value]))),
      [],
      JSON.stringify(value),
    )
  }
  t.strictSame(check({ userPools: { a: null, b: 'x' }, timeouts: { headers: 5 } }), [])
})

t.test('a total time is more than the time for the head beside it', async (t) => {
  const check = (upstream: object, route: object = {}) =>
    checkSettings({
      upstreams: { up: { timeouts: upstream } },
      routes: [{ upstream: 'up', timeouts: route }],
    })
  t.same(check({ total: '31s', response: '30s' }), [])
  t.same(check({ total: '1s' }, { total: '1s' }), [], 'the shorter one holds')
  const [total] = check({ total: '30s', response: '30s' })
  t.match(total, { path: ['upstreams', 'up', 'timeouts', 'response'] })
  const [response] = check({}, { response: '2s', total: '2s' })
  t.match(response, { path: ['routes', 0, 'timeouts', 'response'] })
})

t.test('an ejection is not longer than the longest', async (t) => {
  const check = (ejection: object) => checkSettings({ upstreams: { up: { ejection } } })
  for (const fine of [{}, { time: '30s' }, { time: '60s', maxTime: '60s' }, { maxTime: '10s' }]) {
    t.same(check(fine), [], JSON.stringify(fine))
  }
  t.match(check({ time: '31s' }), [
    { path: ['upstreams', 'up', 'ejection', 'time'], message: /maxTime, which is 30s unless/ },
  ])
  t.match(check({ time: '20s', maxTime: '19s' }), [
    { path: ['upstreams', 'up', 'ejection', 'time'], message: 'must not be more than maxTime' },
  ])
  t.match(check({ maxTime: '9s' }), [{ path: ['upstreams', 'up', 'ejection', 'maxTime'] }])
})
