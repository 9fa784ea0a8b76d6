// Routes: access has no default, and every rule says something.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { createConfigText, messagesOf } from '../support/config-text.ts'

function textFor(settings: string) {
  return createConfigText({ routes: `routes:\n  - {name: a, upstream: orders, ${settings}}` })
}

const problems = (settings: string) => messagesOf(textFor(settings))
const load = (settings: string) => loadConfig(textFor(settings), 'c.yaml', {}).config.routes[0]
const PATH = 'match: {path: /a}'

t.test('access has no default', async (t) => {
  t.match(problems(PATH), [/^routes\[0\]\.access: is required, there is no default/])
  t.match(problems(`${PATH}, access: `), [
    /access: expected public, authenticated or a mapping, found nothing/,
  ])
  t.match(problems(`${PATH}, access: pubic`), [/did you mean "public"/])
  t.match(problems(`${PATH}, access: true`), [/found a boolean/])
  t.match(problems(`${PATH}, access: [public]`), [/found a list/])
})

t.test('a rule asks for an access token unless it says otherwise', async (t) => {
  t.strictSame(load(`${PATH}, access: {groups: {anyOf: [a]}}`)?.access, {
    tokenUse: 'access',
    groups: { anyOf: ['a'] },
  })
  for (const use of ['access', 'id', 'any']) {
    t.match(load(`${PATH}, access: {tokenUse: ${use}}`)?.access, { tokenUse: use })
  }
  t.match(problems(`${PATH}, access: {tokenUse: refresh}`), [
    /tokenUse: expected one of access, id, any/,
  ])
})

t.test('groups and scopes that ask for nothing are refused', async (t) => {
  for (const key of ['groups', 'scopes']) {
    t.match(problems(`${PATH}, access: {${key}: {}}`), [
      `routes[0].access.${key}: expected anyOf, allOf or noneOf`,
    ])
    t.match(problems(`${PATH}, access: {${key}: {anyOf: []}}`), [/anyOf: expected at least one/])
    t.match(problems(`${PATH}, access: {${key}: {anyOf: admins}}`), [
      /anyOf: expected a list of text, found text/,
    ])
    t.match(problems(`${PATH}, access: {${key}: {anyof: [a]}}`), [/did you mean "anyOf"/])
    t.match(problems(`${PATH}, access: {${key}: [a]}`), [/found a list/])
    t.match(problems(`${PATH}, access: {${key}: {anyOf: [""]}}`), [/anyOf\[0\]/])
  }
})

t.test('claims are compared with values of their own types', async (t) => {
  const claims = '{email_verified: true, "custom:tenant": [a, 5], plan: "5"}'
  t.match(load(`${PATH}, access: {claims: ${claims}}`)?.access, {
    claims: { email_verified: true, 'custom:tenant': ['a', 5], plan: '5' },
  })
  t.match(problems(`${PATH}, access: {claims: {}}`), [/claims: expected at least one claim/])
  t.match(problems(`${PATH}, access: {claims: {a: []}}`), [
    /claims\.a: expected at least one allowed value/,
  ])
  t.match(problems(`${PATH}, access: {claims: {a: null}}`), [
    /claims\.a: expected an allowed value/,
  ])
  t.match(problems(`${PATH}, access: {claims: {a: {b: 1}}}`), [/claims\.a: .*found a mapping/])
  t.match(problems(`${PATH}, access: {claims: {a: .nan}}`), [/claims\.a/])
  t.match(problems(`${PATH}, access: {claims: {a: 12345678901234567890}}`), [/claims\.a/])
})

t.test('a path begins with a slash, and a star stands only at its end', async (t) => {
  for (const path of ['/', '/*', '/a', '/a/', '/a/*', '/a%20b', '/a;b', '/é']) {
    t.strictSame(problems(`match: {path: "${path}"}, access: public`), [], path)
  }
  for (const path of [
    '',
    'a',
    '*',
    '/a*',
    '/*/a',
    '/a/*/b',
    '/**',
    '/a?b',
    '/a#b',
    '/a b',
    'http://a/',
  ]) {
    t.match(
      problems(`match: {path: "${path}"}, access: public`),
      [/match\.path: expected a path/],
      path,
    )
  }
})

t.test('hosts have no port', async (t) => {
  for (const host of [
    'a',
    'api.example.com',
    'API.example.com.',
    '*.example.com',
    '[::1]',
    '127.0.0.1',
  ]) {
    t.strictSame(problems(`match: {path: /, hosts: ["${host}"]}, access: public`), [], host)
  }
  for (const host of ['', 'a:80', '*', 'a.*', '*a.example', 'http://a', 'a/b', '.a', 'a b']) {
    t.match(
      problems(`match: {path: /, hosts: ["${host}"]}, access: public`),
      [/hosts\[0\]: expected a host/],
      host,
    )
  }
  t.match(problems('match: {path: /, hosts: []}, access: public'), [
    /leave hosts out for every host/,
  ])
})

t.test('methods are known and in capitals', async (t) => {
  t.strictSame(problems('match: {path: /, methods: [GET, POST, PROPFIND]}, access: public'), [])
  t.match(problems('match: {path: /, methods: [get]}, access: public'), [/did you mean "GET"/])
  for (const method of ['FETCH', 'CONNECT', 'TRACE', '""', '*']) {
    t.match(
      problems(`match: {path: /, methods: ["${method.replaceAll('"', '')}"]}, access: public`),
      [/methods\[0\]: expected a method in capitals/],
    )
  }
  t.match(problems('match: {path: /, methods: []}, access: public'), [
    /leave methods out for every method/,
  ])
})

t.test('a route may set its own body limit and keep the token back', async (t) => {
  t.match(load(`${PATH}, access: public, maxBody: 1MiB, forwardToken: false`), {
    maxBody: 1024 ** 2,
    forwardToken: false,
  })
  t.equal(load(`${PATH}, access: public, maxBody: none`)?.maxBody, 'none')
  t.notOk('maxBody' in (load(`${PATH}, access: public`) ?? {}))
  t.match(problems(`${PATH}, access: public, forwardToken: "no"`), [
    /expected true or false, found text/,
  ])
})

t.test('a route without match, or with an empty one, is refused', async (t) => {
  t.match(problems('access: public'), [
    /^routes\[0\]\.match: is required: expected a mapping with path/,
  ])
  t.match(problems('match: {}, access: public'), [/^routes\[0\]\.match\.path: is required/])
})

t.test('further places of a token are named, each by a name that can stand there', async (t) => {
  const more = (credentials: string) =>
    `${PATH}, access: authenticated, credentials: ${credentials}`
  t.strictSame(load(more('{cookie: __Host-token, query: access_token}'))?.credentials, {
    cookie: '__Host-token',
    query: 'access_token',
  })
  t.equal(load(`${PATH}, access: authenticated`)?.credentials, undefined)
  const origins = load(more('{cookie: a, origins: ["https://App.example:443/", "http://b:81"]}'))
  t.strictSame(origins?.credentials?.origins, ['https://app.example', 'http://b:81'])
  for (const origin of ['app.example', 'https://a/b', '"*"', '"null"'])
    t.match(problems(more(`{cookie: a, origins: [${origin}]}`)), [/origins\[0\]: expected an http/])
  t.match(problems(more('{cookie: "a b"}')), [/cookie: expected a cookie name/])
  t.match(problems(more('{cookie: "a=b"}')), [/cookie: expected a cookie name/])
  t.match(problems(more('{query: "a&b"}')), [/query: expected the name of a query parameter/])
  t.match(problems(more('{header: X-Token}')), [/credentials\.header: unknown key/])
  t.match(problems(more('cookie')), [/credentials: expected a mapping/])
})

t.test('a stream ends with its token unless the route says otherwise', async (t) => {
  t.equal(load(`${PATH}, access: authenticated`)?.atExpiry, 'end')
  t.equal(load(`${PATH}, access: authenticated, atExpiry: allow`)?.atExpiry, 'allow')
  t.match(problems(`${PATH}, access: authenticated, atExpiry: never`), [
    /expected one of end, allow/,
  ])
})

t.test('upgrades are named by protocol, in any case, and HTTP is none of them', async (t) => {
  const more = (upgrades: string) => `${PATH}, access: authenticated, upgrades: ${upgrades}`
  t.strictSame(load(`${PATH}, access: authenticated`)?.upgrades, [])
  t.strictSame(load(more('[WebSocket, raw]'))?.upgrades, ['websocket', 'raw'])
  for (const name of ['h2c', 'H2', 'HTTP', 'tls'])
    t.match(problems(more(`[${name}]`)), [/upgrades\[0\]: expected a protocol other than HTTP/])
  t.match(problems(more('["a b"]')), [/upgrades\[0\]: expected the name of a protocol/])
  t.match(problems(more('websocket')), [/upgrades: expected a list of protocols/])
})
