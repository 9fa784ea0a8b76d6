// What a verified token says of its caller, and the header lines that say it on.
import t from 'tap'
import { compilePrincipal } from '../../src/policy/principal.ts'

const DEFAULTS = {
  'x-auth-subject': 'sub',
  'x-auth-username': 'username',
  'x-auth-groups': 'cognito:groups',
  'x-auth-client-id': 'client_id',
  'x-auth-email': 'email',
}

function principalOf(
  claims: Record<string, unknown>,
  tokenUse: 'access' | 'id' = 'access',
  headers: Record<string, string> = DEFAULTS,
) {
  return compilePrincipal(headers)({
    userPool: 'main',
    tokenUse,
    claims,
    validFromMs: 0,
    validUntilMs: 1,
  })
}

t.test('an access token gives its own names', async (t) => {
  const principal = principalOf({
    sub: 's',
    username: 'jane',
    client_id: 'c',
    aud: 'x',
    'cognito:groups': ['a', 'b,c'],
  })
  t.match(principal, { subject: 's', clientId: 'c', groups: ['a', 'b,c'], scopes: [] })
  t.same(principal.identityHeaders, [
    'x-auth-subject',
    's',
    'x-auth-username',
    'jane',
    'x-auth-groups',
    'a,b%2Cc',
    'x-auth-client-id',
    'c',
  ])
})

t.test('an ID token gives username and client_id under its own names', async (t) => {
  const principal = principalOf(
    {
      sub: 's',
      'cognito:username': 'jane',
      username: 'no',
      aud: 'c',
      client_id: 'no',
      email: 'j@e',
    },
    'id',
  )
  t.same(principal.identityHeaders, [
    'x-auth-subject',
    's',
    'x-auth-username',
    'jane',
    'x-auth-client-id',
    'c',
    'x-auth-email',
    'j@e',
  ])
  t.equal(principal.clientId, 'c')
})

t.test(
  'H-02: a claim that the token lacks sends no header, and neither does an empty list or null',
  async (t) => {
    t.same(principalOf({}).identityHeaders, [])
    t.same(principalOf({ 'cognito:groups': [], email: null }).identityHeaders, [])
  },
)

t.test('H-14, H-15: values are encoded so that decoding gives the claim back', async (t) => {
  for (const value of ['a\r\nx-auth-groups: admins', 'żółć', ' a ', '100%', '\u2028', '😀']) {
    const [, encoded = ''] = principalOf({ email: value }).identityHeaders
    t.match(encoded, /^[!-~]([ -~]*[!-~])?$/, encodeURIComponent(value))
    t.equal(decodeURIComponent(encoded), value)
  }
})

t.test(
  'numbers and truth values are written as JSON writes them, structures as JSON',
  async (t) => {
    const headers = { 'x-n': 'n', 'x-b': 'b', 'x-o': 'o', 'x-m': 'm' }
    const { identityHeaders } = principalOf(
      { n: 1.5, b: false, o: { a: [1] }, m: ['a', 1] },
      'access',
      headers,
    )
    t.same(
      identityHeaders.filter((_, i) => i % 2 === 0),
      ['x-n', 'x-b', 'x-o', 'x-m'],
    )
    t.same(identityHeaders.filter((_, i) => i % 2 === 1).map(decodeURIComponent), [
      '1.5',
      'false',
      '{"a":[1]}',
      '["a",1]',
    ])
  },
)

t.test('claims of the wrong shape are nobody: no groups, no scopes, no names', async (t) => {
  t.match(principalOf({ sub: 1, client_id: ['c'], 'cognito:groups': 'a', scope: ['s'] }), {
    subject: '',
    clientId: '',
    groups: undefined,
    scopes: undefined,
  })
})

t.test('a name on the prototype is no claim', async (t) => {
  t.same(
    principalOf({}, 'access', { 'x-c': 'constructor', 'x-p': '__proto__' }).identityHeaders,
    [],
  )
})
