// A user's token in, that user's credentials out: kept, asked for once, bounded, and never anybody else's.
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { type CredentialsResult, isNoCredentials } from '../../src/aws/aws-credentials.ts'
import { createIdentityPool, type IdentityPoolSettings } from '../../src/aws/identity-pool.ts'
import { type Login, toForeignLogin, toLogin } from '../../src/aws/login.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { startIdentityEndpoint, unverifiedClaims } from '../support/identity-endpoint.ts'

const POOL_ID = 'eu-west-1:01234567-89ab-cdef-0123-456789abcdef'
const PROVIDER = 'cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01'
const HOUR_MS = 3_600_000
const ROLE = 'arn:aws:iam::123456789012:role/writers'

type Endpoint = Awaited<ReturnType<typeof startIdentityEndpoint>>

async function startPool(t: Test, changes: Partial<IdentityPoolSettings> = {}) {
  const clock = createFakeClock()
  const endpoint = await startIdentityEndpoint({
    identityPoolId: POOL_ID,
    credentialsFor: async (logins, role) => ({
      AccessKeyId: `ASIA${ownerOf(logins)}`,
      SecretKey: `secret-${randomUUID()}`,
      SessionToken: `session-${role ?? 'default'}`,
      Expiration: (clock.now() + HOUR_MS) / 1_000,
    }),
  })
  t.teardown(endpoint.close)
  const problems: (string | undefined)[] = []
  const settings: IdentityPoolSettings = {
    identityPoolId: POOL_ID,
    endpoint: endpoint.origin,
    stsEndpoint: endpoint.origin,
    flow: 'enhanced',
    role: 'default',
    guests: false,
    rate: 1_000,
    ...changes,
  }
  const ports = {
    clock,
    random: () => 0.5,
    changed: (problem: string | undefined) => problems.push(problem),
  }
  return { clock, endpoint, problems, pool: createIdentityPool(settings, ports) }
}

function ownerOf(logins: Readonly<Record<string, string>>): string {
  const [token] = Object.values(logins)
  return token === undefined ? 'GUEST' : String(unverifiedClaims(token).sub)
}

function loginOf(sub: string, untilMs: number, claims: Record<string, unknown> = {}): Login {
  const all = { iss: 'https://issuer', sub, token_use: 'id', aud: 'client', ...claims }
  const token = `e30.${Buffer.from(JSON.stringify(all)).toString('base64url')}.sig`
  return toLogin(PROVIDER, token, all, untilMs)
}

function keyOf(result: CredentialsResult): string {
  return isNoCredentials(result) ? result.kind : result.accessKeyId
}

function counts({ count }: Endpoint): [number, number] {
  return [count('GetId'), count('GetCredentialsForIdentity')]
}

t.test(
  '100 parallel first requests of one user are one GetId and one GetCredentialsForIdentity',
  async (t) => {
    const { clock, endpoint, pool } = await startPool(t)
    const login = loginOf('ALICE', clock.now() + HOUR_MS)
    const results = await Promise.all(Array.from({ length: 100 }, () => pool.find(login)))
    t.same([...new Set(results.map(keyOf))], ['ASIAALICE'])
    t.same(counts(endpoint), [1, 1])
    const known = pool.find(login)
    t.notOk(known instanceof Promise, 'and the next one waits for nothing')
    t.same(endpoint.calls[0]?.body, {
      IdentityPoolId: POOL_ID,
      Logins: { [PROVIDER]: login.token },
    })
  },
)

t.test(
  'credentials are kept until five minutes before they expire, or the token does',
  async (t) => {
    const { clock, endpoint, pool } = await startPool(t)
    const long = () => loginOf('ALICE', clock.now() + 12 * HOUR_MS)
    await pool.find(long())
    await clock.advance(HOUR_MS - 5 * 60_000 - 1)
    t.notOk(pool.find(long()) instanceof Promise)
    await clock.advance(1)
    t.equal(keyOf(await pool.find(long())), 'ASIAALICE')
    t.same(counts(endpoint), [1, 2], 'the identity is known for good')

    const short = loginOf('BOB', clock.now() + 60_000)
    await pool.find(short)
    await clock.advance(59_999)
    t.notOk(pool.find(short) instanceof Promise)
    await clock.advance(1)
    const again = pool.find(loginOf('BOB', clock.now() + HOUR_MS))
    t.ok(again instanceof Promise, 'never beyond the token that they were given for')
    await again
  },
)

t.test('another group, role, issuer, app client or subject is another user', async (t) => {
  const { clock, endpoint, pool } = await startPool(t)
  const until = clock.now() + HOUR_MS
  const claims = [
    {},
    { 'cognito:groups': ['admins'] },
    { 'cognito:roles': [ROLE] },
    { 'cognito:preferred_role': ROLE },
    { iss: 'https://other' },
    { aud: 'other' },
  ]
  for (const each of claims) await pool.find(loginOf('ALICE', until, each))
  await pool.find(loginOf('BOB', until))
  t.equal(counts(endpoint)[1], claims.length + 1)
  t.notSame(
    loginOf('a","b', until).user,
    loginOf('a', until, { aud: 'b' }).user,
    'no claim can spill over into another',
  )
})

t.test('the role is the pool’s, the preferred one, or one that the token has', async (t) => {
  const until = createFakeClock().now() + HOUR_MS
  const cases: [string, Record<string, unknown>, string | undefined][] = [
    ['default', { 'cognito:preferred_role': ROLE }, 'session-default'],
    ['preferred', { 'cognito:preferred_role': ROLE }, `session-${ROLE}`],
    ['preferred', {}, undefined],
    [ROLE, { 'cognito:roles': ['arn:other', ROLE] }, `session-${ROLE}`],
    [ROLE, { 'cognito:roles': ['arn:other'] }, undefined],
    [ROLE, { 'cognito:roles': ROLE }, undefined],
    [ROLE, {}, undefined],
  ]
  for (const [role, claims, expected] of cases) {
    const { endpoint, pool } = await startPool(t, { role })
    const result = await pool.find(loginOf('ALICE', until, claims))
    if (expected === undefined) {
      t.match(result, { kind: 'denied' }, `${role} ${JSON.stringify(claims)}`)
      t.same(counts(endpoint), [0, 0], 'and nobody was asked')
    } else t.match(result, { sessionToken: expected })
  }
})

t.test(
  'guests get credentials where they are on, and a user who is refused never gets those',
  async (t) => {
    const off = await startPool(t)
    t.match(await off.pool.find(undefined), { kind: 'denied' })
    t.same(counts(off.endpoint), [0, 0])
    const { clock, endpoint, pool } = await startPool(t, { guests: true })
    t.equal(keyOf(await pool.find(undefined)), 'ASIAGUEST')
    t.notOk('Logins' in (endpoint.calls[0]?.body ?? {}))
    endpoint.behave('deny')
    t.equal(keyOf(await pool.find(loginOf('ALICE', clock.now() + HOUR_MS))), 'denied')
  },
)

t.test('who is refused is asked about again after ten seconds, and not before', async (t) => {
  const { clock, endpoint, pool, problems } = await startPool(t)
  endpoint.behave('deny')
  const login = loginOf('ALICE', clock.now() + HOUR_MS)
  const refused = await pool.find(login)
  t.match(refused, { kind: 'denied', detail: /GetId: 400 NotAuthorizedException: Not/ })
  await clock.advance(9_999)
  t.notOk(pool.find(login) instanceof Promise)
  endpoint.behave('answer')
  await clock.advance(1)
  t.equal(keyOf(await pool.find(login)), 'ASIAALICE')
  t.same(problems, [], 'one user’s trouble is not the pool’s')
})

t.test(
  'throttled or broken, nobody is asked for a while, and everybody is told when to come back',
  async (t) => {
    for (const trouble of ['throttle', 'fail'] as const) {
      const { clock, endpoint, pool, problems } = await startPool(t)
      const known = loginOf('KNOWN', clock.now() + HOUR_MS)
      await pool.find(known)
      endpoint.behave(trouble)
      const user = (i: number) => loginOf(`U${i}`, clock.now() + HOUR_MS)
      t.match(await pool.find(user(0)), { kind: 'unavailable', retryAfterSeconds: 1 })
      for (let i = 1; i < 50; i++) t.match(await pool.find(user(i)), { kind: 'unavailable' })
      t.equal(counts(endpoint)[0], 2, 'only the first one asked')
      t.equal(keyOf(await pool.find(known)), 'ASIAKNOWN', 'whoever has some keeps them')
      endpoint.behave('answer')
      await clock.advance(1_000)
      t.equal(keyOf(await pool.find(user(0))), 'ASIAU0')
      t.match(problems, [/GetId: (400 TooMany|500 Internal)/, undefined])
    }
  },
)

t.test('an endpoint that never answers is given up after five seconds', async (t) => {
  const { clock, endpoint, pool } = await startPool(t)
  endpoint.behave('hang')
  const result = Promise.resolve(pool.find(loginOf('ALICE', clock.now() + HOUR_MS)))
  while (endpoint.calls.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(5_000)
  t.match(await result, { kind: 'unavailable', detail: 'GetId: no answer in 5000 ms' })
})

t.test('exchanges wait for their turn for three seconds, and no longer', async (t) => {
  const { clock, pool } = await startPool(t, { rate: 1 })
  const logins = [0, 1, 2, 3, 4, 5].map((i) => loginOf(`U${i}`, clock.now() + HOUR_MS))
  const results = logins.map((login) => Promise.resolve(pool.find(login)))
  t.match(await results[4], { kind: 'unavailable', retryAfterSeconds: 1 })
  t.match(await results[5], { kind: 'unavailable' })
  await clock.advance(3_000)
  t.same((await Promise.all(results.slice(0, 4))).map(keyOf), [
    'ASIAU0',
    'ASIAU1',
    'ASIAU2',
    'ASIAU3',
  ])
})

t.test('an identity that was deleted is looked for once more', async (t) => {
  const { clock, endpoint, pool } = await startPool(t)
  const login = () => loginOf('ALICE', clock.now() + HOUR_MS)
  await pool.find(login())
  await clock.advance(HOUR_MS)
  endpoint.behave('gone', 'GetCredentialsForIdentity')
  t.match(await pool.find(login()), { kind: 'unavailable', detail: /ResourceNotFoundException/ })
  t.same(counts(endpoint), [2, 3])
})

t.test('credentials that have expired already are told as a matter of the clock', async (t) => {
  const { clock, endpoint, pool } = await startPool(t)
  endpoint.skew(-2 * HOUR_MS)
  const result = await pool.find(loginOf('ALICE', clock.now() + HOUR_MS))
  t.match(result, { kind: 'unavailable', detail: /is the clock right/ })
})

t.test('the token of another provider is known by itself alone', async (t) => {
  const { clock, endpoint, pool } = await startPool(t)
  const jwt = (sub: string) =>
    `e30.${Buffer.from(JSON.stringify({ sub, exp: clock.now() / 1_000 + 600 })).toString('base64url')}.s`
  const google = toForeignLogin('accounts.google.com', jwt('G1'), clock.now())
  t.equal(google.validUntilMs, clock.now() + 600_000)
  t.equal(
    toForeignLogin('graph.facebook.com', 'opaque', clock.now()).validUntilMs,
    clock.now() + HOUR_MS,
  )
  t.equal(keyOf(await pool.find(google)), 'ASIAG1')
  t.equal(
    keyOf(await pool.find(toForeignLogin('accounts.google.com', jwt('G2'), clock.now()))),
    'ASIAG2',
  )
  t.same(Object.keys(endpoint.calls[0]?.body.Logins ?? {}), ['accounts.google.com'])
})

t.test('a refusal is of one token, and held against no other of the user', async (t) => {
  const { clock, endpoint, pool } = await startPool(t)
  const until = clock.now() + HOUR_MS
  const [old, fresh] = [
    loginOf('ALICE', until, { jti: '1' }),
    loginOf('ALICE', until, { jti: '2' }),
  ]
  t.equal(old.user, fresh.user)
  endpoint.behave('deny')
  const [one, other] = [pool.find(old), pool.find(fresh)]
  t.match(await one, { kind: 'denied' })
  t.match(await other, { kind: 'denied' })
  t.equal(counts(endpoint)[0], 2, 'each was asked about')
  const third = loginOf('ALICE', until, { jti: '3' })
  endpoint.behave('answer')
  t.equal(keyOf(await pool.find(third)), 'ASIAALICE')
  t.equal(keyOf(await pool.find(fresh)), 'ASIAALICE')
})

t.test('callers whose tokens nobody verified hold up no user', async (t) => {
  const { clock, endpoint, pool } = await startPool(t, { guests: true, rate: 5 })
  const junk = (i: number) => toForeignLogin('accounts.google.com', `junk-${i}`, clock.now())
  const flood = Array.from({ length: 50 }, (_, i) => Promise.resolve(pool.find(junk(i))))
  t.match(await flood[49], { kind: 'unavailable' })
  const user = loginOf('ALICE', clock.now() + HOUR_MS)
  t.equal(keyOf(await pool.find(user)), 'ASIAALICE', 'at once')
  endpoint.behave('fail')
  await clock.advance(3_000)
  await Promise.all(flood)
  t.match(await pool.find(junk(99)), { kind: 'unavailable' })
  endpoint.behave('answer')
  const other = loginOf('BOB', clock.now() + HOUR_MS)
  t.equal(keyOf(await pool.find(other)), 'ASIABOB', 'nor by what goes wrong for them')
})

t.test(
  '100,000 interleaved requests of 100 users get their own credentials, all of them',
  async (t) => {
    const { clock, endpoint, pool } = await startPool(t)
    const users = Array.from({ length: 100 }, (_, i) =>
      loginOf(`U${i}`, clock.now() + 12 * HOUR_MS),
    )
    let mixedUp = 0
    for (let round = 0; round < 1_000; round++) {
      // Every now and then all of them expire, and are asked for anew while requests go on.
      if (round % 100 === 50) await clock.advance(HOUR_MS)
      const order = users.map((_, i) => (i * 37 + round) % 100)
      const results = await Promise.all(order.map((i) => pool.find(users[i] as Login)))
      results.forEach((result, place) => {
        if (keyOf(result) !== `ASIAU${order[place]}`) mixedUp++
      })
    }
    t.equal(mixedUp, 0)
    t.same(counts(endpoint), [100, 100 * 11])
    t.match(pool.stats(), { exchanges: { given: 1_100, denied: 0, unavailable: 0 }, size: 100 })
  },
)
