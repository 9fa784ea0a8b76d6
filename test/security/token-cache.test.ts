// The token cache rows of the security catalogue: what is remembered never widens what is allowed.
import t from 'tap'
import { parseJsonObject } from '../../src/token/strict-json.ts'
import type { SigningKey } from '../../src/token/key-set.ts'
import { createVerifier } from '../../src/token/verifier.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { encode } from '../support/issuer.ts'
import {
  ANY,
  createIssuerAt,
  createTestVerifier,
  loadKeys,
  toSettings,
} from '../support/test-verifier.ts'

const SECOND = 1000
const clock = createFakeClock()
const nowS = clock.now() / SECOND
const issuer = createIssuerAt(clock)

t.test(
  'C-01 a known token is refused at exp and the tolerance, not at the end of its cache time',
  async (t) => {
    for (const clockToleranceMs of [0, 30 * SECOND]) {
      const own = createFakeClock()
      const options = { clock: own, settings: { clockToleranceMs } }
      const { judge, lookUps } = await createTestVerifier([issuer], options)
      const token = issuer.access({ exp: nowS + 60 })
      t.equal(await judge(token), 'accepted')
      await own.advance(60 * SECOND + clockToleranceMs - 1)
      t.equal(await judge(token), 'accepted')
      t.equal(lookUps(), 1, 'still known')
      await own.advance(1)
      t.equal(await judge(token), 'token_expired')
    }
  },
)

t.test('C-02 a token known from one route is judged anew for the next', async (t) => {
  const second = createIssuerAt(clock, { issuer: 'https://second.example' })
  const { judge } = await createTestVerifier([issuer, second], { clock })
  const [access, id] = [issuer.access(), issuer.id()]
  for (const token of [access, id]) t.equal(await judge(token), 'accepted')
  t.equal(await judge(id, { userPool: undefined, tokenUse: 'access' }), 'token_use')
  t.equal(await judge(access, { userPool: undefined, tokenUse: 'id' }), 'token_use')
  t.equal(await judge(access, { userPool: 'second', tokenUse: 'access' }), 'token_issuer')
  t.equal(await judge(access, { userPool: 'main', tokenUse: 'access' }), 'accepted')
})

t.test('C-03 a token that differs from a known one anywhere is not taken for it', async (t) => {
  const { judge } = await createTestVerifier([issuer], { clock })
  const token = issuer.access()
  t.equal(await judge(token), 'accepted')
  const other = (character: string) => (character === 'A' ? 'B' : 'A')
  for (let i = 0; i < token.length; i += 7) {
    const changed = token.slice(0, i) + other(token[i] ?? '') + token.slice(i + 1)
    t.not(await judge(changed), 'accepted', `character ${i}`)
  }
  t.not(await judge(`x${token}`), 'accepted')
  t.not(await judge(token.slice(1)), 'accepted')
  t.not(await judge(token.slice(-32)), 'accepted')
  const [head = '', , signature = ''] = token.split('.')
  t.equal(await judge(`${head}.${encode({ admin: true })}.${signature}`), 'token_signature')
})

t.test('C-04 the 16 spellings of a token make one entry', async (t) => {
  const { judge, verifier } = await createTestVerifier([issuer], { clock })
  const token = issuer.access()
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  for (const last of alphabet) await judge(token.slice(0, -1) + last)
  for (const padding of ['=', '==']) await judge(token + padding)
  t.equal(verifier.stats().entries, 1)
  t.equal(await judge(token), 'accepted')
})

t.test('C-05 a token that becomes good is accepted when it does', async (t) => {
  const own = createFakeClock()
  const { judge } = await createTestVerifier([issuer], { clock: own })
  const early = issuer.access({ nbf: nowS + 5 })
  t.equal(await judge(early), 'token_not_yet_valid')
  await own.advance(5 * SECOND - 1)
  t.equal(await judge(early), 'token_not_yet_valid')
  await own.advance(1)
  t.equal(await judge(early), 'accepted')
  let keys = await loadKeys({ keys: [issuer.idKey.jwk] })
  const verifier = createVerifier({
    clock: own,
    pools: [
      {
        settings: toSettings(issuer),
        keys: {
          find: (kid) => keys.get(kid),
          usable: () => true,
          failing: () => false,
          refreshNow: () => undefined,
          retryAfterSeconds: () => 1,
        },
      },
    ],
    cache: { entries: 10, bytes: 1024 * 1024, ttlMs: 60 * SECOND },
    toPrincipal: (verified) => verified,
  })
  const token = issuer.access()
  t.match(verifier.verify(token, ANY), { reason: 'token_key_unknown' })
  keys = await loadKeys(issuer.jwks())
  t.match(verifier.verify(token, ANY), { tokenUse: 'access' })
})

t.test(
  'C-06 a flood of well-shaped garbage evicts no good token and stays within its bound',
  async (t) => {
    const { judge, verifier, lookUps } = await createTestVerifier([issuer], { clock })
    const good = Array.from({ length: 20 }, () => issuer.access())
    for (const token of good) await judge(token)
    const [head = '', payload = ''] = (good[0] ?? '').split('.')
    const signature = Buffer.alloc(256, 1)
    const garbage = (i: number) => {
      signature.writeUInt32BE(i, 252)
      return `${head}.${payload}.${signature.toString('base64url')}`
    }
    for (let i = 0; i < 5_000; i++) await judge(garbage(i))
    const before = lookUps()
    t.same(
      await Promise.all(good.map((token) => judge(token))),
      good.map(() => 'accepted'),
    )
    t.equal(lookUps(), before, 'every good token is still known')
    t.same(verifier.stats().entries, 20)
    t.equal(verifier.stats().evictions, 0)
    t.equal(await judge(garbage(0)), 'token_signature')
    t.equal(lookUps(), before, 'refusals are remembered')
    t.equal(await judge(garbage(4_999)), 'token_signature')
    t.equal(lookUps(), before + 1, 'within their bound')
    t.equal(await judge(garbage(4_999)), 'token_signature')
    t.equal(lookUps(), before + 1, 'and one that comes again enters')
  },
)

t.test('C-07 100,000 interleaved requests of 100 users are never mixed up', async (t) => {
  const { verifier } = await createTestVerifier([issuer], { clock })
  const users = Array.from({ length: 100 }, (_, i) => ({
    sub: `user-${i}`,
    token: issuer.access({ sub: `user-${i}` }),
  }))
  let mixedUp = 0
  for (let i = 0; i < 100_000; i++) {
    const user = users[(i * 37) % 100]
    const outcome = verifier.verify(user?.token ?? '', ANY)
    if (!('claims' in outcome) || outcome.claims.sub !== user?.sub) mixedUp++
  }
  t.equal(mixedUp, 0)
})

t.test('C-07 first requests that wait for the same keys each get their own answer', async (t) => {
  const keys = await loadKeys(issuer.jwks())
  let known = new Map<string, SigningKey>() as Awaited<ReturnType<typeof loadKeys>>
  const fetched = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
    known = keys
  })
  const verifier = createVerifier({
    clock,
    pools: [
      {
        settings: toSettings(issuer),
        keys: {
          find: (kid) => known.get(kid),
          usable: () => known.size > 0,
          failing: () => false,
          refreshNow: () => fetched,
          retryAfterSeconds: () => 1,
        },
      },
    ],
    cache: { entries: 100, bytes: 1024 * 1024, ttlMs: 60 * SECOND },
    toPrincipal: (verified) => verified,
  })
  const subs = Array.from({ length: 50 }, (_, i) => `user-${i}`)
  const outcomes = await Promise.all(
    subs.map((sub) => verifier.verify(issuer.access({ sub }), ANY)),
  )
  t.same(
    outcomes.map((outcome) => ('claims' in outcome ? outcome.claims.sub : outcome.reason)),
    subs,
  )
})

t.test('C-08 what a removed key or client has verified is gone at once', async (t) => {
  const keys = await loadKeys(issuer.jwks())
  const create = async (clientIds: string[]) =>
    createTestVerifier([issuer], { clock, settings: { clientIds } })
  const before = await create([issuer.clientId])
  const token = issuer.access()
  t.equal(await before.judge(token), 'accepted')
  before.verifier.forget([...keys.values()])
  t.equal(before.verifier.stats().entries, 1, 'a key of another set is another key')
  const after = await create(['another-client'])
  t.equal(await after.judge(token), 'token_client')
})

t.test('C-09 nobody can change the claims that the next request sees', async (t) => {
  const { verifier } = await createTestVerifier([issuer], { clock })
  const token = issuer.access({ 'cognito:groups': ['users'], nested: { list: [{}] } })
  const first = verifier.verify(token, ANY)
  if (!('claims' in first)) throw new Error(`the token was refused`)
  const claims = first.claims as {
    'cognito:groups': string[]
    nested: { list: object[] }
    sub: string
  }
  for (const change of [
    () => claims['cognito:groups'].push('admins'),
    () => Object.assign(claims, { sub: 'other' }),
    () => Object.assign(claims.nested, { admin: true }),
    () => Object.assign(claims.nested.list[0] ?? {}, { admin: true }),
    () => delete (claims as { sub?: string }).sub,
  ]) {
    t.throws(change, TypeError)
  }
  t.match(verifier.verify(token, ANY), { claims: { 'cognito:groups': ['users'] } })
})

t.test('C-10 claims with integer-like names cost no more than others', async (t) => {
  const payloadOf = (nameOf: (i: number) => string) =>
    Buffer.from(
      JSON.stringify(Object.fromEntries(Array.from({ length: 1_200 }, (_, i) => [nameOf(i), 1]))),
    )
  const payloads = [
    payloadOf((i) => `${i * 65_536}`),
    payloadOf((i) => `${4_294_967_295 + i}`),
    payloadOf((i) => `n${i}`),
  ]
  for (const payload of payloads) {
    t.ok(payload.length < 20_480)
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now()
      t.ok(parseJsonObject(payload))
      return performance.now() - start
    })
    t.ok(Math.min(...times) < 20)
  }
})
