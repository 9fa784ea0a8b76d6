// What an upstream gets: the client's fields without what it may not say, then the principal, then where it came from.
import t from 'tap'
import { compileOwnCookies } from '../../src/http/own-cookies.ts'
import type { RequestFacts } from '../../src/http/request-facts.ts'
import { parseRequestTarget, type RequestTarget } from '../../src/http/request-target.ts'
import type { Allow } from '../../src/policy/decision.ts'
import type { Principal } from '../../src/policy/principal.ts'
import {
  compileUpstreamHeaders,
  compileUpstreamTrailers,
  forwardedCookies,
} from '../../src/proxy/upstream-headers.ts'

const build = compileUpstreamHeaders(['x-auth-subject', 'x-who'])
const target = parseRequestTarget('/x', 'a') as RequestTarget

function toFacts(headers: readonly string[], changes: Partial<RequestFacts> = {}): RequestFacts {
  return {
    method: 'GET',
    host: { name: 'a', port: '', authority: 'a' },
    target,
    headers,
    authorization: undefined,
    peerAddress: '192.0.2.1',
    peerTrusted: false,
    clientAddress: '192.0.2.1',
    secure: false,
    hasBody: false,
    contentLength: undefined,
    ...changes,
  }
}

function toAllow(forwardToken = true, identityHeaders?: readonly string[]): Allow {
  return {
    kind: 'allow',
    route: { name: 'r', index: 0, upstream: 'up', forwardToken, maxBody: Infinity },
    principal: identityHeaders && ({ identityHeaders } as Principal),
  }
}

const OWN = [
  ...['x-forwarded-for', '192.0.2.1', 'x-forwarded-proto', 'http', 'x-forwarded-host', 'a'],
  ...['x-request-id', 'id-1'],
]

t.test('other fields stay as they are, before Poolgate’s own', async (t) => {
  const headers = ['Host', 'a', 'Accept', 'b', 'X-A', '\xe9', 'accept', 'c', 'X-Empty', '']
  t.same(build(toFacts(headers), toAllow(), 'id-1'), [...headers, ...OWN])
})

t.test('identity fields of a client go in every spelling, from a trusted peer too', async (t) => {
  const names = [
    'X-Auth-Subject',
    'x_auth_subject',
    'X.Who',
    'x-auth-new',
    'X-Amzn-Oidc-Data',
    'a_b',
  ]
  for (const name of names) {
    for (const peerTrusted of [false, true]) {
      const lines = build(toFacts([name, 'root'], { peerTrusted }), toAllow(), 'id-1')
      t.notOk(lines.includes('root'), `${name} ${peerTrusted}`)
    }
  }
  const lines = build(toFacts(['X-Who', 'root']), toAllow(true, ['x-who', 'jane']), 'id-1')
  t.same(lines, ['x-who', 'jane', ...OWN])
})

t.test('Connection takes fields away, but neither Host nor the length nor identity', async (t) => {
  const headers = ['Host', 'a', 'Connection', 'host, content-length, x-a, x-who', 'X-A', '1']
  t.same(
    build(toFacts([...headers, 'Content-Length', '2']), toAllow(true, ['x-who', 'jane']), 'id-1'),
    ['Host', 'a', 'Content-Length', '2', 'x-who', 'jane', ...OWN],
  )
  t.same(build(toFacts(['Connection', 'keep-alive', 'X-A', '1']), toAllow(), 'id-1'), [
    ...['X-A', '1'],
    ...OWN,
  ])
})

t.test('the token goes on unless the route keeps it back', async (t) => {
  const facts = toFacts(['AUTHORIZATION', 'Bearer x'])
  t.same(build(facts, toAllow(true), 'id-1'), ['AUTHORIZATION', 'Bearer x', ...OWN])
  t.same(build(facts, toAllow(false), 'id-1'), OWN)
})

const FORWARDED = [
  ...['X-Forwarded-For', '203.0.113.9', 'X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'shop'],
  ...['X-Real-IP', '203.0.113.9', 'Forwarded', 'for=x'],
]

t.test('where a request came from is what Poolgate saw', async (t) => {
  t.same(build(toFacts(FORWARDED), toAllow(), 'id-1'), OWN)
  t.equal(build(toFacts([], { secure: true }), toAllow(), 'id-1')[3], 'https')
  const unknown = build(toFacts([], { peerAddress: '' }), toAllow(), 'id-1')
  t.equal(unknown[0], 'x-forwarded-proto', 'a Unix socket has no address')
})

t.test('a trusted peer says it, and its own address is added', async (t) => {
  t.same(build(toFacts(FORWARDED, { peerTrusted: true }), toAllow(), 'id-1'), [
    ...FORWARDED.slice(2),
    ...['x-forwarded-for', '203.0.113.9, 192.0.2.1', 'x-request-id', 'id-1'],
  ])
  t.same(build(toFacts([], { peerTrusted: true }), toAllow(), 'id-1'), OWN)
})

t.test('nobody, not even a trusted peer, turns it into another request', async (t) => {
  for (const name of ['X-Original-URL', 'X-Rewrite-URL', 'X-HTTP-Method-Override']) {
    for (const peerTrusted of [false, true])
      t.same(build(toFacts([name, '/admin'], { peerTrusted }), toAllow(), 'id-1'), OWN, name)
  }
})

t.test('names beyond those remembered are judged alike', async (t) => {
  for (let i = 0; i < 600; i++) {
    const lines = build(toFacts([`X-${i}`, 'kept', `X-Auth-${i}`, 'root']), toAllow(), 'id-1')
    t.same(lines.slice(0, 2), [`X-${i}`, 'kept'])
    t.notOk(lines.includes('root'))
  }
})

t.test(
  'a token in a cookie goes on with forwardToken alone; other cookies stay as they are',
  async (t) => {
    const headers = ['Cookie', 'a=1; token=t; b="2"', 'cookie', 'token=u', 'COOKIE', 'c=3;  d']
    const allow = (forwardToken: boolean, cookie: string | undefined): Allow => {
      const { route, ...rest } = toAllow(forwardToken)
      return { ...rest, route: { ...route, places: cookie === undefined ? undefined : { cookie } } }
    }
    const cookies = (given: Allow) => build(toFacts(headers), given, 'id-1').slice(0, -OWN.length)
    t.same(cookies(allow(true, 'token')), headers)
    t.same(cookies(allow(false, undefined)), headers)
    t.same(cookies(allow(false, 'token')), ['Cookie', 'a=1; b="2"', 'COOKIE', 'c=3;  d'])
  },
)

t.test('a token among the subprotocols never goes on where the route takes it there', async (t) => {
  const headers = ['Sec-WebSocket-Protocol', 'chat, bearer.t', 'sec-websocket-protocol', 'bearer.u']
  const { route } = toAllow()
  const lines = (webSocketProtocol: boolean) =>
    build(
      toFacts(headers),
      { kind: 'allow', route: { ...route, places: { webSocketProtocol } }, principal: undefined },
      'id-1',
    ).slice(0, -OWN.length)
  t.same(lines(true), ['Sec-WebSocket-Protocol', 'chat'])
  t.same(lines(false), headers)
})

t.test('trailers say nothing that fields may not say', async (t) => {
  const build = compileUpstreamTrailers(['x-user'])
  const kept = ['x-sum', '1', 'grpc-status-details-bin', 'AA==']
  const dropped = [
    'x-auth-groups',
    'x_auth_groups',
    'x-user',
    'authorization',
    'host',
    'content-length',
  ]
  const fields = [...dropped, 'x-forwarded-for', 'transfer-encoding', 'cookie']
  t.strictSame(build([...kept, ...fields.flatMap((name) => [name, 'x'])]), kept)
})

t.test(
  'the gateway’s own cookies end at the gateway, and the others go on as they were (H-21)',
  async (t) => {
    const isOwn = compileOwnCookies(['__Host-app'])
    const forward = (field: string) => forwardedCookies(field, { forwardToken: true }, isOwn)
    t.equal(forward('a=1;  b=2'), 'a=1;  b=2')
    t.equal(forward('a=1; __Host-app=x; __Host-app.1=y; b=2'), 'a=1; b=2')
    t.equal(forward('__Host-app=x'), '')
    t.equal(forward('__Host-poolgate-attempt-1=x;c'), 'c')
    t.equal(
      forwardedCookies(
        't=1; __Host-app=x; u=2',
        { forwardToken: false, places: { cookie: 't' } },
        isOwn,
      ),
      'u=2',
    )
  },
)
