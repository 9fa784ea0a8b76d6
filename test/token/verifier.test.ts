// The verifier's order of checks, what it remembers and for how long, and when it asks for keys.
import t from 'tap'
import { createTurnBudget } from '../../src/base/turn-budget.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { createKey, encode, signToken, type TestIssuer } from '../support/issuer.ts'
import {
  ANY,
  createIssuerAt,
  createTestVerifier,
  loadKeys,
  toSettings,
} from '../support/test-verifier.ts'
import { createVerifier, isRejected, type VerifierPool } from '../../src/token/verifier.ts'

const SECOND = 1000
const clock = createFakeClock()
const issuer = createIssuerAt(clock)
const nowS = clock.now() / SECOND
const ACCESS = { userPool: undefined, tokenUse: 'access' } as const

/** A verifier whose one key set can be changed and which tells how often it was asked to fetch. */
async function createKeyBench(of: TestIssuer) {
  const bench = { keys: await loadKeys(of.jwks()), usable: true, failing: false, asked: 0 }
  let answer: Promise<void> | undefined
  const pool: VerifierPool = {
    settings: toSettings(of),
    keys: {
      find: (kid) => bench.keys.get(kid),
      usable: () => bench.usable,
      failing: () => bench.failing,
      refreshNow: () => {
        bench.asked++
        return answer
      },
      retryAfterSeconds: () => 7,
    },
  }
  const cache = { entries: 10, bytes: 1024 * 1024, ttlMs: 60 * SECOND }
  const verifier = createVerifier({
    clock: createFakeClock(),
    pools: [pool],
    cache,
    toPrincipal: (v) => v,
  })
  return Object.assign(bench, {
    verifier,
    /** What a fetch does from now on; undefined when none may be forced. */
    onFetch: (work: (() => void) | undefined) => {
      answer = work && Promise.resolve().then(work)
    },
  })
}

t.test('a good token gives its claims, pool, use and window', async (t) => {
  const { verifier } = await createTestVerifier([issuer], { clock })
  const outcome = verifier.verify(issuer.access({ 'cognito:groups': ['admins'] }), ANY)
  t.match(outcome, {
    userPool: 'main',
    tokenUse: 'access',
    claims: { username: 'jane', 'cognito:groups': ['admins'] },
    validFromMs: (nowS - 70) * SECOND,
    validUntilMs: (nowS + 3600) * SECOND,
  })
  t.match(verifier.verify(issuer.id(), ANY), {
    tokenUse: 'id',
    claims: { email: 'jane@example.com' },
  })
})

t.test('new tokens have their share of each turn, and known ones need none', async (t) => {
  const keys = await loadKeys(issuer.jwks())
  const pool = {
    settings: toSettings(issuer),
    keys: {
      find: (kid: string) => keys.get(kid),
      usable: () => true,
      failing: () => false,
      refreshNow: () => undefined,
      retryAfterSeconds: () => 1,
    },
  }
  let made = 0
  const verifier = createVerifier({
    clock,
    pools: [pool],
    cache: { entries: 10, bytes: 1024 * 1024, ttlMs: 60 * SECOND },
    budget: createTurnBudget({ perTurn: 1, perMs: 0, mostPerTurn: 1, maxWaiting: 3 }, clock),
    toPrincipal: (v) => {
      made++
      return v
    },
  })
  const [known, second, third] = [issuer.access(), issuer.access({ n: 2 }), issuer.access({ n: 3 })]
  t.match(verifier.verify(known, ANY), { tokenUse: 'access' })
  const waiting = [second, second, third].map((token) => verifier.verify(token, ANY))
  t.ok(waiting.every((outcome) => outcome instanceof Promise))
  t.match(verifier.verify(issuer.access({ n: 4 }), ANY), { reason: 'overloaded' })
  t.match(verifier.verify('not a token', ANY), { reason: 'token_malformed' }, 'costs nothing')
  t.match(verifier.verify(known, ANY), { tokenUse: 'access' })
  for (const outcome of await Promise.all(waiting)) t.match(outcome, { tokenUse: 'access' })
  t.equal(made, 3, 'the same token twice is verified once')
})

t.test('a token that is known is answered at once with the same principal', async (t) => {
  const { verifier, lookUps } = await createTestVerifier([issuer], { clock })
  const token = issuer.access()
  const first = verifier.verify(token, ANY)
  t.equal(verifier.verify(token, ANY), first)
  t.equal(lookUps(), 1)
  t.same(verifier.stats(), { hits: 1, misses: 1, entries: 1, evictions: 0 })
})

t.test('a claim called rejected or reason is a claim like any other', async (t) => {
  const { judge } = await createTestVerifier([issuer], { clock })
  t.equal(
    await judge(issuer.access({ rejected: true, reason: 'token_expired', detail: 'x' })),
    'accepted',
  )
})

t.test('each check refuses with its own reason', async (t) => {
  const { judge } = await createTestVerifier([issuer], { clock })
  const stranger = createKey(issuer.accessKey.kid)
  const cases: [string, string][] = [
    ['no token', 'token_malformed'],
    [issuer.access({}, { alg: 'HS256' }), 'token_algorithm'],
    [issuer.access({}, { kid: 'unknown' }), 'token_key_unknown'],
    [
      signToken({ kid: stranger.kid, alg: 'RS256' }, { iss: issuer.issuer }, stranger.privateKey),
      'token_signature',
    ],
    [`${issuer.access().split('.').slice(0, 2).join('.')}.AAAA`, 'token_signature'],
    [
      signToken({ kid: issuer.idKey.kid, alg: 'RS256' }, '[]', issuer.idKey.privateKey),
      'token_malformed',
    ],
    [issuer.access({ iss: 'https://other.example' }), 'token_issuer'],
    [issuer.access({ sub: 5 }), 'token_malformed'],
    [issuer.access({ token_use: 'refresh' }), 'token_use'],
    [issuer.access({ client_id: 'other' }), 'token_client'],
    [issuer.access({ exp: nowS }), 'token_expired'],
    [issuer.access({ exp: 'soon' }), 'token_malformed'],
    [issuer.access({ nbf: nowS + 1 }), 'token_not_yet_valid'],
  ]
  for (const [token, reason] of cases) t.equal(await judge(token), reason)
})

t.test('a refusal says why for the log, and never with the signature', async (t) => {
  const { verifier } = await createTestVerifier([issuer], { clock })
  const token = issuer.access({ client_id: 'other' })
  t.match(verifier.verify(token, ANY), { detail: 'app client "other" is not in clientIds' })
  t.notOk(JSON.stringify(verifier.verify(token, ANY)).includes(token.slice(-20)))
})

t.test('what the route wants is asked of known and unknown tokens alike', async (t) => {
  const { judge, lookUps } = await createTestVerifier([issuer], { clock })
  const id = issuer.id()
  for (let i = 0; i < 2; i++) {
    t.equal(await judge(id, ACCESS), 'token_use')
    t.equal(await judge(id, { userPool: 'second', tokenUse: 'id' }), 'token_issuer')
    t.equal(await judge(id, { userPool: 'main', tokenUse: 'id' }), 'accepted')
  }
  t.equal(lookUps(), 1)
})

t.test('an unwanted token is refused as unwanted even when it has other faults', async (t) => {
  const { judge } = await createTestVerifier([issuer], { clock })
  const expired = issuer.id({ exp: nowS - 1 })
  t.equal(await judge(expired, ACCESS), 'token_use')
  t.equal(await judge(expired), 'token_expired')
})

t.test('tokens of several pools are judged by their own pool alone', async (t) => {
  const other = createIssuerAt(clock, { issuer: 'https://second.example' })
  const { judge } = await createTestVerifier([issuer, other], { clock })
  t.equal(await judge(issuer.access(), { userPool: 'main', tokenUse: 'any' }), 'accepted')
  t.equal(await judge(other.access(), { userPool: 'second', tokenUse: 'any' }), 'accepted')
  t.equal(await judge(other.access(), { userPool: 'main', tokenUse: 'any' }), 'token_issuer')
  t.equal(await judge(issuer.access({ iss: other.issuer })), 'token_key_unknown')
  for (const iss of ['https://third.example', undefined, 5]) {
    t.equal(await judge(issuer.access({ iss })), 'token_issuer')
  }
  t.equal(
    await judge(signToken({ kid: issuer.idKey.kid, alg: 'RS256' }, '[]', issuer.idKey.privateKey)),
    'token_issuer',
  )
})

t.test('a known token is verified anew once its time in the cache is over', async (t) => {
  const cache = { entries: 10, bytes: 1024 * 1024, ttlMs: 60 * SECOND }
  const own = createFakeClock()
  const { judge, lookUps } = await createTestVerifier([issuer], { clock: own, cache })
  const token = issuer.access()
  await judge(token)
  await own.advance(60 * SECOND - 1)
  t.equal(await judge(token), 'accepted')
  t.equal(lookUps(), 1)
  await own.advance(1)
  t.equal(await judge(token), 'accepted')
  t.equal(lookUps(), 2)
})

t.test('a known token is refused from the moment it expires', async (t) => {
  const own = createFakeClock()
  const { judge } = await createTestVerifier([issuer], { clock: own })
  const token = issuer.access({ exp: nowS + 10 })
  t.equal(await judge(token), 'accepted')
  await own.advance(10 * SECOND - 1)
  t.equal(await judge(token), 'accepted')
  await own.advance(1)
  t.equal(await judge(token), 'token_expired')
})

t.test('the wall clock judges known tokens at once when it steps', async (t) => {
  const own = createFakeClock()
  const { judge } = await createTestVerifier([issuer], { clock: own })
  const token = issuer.access()
  t.equal(await judge(token), 'accepted')
  own.stepWall(-3600 * SECOND)
  t.equal(await judge(token), 'token_not_yet_valid')
  own.stepWall(2 * 3600 * SECOND)
  t.equal(await judge(token), 'token_expired')
  own.stepWall(-3600 * SECOND)
  t.equal(await judge(token), 'accepted')
})

t.test(
  'a refusal is remembered for 10 s, so that the same bad token costs one verification',
  async (t) => {
    const own = createFakeClock()
    const { judge, lookUps } = await createTestVerifier([issuer], { clock: own })
    const token = issuer.access({ client_id: 'other' })
    for (let i = 0; i < 3; i++) t.equal(await judge(token), 'token_client')
    t.equal(lookUps(), 1)
    await own.advance(10 * SECOND - 1)
    await judge(token)
    t.equal(lookUps(), 1)
    await own.advance(1)
    await judge(token)
    t.equal(lookUps(), 2)
  },
)

t.test('a refusal by a clock that was ahead ends when the clock is set right', async (t) => {
  const own = createFakeClock()
  const { judge } = await createTestVerifier([issuer], { clock: own })
  const token = issuer.access()
  own.stepWall(2 * 3600 * SECOND)
  t.equal(await judge(token), 'token_expired')
  own.stepWall(-2 * 3600 * SECOND)
  t.equal(await judge(token), 'accepted')
})

t.test('a token that is not valid yet is not remembered as bad', async (t) => {
  const own = createFakeClock()
  const { judge } = await createTestVerifier([issuer], { clock: own })
  const token = issuer.access({ nbf: nowS + 1 })
  t.equal(await judge(token), 'token_not_yet_valid')
  await own.advance(SECOND)
  t.equal(await judge(token), 'accepted')
})

t.test('a retired key takes its known tokens and refusals with it', async (t) => {
  const bench = await createKeyBench(issuer)
  const good = issuer.access()
  const bad = issuer.access({ client_id: 'other' })
  const key = bench.keys.get(issuer.accessKey.kid)
  if (key === undefined) throw new Error('the key set lost its key')
  t.notOk(isRejected(await bench.verifier.verify(good, ANY)))
  t.match(bench.verifier.verify(bad, ANY), { reason: 'token_client' })
  bench.keys = await loadKeys({ keys: [issuer.idKey.jwk] })
  key.retired = true
  for (const token of [good, bad])
    t.match(bench.verifier.verify(token, ANY), { reason: 'token_key_unknown' })
  bench.verifier.forget([key])
  t.equal(bench.verifier.stats().entries, 0)
})

t.test('forgetting one key leaves the tokens of others', async (t) => {
  const bench = await createKeyBench(issuer)
  for (const token of [issuer.access(), issuer.id()]) bench.verifier.verify(token, ANY)
  const key = bench.keys.get(issuer.idKey.kid)
  bench.verifier.forget(key ? [key] : [])
  t.equal(bench.verifier.stats().entries, 1)
})

t.test('an unknown key is waited for, and the token is then judged', async (t) => {
  const bench = await createKeyBench(issuer)
  const rotated = createIssuerAt(clock)
  bench.onFetch(() => undefined)
  t.match(await bench.verifier.verify(rotated.access(), ANY), { reason: 'token_key_unknown' })
  const fresh = await loadKeys(rotated.jwks())
  bench.onFetch(() => {
    bench.keys = fresh
  })
  t.match(await bench.verifier.verify(rotated.access(), ANY), { tokenUse: 'access' })
})

t.test('no fetch is asked for a token that no key could save', async (t) => {
  const bench = await createKeyBench(issuer)
  const unknown = { kid: 'unknown' }
  const cases: [string, string][] = [
    [issuer.access({ iss: 'https://other.example' }, unknown), 'token_issuer'],
    [issuer.access({ exp: nowS - 1 }, unknown), 'token_expired'],
    [`${encode({ ...unknown, alg: 'RS256' })}.${encode('[]')}.AAAA`, 'token_malformed'],
  ]
  for (const [token, reason] of cases) t.match(bench.verifier.verify(token, ANY), { reason })
  t.equal(bench.asked, 0)
})

t.test(
  'without usable keys, or with an endpoint that fails, an unknown key is no fault of the caller',
  async (t) => {
    const bench = await createKeyBench(issuer)
    const token = issuer.access({}, { kid: 'unknown' })
    t.match(bench.verifier.verify(token, ANY), { reason: 'token_key_unknown' })
    bench.failing = true
    t.match(bench.verifier.verify(token, ANY), { reason: 'keys_unavailable', retryAfterSeconds: 7 })
    Object.assign(bench, { failing: false, usable: false })
    t.match(bench.verifier.verify(token, ANY), { reason: 'keys_unavailable', retryAfterSeconds: 7 })
  },
)

t.test(
  'header texts are remembered without changing a verdict, however many there are',
  async (t) => {
    const { judge } = await createTestVerifier([issuer], { clock })
    for (let i = 0; i < 200; i++) {
      const token = issuer.access({}, { typ: 'JWT', note: i })
      t.equal(await judge(token), 'accepted')
      const [header = ''] = token.split('.')
      const forged = `${header}.${encode({ iss: issuer.issuer })}.${token.slice(-342)}`
      t.equal(await judge(forged), 'token_signature')
    }
    const bad = issuer.access({}, { alg: 'HS256' })
    for (let i = 0; i < 2; i++) t.equal(await judge(bad), 'token_algorithm')
  },
)

t.test('a known header finds no key that has left the set', async (t) => {
  const bench = await createKeyBench(issuer)
  t.notOk(isRejected(await bench.verifier.verify(issuer.access(), ANY)))
  bench.keys = await loadKeys({ keys: [issuer.idKey.jwk] })
  t.match(bench.verifier.verify(issuer.access({ jti: 'next' }), ANY), {
    reason: 'token_key_unknown',
  })
})
