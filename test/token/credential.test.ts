// Which Authorization values hold a bearer token, and which are refused before a token is looked at.
import t from 'tap'
import type { RequestFacts } from '../../src/http/request-facts.ts'
import type { CredentialPlaces } from '../../src/token/credential-places.ts'
import { findCredential, parseCredential } from '../../src/token/credential.ts'
import { isRejected } from '../../src/token/verifier.ts'

const reasonOf = (value: string | undefined) => {
  const credential = parseCredential(value)
  return typeof credential === 'string' ? credential : credential.reason
}

t.test('the token of a Bearer value is what follows the one space', async (t) => {
  t.equal(reasonOf('Bearer aaa.bbb.ccc'), 'aaa.bbb.ccc')
})

t.test('the case of the scheme does not matter', async (t) => {
  for (const scheme of ['bearer', 'BEARER', 'bEaReR']) t.equal(reasonOf(`${scheme} abc`), 'abc')
})

t.test('without the field the credential is missing', async (t) => {
  t.equal(reasonOf(undefined), 'credential_missing')
})

t.test('another scheme, no token and a wrong space are malformed', async (t) => {
  const values = [
    '',
    'Bearer',
    'Bearer ',
    'Bearer\tabc',
    'Bearerabc',
    ' Bearer abc',
    'Basic YTpi',
    'abc',
  ]
  for (const value of values)
    t.equal(reasonOf(value), 'credential_malformed', JSON.stringify(value))
})

t.test('more than one token is malformed', async (t) => {
  const values = [
    'Bearer  abc',
    'Bearer abc ',
    'Bearer abc def',
    'Bearer abc,def',
    'Bearer abc\tdef',
  ]
  for (const value of values)
    t.equal(reasonOf(value), 'credential_malformed', JSON.stringify(value))
})

interface Given {
  readonly authorization?: string
  readonly query?: string
  readonly headers?: readonly string[]
  readonly upgrade?: string
}

const ALL: CredentialPlaces = { cookie: 'token', query: 'token', webSocketProtocol: true }
const COOKIE = ['cookie', 'token=c']
const PROTOCOL = ['Sec-WebSocket-Protocol', 'chat, bearer.p']

/** The token, with its place where a browser sends it by itself; or the reason. */
function find(given: Given, places: CredentialPlaces = ALL): string {
  const { authorization, query = '', headers = [], upgrade } = given
  const facts = { authorization, target: { query }, headers, upgrade } as unknown as RequestFacts
  const presented = findCredential(facts, places)
  if (isRejected(presented)) return presented.reason
  return presented.isAmbient ? `${presented.token} from a cookie` : presented.token
}

t.test('a token is found in each place that the route names, and nowhere else', async (t) => {
  t.equal(find({ authorization: 'Bearer a' }), 'a')
  t.equal(find({ query: '?x=1&token=q%2Eq' }), 'q.q')
  t.equal(find({ headers: PROTOCOL, upgrade: 'websocket' }), 'p')
  t.equal(find({ headers: ['Cookie', 'x=1; token=c'] }), 'c from a cookie')
  t.equal(find({ headers: ['cookie', 'x=1', 'COOKIE', 'token=c'] }), 'c from a cookie')
  const missing = 'credential_missing'
  t.equal(find({}), missing)
  t.equal(find({ query: '?token=q' }, { cookie: 'token' }), missing)
  t.equal(find({ headers: COOKIE }, { query: 'token' }), missing)
  t.equal(find({ headers: COOKIE }, { cookie: 'other' }), missing)
  t.equal(find({ headers: PROTOCOL, upgrade: 'websocket' }, { query: 'token' }), missing)
  t.equal(find({ headers: PROTOCOL }), missing, 'no WebSocket, no subprotocols')
  t.equal(find({ headers: PROTOCOL, upgrade: 'other' }), missing)
})

t.test('a token in two places that are filled on purpose is ambiguous', async (t) => {
  const ambiguous = 'credential_ambiguous'
  const authorization = 'Bearer a'
  t.equal(find({ authorization, query: '?token=q' }), ambiguous)
  t.equal(find({ authorization: 'Basic a', query: '?token=q' }), ambiguous)
  t.equal(find({ authorization, headers: PROTOCOL, upgrade: 'websocket' }), ambiguous)
  t.equal(find({ query: '?token=', headers: PROTOCOL, upgrade: 'websocket' }), ambiguous)
  t.equal(find({ authorization, query: '?token=q' }, { cookie: 'token' }), 'a', 'not read there')
})

t.test('twice in one place is ambiguous, also when both are the same', async (t) => {
  const ambiguous = 'credential_ambiguous'
  t.equal(find({ query: '?token=q&token=q' }), ambiguous)
  t.equal(find({ query: '?token=&%74oken=q' }), ambiguous)
  t.equal(find({ headers: ['cookie', 'token=c; token=c'] }), ambiguous)
  t.equal(find({ headers: [...COOKIE, 'Cookie', 'token=d'] }), ambiguous)
  const headers = ['sec-websocket-protocol', 'bearer.a', 'sec-websocket-protocol', 'bearer.b']
  t.equal(find({ headers, upgrade: 'websocket' }), ambiguous)
})

t.test('a cookie counts only where there is nothing else', async (t) => {
  t.equal(find({ authorization: 'Bearer a', headers: COOKIE }), 'a')
  t.equal(find({ authorization: 'Basic a', headers: COOKIE }), 'credential_malformed')
  t.equal(find({ query: '?token=q', headers: [...COOKIE, ...COOKIE] }), 'q')
  t.equal(find({ headers: [...PROTOCOL, ...COOKIE], upgrade: 'websocket' }), 'p')
})

t.test('an empty or broken value is malformed, never passed over', async (t) => {
  const malformed = 'credential_malformed'
  t.equal(find({ query: '?token', headers: COOKIE }), malformed)
  t.equal(find({ query: '?token=%ff', headers: COOKIE }), malformed)
  t.equal(find({ headers: ['cookie', 'token='] }), malformed)
  t.equal(find({ headers: ['Sec-WebSocket-Protocol', 'bearer.'], upgrade: 'websocket' }), malformed)
})
