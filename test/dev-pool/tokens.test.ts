// Minted tokens: exactly Cognito's headers and claims, no more and no less.
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import t from 'tap'
import { createPoolKeys } from '../../src/dev-pool/pool-keys.ts'
import { createTokens } from '../../src/dev-pool/tokens.ts'
import { parseUsersFile } from '../../src/dev-pool/users-file.ts'
import type { DevUser } from '../../src/dev-pool/user.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const ISSUER = 'http://127.0.0.1:1/local_test'
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const keys = await createPoolKeys()
const clock = createFakeClock(Date.UTC(2026, 0, 1) + 999)
const NOW = Date.UTC(2026, 0, 1) / 1000
const directory = parseUsersFile(
  `
groups:
  admins: {role: 'arn:aws:iam::123456789012:role/a', precedence: 1}
users:
  jane:
    password: x
    sub: the-subject
    groups: [admins, readers]
    scopes: [orders/read]
    attributes: {email: j@example.com, email_verified: true, given_name: Jané, 'custom:level': '7'}
  solo: {password: x}
`,
  'u.yaml',
)
const tokens = createTokens({
  clock,
  keys,
  issuer: ISSUER,
  clientId: 'the-client',
  directory: () => directory,
})
const user = (name: string) => directory.users.get(name) as DevUser
const signIn = {
  authTime: 5,
  originJti: 'the-origin',
  eventId: 'the-event',
  clientId: 'the-client',
}

t.test('an access token has these claims and no others', async (t) => {
  const token = await tokens.mint('access', user('jane'), signIn)
  const { jti, ...claims } = decodeJwt(token)
  t.match(jti, UUID)
  t.strictSame(claims, {
    sub: 'the-subject',
    'cognito:groups': ['admins', 'readers'],
    iss: ISSUER,
    version: 2,
    client_id: 'the-client',
    origin_jti: 'the-origin',
    event_id: 'the-event',
    token_use: 'access',
    scope: 'aws.cognito.signin.user.admin orders/read',
    auth_time: 5,
    exp: NOW + 3600,
    iat: NOW,
    username: 'jane',
  })
})

t.test('an ID token has these claims and no others', async (t) => {
  const token = await tokens.mint('id', user('jane'), signIn)
  const { jti, ...claims } = decodeJwt(token)
  t.match(jti, UUID)
  t.strictSame(claims, {
    sub: 'the-subject',
    'cognito:groups': ['admins', 'readers'],
    email_verified: true,
    'cognito:preferred_role': 'arn:aws:iam::123456789012:role/a',
    iss: ISSUER,
    'cognito:username': 'jane',
    origin_jti: 'the-origin',
    'cognito:roles': ['arn:aws:iam::123456789012:role/a'],
    aud: 'the-client',
    event_id: 'the-event',
    token_use: 'id',
    auth_time: 5,
    exp: NOW + 3600,
    iat: NOW,
    email: 'j@example.com',
    given_name: 'Jané',
    'custom:level': '7',
  })
})

t.test('who is in no group has no groups claim, and no roles', async (t) => {
  for (const use of ['access', 'id'] as const) {
    const claims = decodeJwt(await tokens.mint(use, user('solo'), signIn))
    t.notOk(Object.keys(claims).some((name) => /groups|role/.test(name)))
  }
})

t.test('the header is kid and alg alone, and each use has its own key', async (t) => {
  for (const use of ['access', 'id'] as const) {
    const token = await tokens.mint(use, user('jane'), signIn)
    t.strictSame(decodeProtectedHeader(token), { kid: keys[use].kid, alg: 'RS256' })
    const currentDate = new Date(clock.now())
    await t.resolves(jwtVerify(token, keys[use].publicKey, { currentDate }))
    const other = use === 'id' ? keys.access : keys.id
    await t.rejects(jwtVerify(token, other.publicKey, { currentDate }))
  }
})

t.test('no two tokens are the same, and a new sign-in has its own origin', async (t) => {
  const [one, other] = await Promise.all([
    tokens.mint('access', user('jane'), signIn),
    tokens.mint('access', user('jane'), signIn),
  ])
  t.not(decodeJwt(one ?? '').jti, decodeJwt(other ?? '').jti)
  const [first, second] = [tokens.signIn(), tokens.signIn()]
  t.match(first, { authTime: NOW, originJti: UUID, eventId: UUID })
  t.not(first.originJti, second.originJti)
})

t.test('what is wanted otherwise goes over the rest', async (t) => {
  const mint = async (changes: Parameters<typeof tokens.mint>[3]) =>
    decodeJwt(await tokens.mint('access', user('jane'), signIn, changes))
  t.equal((await mint({ expiresInSeconds: 60 })).exp, NOW + 60)
  t.equal((await mint({ expiresInSeconds: 0 })).exp, NOW)
  t.same((await mint({ groups: ['x'] }))['cognito:groups'], ['x'])
  t.notHas(await mint({ groups: [] }), 'cognito:groups')
  t.equal((await mint({ scope: 'a b' })).scope, 'a b')
  t.equal((await mint({ claims: { username: 'other' } })).username, 'other')
  t.notHas(await mint({ claims: { sub: undefined } }), 'sub')
})
