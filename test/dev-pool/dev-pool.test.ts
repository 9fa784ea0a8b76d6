// The dev pool as a whole: its documents, its tokens in the eyes of three verifiers, its start and its end.
import { createServer } from 'node:net'
import { join } from 'node:path'
import { JwtRsaVerifier } from 'aws-jwt-verify'
import { SimpleJwksCache } from 'aws-jwt-verify/jwk'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import t from 'tap'
import { listenOn } from '../../src/base/listen.ts'
import { startDevPool } from '../../src/dev-pool/dev-pool.ts'
import { UsersFileError } from '../../src/dev-pool/users-file.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { realClock } from '../support/real-clock.ts'

const pool = await startDevPool({ clock: realClock, port: 0 })
t.teardown(pool.stop)

t.test('the issuer is a loopback address with the pool id', async (t) => {
  t.equal(pool.issuer, `${pool.origin}/${pool.userPoolId}`)
  t.match(pool.origin, /^http:\/\/127\.0\.0\.1:\d+$/)
  t.match(pool.userPoolId, /^[\w-]+_[0-9a-zA-Z]+$/)
  t.match(pool.clientId, /^[a-z0-9]{26}$/)
})

t.test('the discovery document names the issuer, its keys and its endpoints', async (t) => {
  const answer = await fetch(`${pool.issuer}/.well-known/openid-configuration`)
  t.equal(answer.headers.get('content-type'), 'application/json')
  t.equal(answer.headers.get('access-control-allow-origin'), '*')
  const document = (await answer.json()) as Record<string, unknown>
  t.equal(document.issuer, pool.issuer)
  t.equal(document.jwks_uri, pool.jwksUri)
  t.same(document.id_token_signing_alg_values_supported, ['RS256'])
  for (const [name, url] of Object.entries(document)) {
    if (!name.endsWith('_endpoint')) continue
    t.match(url, pool.origin, name)
    t.not((await fetch(String(url))).status, 404, name)
  }
})

t.test("jose and AWS's own library verify its tokens", async (t) => {
  const accessToken = await pool.mint('reader')
  const idToken = await pool.mint('reader', { use: 'id' })
  const keys = createRemoteJWKSet(new URL(pool.jwksUri))
  const jwksCache = new SimpleJwksCache({
    fetcher: { fetch: async () => (await fetch(pool.jwksUri)).arrayBuffer() },
  })
  const { issuer, jwksUri, clientId } = pool
  const verifier = JwtRsaVerifier.create({ issuer, jwksUri, audience: null }, { jwksCache })
  for (const token of [accessToken, idToken]) {
    const { payload } = await jwtVerify(token, keys, { issuer, algorithms: ['RS256'] })
    t.same(payload, await verifier.verify(token))
  }
  t.equal((await verifier.verify(idToken, { audience: clientId })).given_name, 'Renée')
})

t.test('a minted token is what was asked for', async (t) => {
  t.match(decodeJwt(await pool.mint('admin')), { token_use: 'access', username: 'admin' })
  t.match(decodeJwt(await pool.mint('admin', { use: 'id', claims: { email: 'x@y.z' } })), {
    token_use: 'id',
    email: 'x@y.z',
    'cognito:groups': ['admins'],
  })
  await t.rejects(pool.mint('nobody'), { message: 'the dev pool has no user nobody' })
})

t.test('two pools share neither keys nor tokens', async (t) => {
  const other = await startDevPool({ clock: realClock, port: 0 })
  t.teardown(other.stop)
  const keys = createRemoteJWKSet(new URL(other.jwksUri))
  await t.rejects(jwtVerify(await pool.mint('admin'), keys), { code: 'ERR_JWKS_NO_MATCHING_KEY' })
})

t.test(
  'a users file that cannot be used, or a port that is taken, is an error that leaves nothing behind',
  async (t) => {
    const clock = createFakeClock()
    const usersFile = join(t.testdir({ 'u.yaml': 'users: {a: {password: x}}' }), 'u.yaml')
    await t.rejects(startDevPool({ clock, port: 0, usersFile: `${usersFile}.not` }), UsersFileError)
    const taken = createServer()
    const address = await listenOn(taken, { kind: 'tcp', host: '127.0.0.1', port: 0 })
    t.teardown(() => taken.close())
    const port = Number(address.split(':')[1])
    await t.rejects(startDevPool({ clock, port, usersFile }), { code: 'EADDRINUSE' })
    t.equal(clock.pending(), 0)
  },
)

t.test('after stop nobody answers and nothing is watched', async (t) => {
  const clock = createFakeClock()
  const usersFile = join(t.testdir({ 'u.yaml': 'users: {a: {password: x}}' }), 'u.yaml')
  const other = await startDevPool({ clock, port: 0, usersFile })
  t.same(
    other.users().map(({ username }) => username),
    ['a'],
  )
  t.equal(clock.pending(), 1)
  await other.stop()
  t.equal(clock.pending(), 0)
  await t.rejects(fetch(other.jwksUri))
})
