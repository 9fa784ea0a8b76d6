// Places and ends of tokens that could never have a meaning.
import t from 'tap'
import { checkStreams } from '../../src/config/check-streams.ts'
import { toPathText } from '../../src/config/problem.ts'

const check = (route: Record<string, unknown>) =>
  checkStreams(route, ['routes', 0]).map(({ path, message }) => `${toPathText(path)}: ${message}`)

t.test('a public route takes no token, so none from anywhere', async (t) => {
  const access = 'public'
  t.match(check({ access, credentials: { cookie: 'a' } }), [
    /^routes\[0\]\.credentials: means nothing on a public route/,
  ])
  t.match(check({ access, atExpiry: 'allow' }), [/^routes\[0\]\.atExpiry: means nothing/])
  t.same(check({ access }), [])
  t.same(check({ access, atExpiry: 'end' }), [], 'the default')
  t.same(check({ access: 'authenticated', atExpiry: 'allow', credentials: { cookie: 'a' } }), [])
})

t.test('an empty mapping names no place', async (t) => {
  t.match(check({ access: 'authenticated', credentials: {} }), [/credentials: an empty mapping/])
})

t.test('values of any shape are looked into without throwing', async (t) => {
  for (const credentials of [null, 1, 'x', [], true, undefined]) t.same(check({ credentials }), [])
})

t.test('origins are for a cookie', async (t) => {
  const origins = ['https://a.example']
  t.match(check({ credentials: { origins } }), [/origins: means nothing without a cookie/])
  t.match(check({ credentials: { origins, query: 'a' } }), [/origins: means nothing/])
  t.same(check({ credentials: { origins, cookie: 'a' } }), [])
})

t.test('an upgrade that no request can ask for is told', async (t) => {
  const access = 'authenticated'
  const upgrades = ['websocket']
  const credentials = { webSocketProtocol: true }
  t.match(check({ access, credentials }), [/webSocketProtocol: means nothing without upgrades/])
  t.match(check({ access, credentials, upgrades: ['other'] }), [/means nothing without upgrades/])
  t.same(check({ access, credentials, upgrades: ['WebSocket'] }), [])
  t.same(check({ access, credentials: { webSocketProtocol: false } }), [])
  t.match(check({ access, upgrades, match: { methods: ['POST'] } }), [/upgrades: can never come/])
  t.same(check({ access, upgrades, match: { methods: ['POST', 'GET'] } }), [])
  t.same(check({ access: 'public', upgrades }), [])
})
