// Further requests beside the common table, for whole gateways alone: what the parser of HTTP refuses, what only some protocols can pass
// on, and every path under routes as weak as they come. How each is sent is for the test.
import { createHmac } from 'node:crypto'
import type { DecisionCase } from './decision-cases.ts'
import { createKey, encode, signToken, type TestIssuer } from './issuer.ts'

type Field = readonly [name: string, value: string]
type TokenKind = (issuer: TestIssuer) => string

interface Draft extends Partial<Omit<DecisionCase, 'name' | 'headers'>> {
  readonly headers?: readonly Field[]
  /** Stands for `{token}` in target and headers; a bearer token where no headers are given. */
  readonly token?: TokenKind
  readonly says?: string
}

/** Beside those of the common table. On paths.example whatever is not named is public. */
export const FURTHER_ROUTES = `
  - {name: paged, match: {path: /paged/*}, access: authenticated, upstream: up,
     credentials: {cookie: session, origins: ['https://app.example']}}
  - {name: socket, match: {path: /socket/*}, access: authenticated, upstream: up, upgrades: [websocket], credentials: {cookie: session}}
  - {name: query, match: {path: /query/*}, access: authenticated, upstream: up, credentials: {query: token}}
  - {name: pages, match: {path: /pages/*}, access: authenticated, upstream: up, cors: {origins: ['https://app.example']}}
  - {name: either, match: {path: /either/*}, access: {tokenUse: any}, upstream: up}
  - {name: weak, match: {hosts: [paths.example], path: /*}, access: public, upstream: up}
  - {name: weak-health, match: {hosts: [paths.example], path: /health}, access: authenticated, upstream: up}
  - {name: weak-admin, match: {hosts: [paths.example], path: /admin}, access: {groups: {anyOf: [admins]}}, upstream: up}
  - {name: weak-below, match: {hosts: [paths.example], path: /admin/*}, access: {groups: {anyOf: [admins]}}, upstream: up}
  - {name: weak-foo, match: {hosts: [paths.example], path: /foo/*}, access: authenticated, upstream: up}
  - {name: weak-a, match: {hosts: [paths.example], path: /a/*}, access: authenticated, upstream: up}
  - {name: weak-user, match: {hosts: [paths.example], path: /user/*}, access: authenticated, upstream: up}
`

const HOUR_S = 3_600
const nowS = () => Math.floor(Date.now() / 1000)
const stranger = createKey()

function forge(issuer: TestIssuer, alg: string, signature: (text: string) => string): string {
  const [, payload = ''] = issuer.access().split('.')
  const text = `${encode({ kid: issuer.accessKey.kid, alg })}.${payload}`
  return `${text}.${signature(text)}`
}

function hmac(issuer: TestIssuer, text: string): string {
  const pem = issuer.accessKey.publicKey.export({ type: 'spki', format: 'pem' })
  return createHmac('sha256', pem).update(text).digest('base64url')
}

const access =
  (changes: object, header: object = {}): TokenKind =>
  (issuer) =>
    issuer.access({ ...changes }, { ...header })

const plain: TokenKind = (issuer) => issuer.access()
const admin = access({ 'cognito:groups': ['admins'] })

/** Every way to get a token wrong. */
const BAD: Readonly<Record<string, TokenKind>> = {
  expired: access({ exp: nowS() - HOUR_S }),
  'never expiring': access({ exp: undefined }),
  'expiring in words': access({ exp: 'tomorrow' }),
  'not valid yet': access({ nbf: nowS() + HOUR_S }),
  'issued in the future': access({ iat: nowS() + HOUR_S }),
  'of another issuer': access({
    iss: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other',
  }),
  'of an issuer in capitals': (issuer) => issuer.access({ iss: issuer.issuer.toUpperCase() }),
  'of no issuer': access({ iss: undefined }),
  'for another client': access({ client_id: 'other' }),
  'for no client': access({ client_id: undefined }),
  'for several clients': (issuer) => issuer.access({ client_id: [issuer.clientId] }),
  'an ID token for another client': (issuer) => issuer.id({ aud: 'other' }),
  'a refresh token by its word': access({ token_use: 'refresh' }),
  'of no use': access({ token_use: undefined }),
  'without a subject': access({ sub: undefined }),
  'with a cut signature': (issuer) => issuer.access().slice(0, -4),
  'with another signature': (issuer) => `${issuer.access().slice(0, -8)}AAAAAAAA`,
  'with no signature': (issuer) => issuer.access().replace(/[^.]*$/, ''),
  'with other claims': (issuer) => {
    const [header, , signature] = issuer.access().split('.')
    return [header, encode({ sub: 'root' }), signature].join('.')
  },
  'of an unknown key': access({}, { kid: stranger.kid }),
  'signed by a stranger': (issuer) =>
    signToken(
      { kid: issuer.accessKey.kid, alg: 'RS256' },
      Buffer.from(issuer.access().split('.')[1] ?? '', 'base64url'),
      stranger.privateKey,
    ),
  'without a key’s name': access({}, { kid: undefined }),
  'without algorithm': (issuer) => forge(issuer, 'none', () => ''),
  'without algorithm, signed': (issuer) => forge(issuer, 'None', (text) => hmac(issuer, text)),
  'signed with the public key': (issuer) => forge(issuer, 'HS256', (text) => hmac(issuer, text)),
  'of another RSA algorithm': access({}, { alg: 'RS512' }),
  'with a critical extension': access({}, { crit: ['exp'] }),
  'of one segment': () => 'abc',
  'of two segments': (issuer) => issuer.access().split('.').slice(0, 2).join('.'),
  'of five segments': () => 'a.b.c.d.e',
  'with padding': (issuer) => `${issuer.access()}=`,
  'that is no JSON': (issuer) =>
    signToken({ kid: issuer.accessKey.kid, alg: 'RS256' }, '{', issuer.accessKey.privateKey),
}

/** Of paths.example. */
const PATHS: readonly string[] = [
  ...['/', '/x', '/public', '/public/', '/public/x', '/public/x/', '/admin', '/admin/', '/admin/x'],
  ...['/foo/x', '/a/x', '/user/x', '/foo', '/a'],
  ...['/health', '/health/', '/healthz', '/health;x', '/HEALTH', '/health.', '/health%20'],
  // Dot segments, as they are and in disguise.
  ...['/public/../admin', '/public/./x', '/..', '/.', '/../', '/a/..', '/a/../../admin/x'],
  ...['/x/%2e%2e/admin', '/x/.%2e/admin', '/x/%2E./admin', '/%2e/admin', '/x/%2E%2e', '/x/%2e'],
  ...['/x/..;/admin', '/x/..;a=b/admin', '/.;/admin', '/x/..%3b/admin', '/x/%2e%2e;/admin'],
  ...['/x/...', '/x/.../admin', '/.hidden', '/x/..y', '/x/a..', '/x.'],
  // Separators.
  ...['/x/..%2fadmin', '/%2fadmin', '/admin%2Fx', '/a%2f', '/x\\admin', '/x/..\\admin'],
  ...['/%5cadmin', '/x%5C..%5cadmin', '//admin', '/a//b', '///', '//', '/admin//x', '/admin/x//'],
  ...['//admin?x', '//evil.example/admin', '/\\evil.example'],
  // Parameters.
  ...['/admin;x=1', '/admin;/y', '/admin/;x', '/admin;a/x;b', '/admin%3bx', '/admin/x;y=../z'],
  ...['/public;x', '/;x', '/user;x/y'],
  // Encodings.
  ...['/%61dmin', '/adm%69n', '/%61%64%6d%69%6e/x', '/adm%69n%3bx', '/%2561dmin', '/%2541DMIN/x'],
  ...['/x/%252e%252e/admin', '/x%252fadmin', '/x%255cadmin', '/x/%25%32%65./x', '/adm%2569n/x'],
  ...['/x%00y', '/x%0ay', '/x%0d%0aX:%20y', '/x%7f', '/x%c2%85', '/x%09y'],
  ...['/x/%', '/x/%1', '/x/%zz', '/x/%u002e', '/x/%c0%ae', '/x/%c0%af', '/x/%ed%a0%80', '/x/%ff'],
  ...['/x/%e2%82', '/x/%f5%80%80%80', '/x/%%32e', '/caf%C3%A9', '/%E2%82%AC', '/x%20y', '/x+y'],
  ...['/x%26y', '/x%3Fy', '/x%25', '/x%23y'],
  // Letters.
  ...['/ADMIN', '/Admin', '/aDMIN/x', '/%41dmin/x', '/adm%C4%B1n/x', '/u%C5%BFer/x', '/USER/x'],
  // Queries and fragments.
  ...['/admin?x=/public/', '/admin?/../public', '/admin?;/public', '/admin?%2f..', '/admin??'],
  ...['/public?a=b?c/d', '/public?', '/x?a=%zz', '/x?a=\\b', '/x?a|b', '/x?[]', '/x?"<>{}^`'],
  ...['/admin#/public', '/public#', '/#admin', '/public?x#y'],
  // What is the gateway's own.
  ...['/_poolgate', '/_poolgate/x', '/_POOLGATE/x', '/_poolgate;a/x', '/_pool%67ate/x'],
  ...['/%255fpoolgate/x', '/_poolgate%3Ba/x', '/_poolgate?x', '/_poolgates/x', '/x/_poolgate'],
]

/** None of HTTP, or none in this spelling. */
const METHODS = ['get', 'Post', 'FOO', 'GETX', 'POST,GET', 'CONNECT']

const BEARER: Field = ['authorization', 'Bearer {token}']
const COOKIE: Field = ['cookie', 'session={token}']
const OWN: Field = ['origin', 'http://api.example']
const APP: Field = ['origin', 'https://app.example']
const EVIL: Field = ['origin', 'https://evil.example']
const PREFLIGHT: Field = ['access-control-request-method', 'GET']
const SOCKET: readonly Field[] = [
  ['connection', 'upgrade'],
  ['upgrade', 'websocket'],
  ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ['sec-websocket-version', '13'],
]

/** To /api/x with a plain token, where it does not say otherwise. */
const HEADERS: readonly Draft[] = [
  { headers: [] },
  ...[
    ...['Bearer', 'Bearer ', 'Bearer  {token}', 'Bearer\t{token}', 'Bearer {token} x'],
    ...['Bearer {token},{token}', 'Bearer{token}', 'bearer {token}', 'BEARER {token}', '{token}'],
    ...['Basic amFuZTp4', 'Token {token}', 'Bearer Bearer {token}', 'Bearer "{token}"', ''],
  ].map((value): Draft => ({ headers: [['authorization', value]] })),
  { says: 'twice', headers: [BEARER, BEARER] },
  { says: 'twice, once in capitals', headers: [BEARER, ['AUTHORIZATION', 'Basic x']] },
  { says: 'by another name', headers: [['x-authorization', 'Bearer {token}']] },
  { says: 'by proxy-authorization', headers: [['proxy-authorization', 'Bearer {token}']] },
  ...[
    ...['x-auth-subject', 'x-auth-groups', 'X-Auth-Groups', 'x_auth_groups', 'x.auth.groups'],
    ...['x-amzn-oidc-data', 'x-forwarded-user', 'x-real-ip', 'x-http-method-override'],
    ...['x-method-override', 'x-rewrite-url', 'x-forwarded-prefix', 'x-forwarded-port'],
    ...['x-original-host', 'forwarded', 'x-envoy-original-path', 'user-agent', 'referer'],
  ].flatMap((name): Draft[] => [
    { target: '/admin/x', headers: [BEARER, [name, 'admins']] },
    { target: '/public/x', headers: [[name, 'admins']] },
  ]),
  { says: 'a second Host', headers: [BEARER, ['Host', 'b.example']] },
  { says: 'a Host by another name', headers: [BEARER, ['X-Host', 'b.example']] },
  { says: 'a target named again', headers: [BEARER, ['x-original-url', '/public/x']] },
  { says: 'a target named again, oddly', headers: [BEARER, ['x_forwarded_uri', '/public/x']] },
  { says: 'many fields', headers: [BEARER, ...numbered(100, 'x')] },
  { says: 'too large fields', headers: [BEARER, ...numbered(40, 'x'.repeat(1000))] },
  { says: 'an expectation', headers: [BEARER, ['expect', 'tea']] },
  { says: 'obs-text', headers: [BEARER, ['x-text', 'caf\xc3\xa9 \xff']] },
  ...['GET', 'POST', 'DELETE', 'OPTIONS'].flatMap((method): Draft[] =>
    [[], [OWN], [APP], [EVIL], [['origin', 'null'] as Field]].map((origin) => ({
      method,
      target: '/paged/x',
      headers: [COOKIE, ...origin],
    })),
  ),
  { method: 'POST', target: '/paged/x', headers: [COOKIE, OWN, EVIL] },
  { method: 'POST', target: '/paged/x', headers: [COOKIE, ['sec-fetch-site', 'same-origin']] },
  { method: 'POST', target: '/paged/x', headers: [COOKIE, ['sec-fetch-site', 'cross-site']] },
  { method: 'POST', target: '/paged/x', headers: [COOKIE, BEARER, EVIL] },
  { target: '/paged/x', headers: [['cookie', 'session={token}; session={token}']] },
  { target: '/paged/x', headers: [COOKIE, COOKIE] },
  { target: '/paged/x', headers: [['cookie', 'a=b; session={token}']] },
  { target: '/paged/x', headers: [['cookie', 'Session={token}']] },
  { target: '/paged/x', headers: [['cookie', 'session=']] },
  { target: '/api/x', headers: [COOKIE] },
  { target: '/query/x?token={token}', headers: [] },
  { target: '/query/x?a&token={token}&b=c', headers: [] },
  { target: '/query/x?%74oken={token}', headers: [] },
  { target: '/query/x?token={token}&token={token}', headers: [] },
  { target: '/query/x?token=', headers: [] },
  { target: '/query/x?token={token}', headers: [BEARER] },
  { target: '/api/x?token={token}', headers: [] },
  ...[OWN, EVIL].map((origin): Draft => ({
    target: '/socket/x',
    headers: [COOKIE, origin, ...SOCKET],
  })),
  { target: '/socket/x', headers: [...SOCKET] },
  { method: 'OPTIONS', target: '/pages/x', headers: [] },
  { method: 'OPTIONS', target: '/pages/x', headers: [APP] },
  { method: 'OPTIONS', target: '/pages/x', headers: [PREFLIGHT] },
  { says: 'a preflight', method: 'OPTIONS', target: '/pages/x', headers: [APP, PREFLIGHT] },
  { method: 'OPTIONS', target: '/pages/x', headers: [EVIL, PREFLIGHT] },
  { method: 'OPTIONS', target: '/api/x', headers: [APP, PREFLIGHT] },
  { method: 'OPTIONS', target: '/public/x', headers: [APP, PREFLIGHT] },
]

function numbered(count: number, value: string): Field[] {
  return Array.from({ length: count }, (_, i) => [`x-field-${i}`, value])
}

export function createFurtherCases(issuer: TestIssuer): DecisionCase[] {
  const drafts: readonly Draft[] = [
    ...PATHS.flatMap((target) => toPathDrafts({ target })),
    ...METHODS.flatMap((method) =>
      ['/api/x', '/orders/x', '/public/x'].map((target) => ({ method, target, token: plain })),
    ),
    ...['inner.example', 'A.INNER.example.:8080', '[::1]:80', 'a.b.inner.example'].map((host) => ({
      host,
      target: '/public/x',
      token: plain,
    })),
    ...HEADERS.map((draft) => ({ token: plain, ...draft })),
    ...['/api/x', '/either/x'].flatMap((target) =>
      Object.entries(BAD).map(([says, token]): Draft => ({ target, says, token })),
    ),
  ]
  return drafts.map(createToCase(issuer))
}

export type PathDraft = Pick<Draft, 'method' | 'host'> & { readonly target: string }

/** Requests to paths.example, where they name no other host. */
export function createPathCases(issuer: TestIssuer, drafts: readonly PathDraft[]): DecisionCase[] {
  return drafts.flatMap(toPathDrafts).map(createToCase(issuer))
}

/** Without a token and with an administrator's. */
function toPathDrafts(draft: PathDraft): Draft[] {
  const toPaths = { host: 'paths.example', ...draft }
  return [toPaths, { ...toPaths, token: admin }]
}

/** Each kind of token is signed once. */
function createToCase(issuer: TestIssuer): (draft: Draft) => DecisionCase {
  const tokens = new Map<TokenKind, string>()
  const signed = (kind: TokenKind) => {
    const token = tokens.get(kind) ?? kind(issuer)
    tokens.set(kind, token)
    return token
  }
  return (draft) => {
    const { method = 'GET', target = '/api/x', token, says } = draft
    const { headers = token === undefined ? [] : [BEARER] } = draft
    const about = says ?? headers.map((field) => field.join(': ').slice(0, 60)).join(', ')
    const fill = (text: string) =>
      token === undefined ? text : text.replaceAll('{token}', signed(token))
    return {
      name: `${method} ${target.slice(0, 60)} (${about})`,
      method,
      host: 'host' in draft ? draft.host : 'api.example',
      target: fill(target),
      headers: headers.flatMap(([name, value]) => [name, fill(value)]),
    }
  }
}
