// Keys of the dev pool: two, strong, new at each start, and named as Cognito names them.
import t from 'tap'
import { createPoolKeys } from '../../src/dev-pool/pool-keys.ts'
import { parseKeySet } from '../../src/token/key-set.ts'

const keys = await createPoolKeys()

t.test('ID and access tokens have a key each, and only the public part is shown', async (t) => {
  t.not(keys.id.kid, keys.access.kid)
  for (const { jwk, kid } of [keys.id, keys.access]) {
    t.strictSame(Object.keys(jwk).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
    t.match(jwk, { alg: 'RS256', kty: 'RSA', use: 'sig', e: 'AQAB', kid })
    t.equal(Buffer.from(jwk.n ?? '', 'base64url').length, 256)
  }
})

t.test('a kid is plain base64 with the characters that break careless code', async (t) => {
  for (const { kid } of [keys.id, keys.access]) {
    t.match(kid, /^[A-Za-z0-9+/]{43}=$/)
    t.match(kid, /\+/)
    t.match(kid, /\//)
  }
})

t.test('another start has other keys', async (t) => {
  const other = await createPoolKeys()
  t.not(other.access.jwk.n, keys.access.jwk.n)
  t.not(other.access.kid, keys.access.kid)
})

t.test('the gateway takes both', async (t) => {
  const set = await parseKeySet({ keys: [keys.id.jwk, keys.access.jwk] })
  t.same(typeof set === 'string' ? set : [...set.keys()], [keys.id.kid, keys.access.kid])
})
