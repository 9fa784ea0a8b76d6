// Forms of the mint endpoint: what they mean, and what is refused.
import t from 'tap'
import { parseMintRequest } from '../../src/dev-pool/mint-endpoint.ts'

const NOTHING = { expiresInSeconds: undefined, groups: undefined, scope: undefined, claims: {} }

t.test('a name is enough for an access token', async (t) => {
  t.strictSame(parseMintRequest('user=jane'), { username: 'jane', use: 'access', changes: NOTHING })
  t.match(parseMintRequest('user=a%26b+c'), { username: 'a&b c' })
})

t.test('everything else can be said too', async (t) => {
  const form =
    'user=j&use=id&expires_in=60&group=a&group=b&scope=x+y&claim=custom:n=1&claim=name=a=b'
  t.strictSame(parseMintRequest(form), {
    username: 'j',
    use: 'id',
    changes: {
      expiresInSeconds: 60,
      groups: ['a', 'b'],
      scope: 'x y',
      claims: { 'custom:n': 1, name: 'a=b' },
    },
  })
})

t.test('an empty group means no group at all', async (t) => {
  t.match(parseMintRequest('user=j&group='), { changes: { groups: [] } })
})

t.test('a life has from 0 to 86400 seconds', async (t) => {
  for (const good of ['0', '86400']) {
    t.match(parseMintRequest(`user=j&expires_in=${good}`), {
      changes: { expiresInSeconds: Number(good) },
    })
  }
  for (const bad of ['-1', '86401', '1.5', '1h', '']) {
    t.equal(
      parseMintRequest(`user=j&expires_in=${bad}`),
      'expires_in is a whole number of seconds from 0 to 86400',
    )
  }
})

t.test('what cannot be meant is told', async (t) => {
  t.equal(parseMintRequest(''), 'user is required')
  t.equal(parseMintRequest('user='), 'user is required')
  t.equal(parseMintRequest('user=j&use=refresh'), 'use is access or id')
  t.equal(parseMintRequest('user=j&claim=x'), 'claim is name=value')
  t.equal(parseMintRequest('user=j&claim==x'), 'claim is name=value')
  t.match(parseMintRequest('user=j&groups=a'), /^unknown field groups; known are user, /)
})
