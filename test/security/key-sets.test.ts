// The key set rows of the security catalogue: real endpoints in every bad state, and a verifier that goes on.
import { generateKeyPairSync } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { type FetchJsonResult, fetchJson } from '../../src/base/fetch-json.ts'
import { createKeyRefresh } from '../../src/token/key-refresh.ts'
import { parseKeySet } from '../../src/token/key-set.ts'
import {
  createVerifier,
  isRejected,
  type Verified,
  type Verifier,
} from '../../src/token/verifier.ts'
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts'
import { createKey, encode, signToken, type TestIssuer } from '../support/issuer.ts'
import { startJwksServer } from '../support/jwks-server.ts'
import { realClock } from '../support/real-clock.ts'
import { createSelfSigned } from '../support/self-signed.ts'
import { ANY, createIssuerAt, toSettings } from '../support/test-verifier.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const JWKS_URI = 'https://keys.example/jwks.json'

type FetchJwks = (url: string) => Promise<FetchJsonResult>

/** As the gateway fetches, but with a deadline that a test can wait for. */
const fetchReally: FetchJwks = (url) =>
  fetchJson(url, { clock: realClock, deadlineMs: 300, maxBytes: 64 * 1024 })

/** One pool with everything real but the clock, and with `fetchJwks` where a test gives it. */
function createPool(
  issuer: TestIssuer,
  clock: FakeClock,
  jwksUri = JWKS_URI,
  fetchJwks = fetchReally,
) {
  const urls: string[] = []
  const told: (string | undefined)[] = []
  const inFlight = { now: 0, most: 0 }
  let verifier: Verifier<Verified> | undefined
  const refresh = createKeyRefresh(
    { jwksUri, refreshMs: 5 * MINUTE, maxStaleMs: 24 * HOUR },
    {
      clock,
      random: () => 0.5,
      fetchJwks: async (url) => {
        urls.push(url)
        inFlight.most = Math.max(inFlight.most, ++inFlight.now)
        return fetchJwks(url).finally(() => inFlight.now--)
      },
      onRetired: (keys) => verifier?.forget(keys),
      onChange: (problem) => told.push(problem),
    },
  )
  verifier = createVerifier({
    clock,
    pools: [{ settings: toSettings(issuer), keys: refresh }],
    cache: { entries: 100, bytes: 1024 * 1024, ttlMs: 5 * MINUTE },
    toPrincipal: (verified) => verified,
  })
  const { verify, stats } = verifier
  return {
    refresh,
    verify,
    stats,
    urls,
    told,
    mostInFlight: () => inFlight.most,
    async judge(token: string): Promise<string> {
      const outcome = await verify(token, ANY)
      return isRejected(outcome) ? outcome.reason : 'accepted'
    },
    /** Lets 10 s pass and has the keys fetched. */
    async fetchAgain(): Promise<void> {
      await clock.advance(10 * SECOND)
      await refresh.refreshNow()
    },
  }
}

/** A pool whose endpoint answers with what `answer` holds at the time; undefined is an endpoint that is down. */
function createServedPool(issuer: TestIssuer, clock: FakeClock) {
  const endpoint: { answer: object | undefined } = { answer: issuer.jwks() }
  const fetchJwks: FetchJwks = async () =>
    endpoint.answer ? { ok: true, value: endpoint.answer } : { ok: false, message: 'refused' }
  return Object.assign(createPool(issuer, clock, JWKS_URI, fetchJwks), { endpoint })
}

/** 5,000 tokens with 5,000 unknown kids in 10 s, and a known one after every tenth; tells the verdicts. */
async function flood(pool: ReturnType<typeof createPool>, issuer: TestIssuer, clock: FakeClock) {
  const payload = encode({ iss: issuer.issuer, exp: Math.floor(clock.now() / SECOND) + 600 })
  const known = issuer.access()
  const unknown: Promise<string>[] = []
  const before = pool.urls.length
  let knownAccepted = 0
  for (let i = 0; i < 5_000; i++) {
    const header = encode({ kid: `k${i}`, alg: 'RS256' })
    unknown.push(pool.judge(`${header}.${payload}.${'A'.repeat(342)}`))
    if (i % 10 === 0 && (await pool.judge(known)) === 'accepted') knownAccepted++
    await clock.advance(2)
  }
  return { unknown, knownAccepted, fetches: pool.urls.length - before }
}

t.test(
  'J-01 5,000 unknown kids in 10 s cause at most two fetches, and known kids go on',
  async (t) => {
    const clock = createFakeClock()
    const issuer = createIssuerAt(clock)
    const pool = createServedPool(issuer, clock)
    await pool.refresh.start(undefined)
    const { unknown, knownAccepted, fetches } = await flood(pool, issuer, clock)
    t.ok(fetches <= 2, `${fetches} fetches`)
    t.equal(pool.mostInFlight(), 1)
    t.equal(knownAccepted, 500)
    t.same(new Set(await Promise.all(unknown)), new Set(['token_key_unknown']))
  },
)

t.test('J-01 the same flood on an endpoint that hangs makes no second fetch', async (t) => {
  const clock = createFakeClock()
  const issuer = createIssuerAt(clock)
  const hung: ((result: FetchJsonResult) => void)[] = []
  const pool = createPool(
    issuer,
    clock,
    JWKS_URI,
    () => new Promise((resolve) => hung.push(resolve)),
  )
  const started = pool.refresh.start(issuer.jwks())
  await clock.advance(0)
  const { unknown, knownAccepted } = await flood(pool, issuer, clock)
  t.equal(pool.urls.length, 1)
  t.equal(knownAccepted, 500)
  hung[0]?.({ ok: false, message: 'no answer' })
  await started
  t.same(new Set(await Promise.all(unknown)), new Set(['keys_unavailable']))
})

t.test('J-01 the same flood on an endpoint that is down stays within its back-off', async (t) => {
  const clock = createFakeClock()
  const issuer = createIssuerAt(clock)
  const pool = createServedPool(issuer, clock)
  await pool.refresh.start(undefined)
  pool.endpoint.answer = undefined
  const { unknown, knownAccepted, fetches } = await flood(pool, issuer, clock)
  t.ok(fetches <= 12, `${fetches} fetches`)
  t.equal(pool.mostInFlight(), 1)
  t.equal(knownAccepted, 500)
  t.same(new Set(await Promise.all(unknown)), new Set(['keys_unavailable']))
})

t.test('J-02 an unknown kid waits for the fetch that is under way', async (t) => {
  const clock = createFakeClock()
  const issuer = createIssuerAt(clock)
  const waiting: ((result: FetchJsonResult) => void)[] = []
  const pool = createPool(
    issuer,
    clock,
    JWKS_URI,
    () => new Promise((resolve) => waiting.push(resolve)),
  )
  const started = pool.refresh.start(undefined)
  const verdicts = [
    pool.judge(issuer.access()),
    pool.judge(issuer.id()),
    pool.judge(issuer.access()),
  ]
  waiting[0]?.({ ok: true, value: issuer.jwks() })
  t.same(await Promise.all(verdicts), ['accepted', 'accepted', 'accepted'])
  await started
  t.equal(pool.urls.length, 1)
})

t.test('J-03 an endpoint in any bad state leaves the keys as they are', async (t) => {
  const clock = createFakeClock()
  const issuer = createIssuerAt(clock)
  const elsewhere = await startJwksServer({ keys: [createKey('evil').jwk] })
  const server = await startJwksServer(issuer.jwks())
  t.teardown(() => Promise.all([elsewhere.close(), server.close()]))
  const pool = createPool(issuer, clock, server.url)
  await pool.refresh.start(undefined)
  for (const [name, answer] of badStates(elsewhere.url)) {
    server.serve(answer)
    await pool.fetchAgain()
    t.equal(pool.refresh.failing(), true, name)
    t.equal(await pool.judge(issuer.access()), 'accepted', name)
  }
  await server.close()
  await pool.fetchAgain()
  t.equal(await pool.judge(issuer.access()), 'accepted', 'connection refused')
  t.equal(elsewhere.count(), 0, 'no redirect was followed')
  t.equal(pool.told.length, 2, 'one line for well and one for failing, however long it lasts')
  t.ok(pool.refresh.stats().failed >= badStates('').length + 1)
  t.equal(pool.refresh.stats().fetched, 1)
})

t.test('J-04 a body that is too large, compressed or endless is given up', async (t) => {
  const clock = createFakeClock()
  const issuer = createIssuerAt(clock)
  const server = await startJwksServer(issuer.jwks())
  t.teardown(() => server.close())
  const pool = createPool(issuer, clock, server.url)
  await pool.refresh.start(undefined)
  const bomb = gzipSync(Buffer.alloc(10_000_000, 0x20))
  const bodies: Answer[] = [
    (_, response) => void response.end(Buffer.alloc(10_000_000, 0x20)),
    (_, response) => void response.setHeader('content-encoding', 'gzip').end(bomb),
    (_, response) => writeForEver(response),
    (_, response) =>
      void response.end(JSON.stringify({ ...issuer.jwks(), x: 'x'.repeat(64 * 1024) })),
  ]
  for (const [i, body] of bodies.entries()) {
    server.serve(body)
    await pool.fetchAgain()
    t.equal(pool.refresh.failing(), true, `body ${i}`)
    t.equal(await pool.judge(issuer.access()), 'accepted')
  }
})

t.test('J-05 the content decides, not its type', async (t) => {
  const clock = createFakeClock()
  const issuer = createIssuerAt(clock)
  const server = await startJwksServer((_: IncomingMessage, response: ServerResponse) => {
    response.setHeader('content-type', 'text/html').end(JSON.stringify(issuer.jwks()))
  })
  t.teardown(() => server.close())
  const pool = createPool(issuer, clock, server.url)
  await pool.refresh.start(undefined)
  t.equal(pool.refresh.failing(), false)
  server.serve((_, response) => {
    response.setHeader('content-type', 'application/json').end('<html>sorry</html>')
  })
  await pool.fetchAgain()
  t.equal(pool.refresh.failing(), true)
  t.equal(await pool.judge(issuer.access()), 'accepted')
})

t.test(
  'J-06 bad members are skipped, and a document without one good key changes nothing',
  async (t) => {
    const clock = createFakeClock()
    const issuer = createIssuerAt(clock)
    const pool = createServedPool(issuer, clock)
    await pool.refresh.start(undefined)
    const { jwk } = issuer.accessKey
    const even = Buffer.from(jwk.n as string, 'base64url')
    even[255] = 0
    const bad: unknown[] = [
      ...[
        null,
        5,
        [],
        {},
        { ...jwk, kid: undefined },
        { ...jwk, n: undefined },
        { ...jwk, e: undefined },
      ],
      ...[
        { ...jwk, n: 'not base64url!' },
        { ...jwk, n: even.toString('base64url') },
        { ...jwk, e: 'AQ' },
      ],
      createKey('small', 1024).jwk,
    ]
    const documents = [
      {},
      { keys: null },
      { keys: {} },
      { keys: [] },
      ...bad.map((key) => ({ keys: [key] })),
    ]
    for (const document of documents) {
      pool.endpoint.answer = document
      await pool.fetchAgain()
      t.equal(pool.refresh.failing(), true, JSON.stringify(document))
      t.equal(await pool.judge(issuer.access()), 'accepted')
    }
    const renamed = bad.map((key, i) =>
      key && typeof key === 'object' ? { ...key, kid: `bad-${i}` } : key,
    )
    pool.endpoint.answer = { keys: [...renamed, jwk] }
    await pool.fetchAgain()
    t.equal(pool.refresh.failing(), false)
    t.equal(await pool.judge(issuer.access()), 'accepted')
    t.equal(pool.refresh.stats().keys, 2, 'a whole key under a new kid, and the pool’s own')
  },
)

t.test('J-07 two keys under one kid refuse the whole document', async (t) => {
  const clock = createFakeClock()
  const issuer = createIssuerAt(clock)
  const pool = createServedPool(issuer, clock)
  await pool.refresh.start(undefined)
  const rival = createKey(issuer.accessKey.kid)
  for (const keys of [
    [rival.jwk, issuer.accessKey.jwk],
    [issuer.accessKey.jwk, rival.jwk],
  ]) {
    pool.endpoint.answer = { keys: [...keys, issuer.idKey.jwk] }
    await pool.fetchAgain()
    t.equal(pool.refresh.failing(), true)
    t.equal(await pool.judge(issuer.access()), 'accepted')
    const forged = signToken(
      { kid: rival.kid, alg: 'RS256' },
      { iss: issuer.issuer },
      rival.privateKey,
    )
    t.equal(await pool.judge(forged), 'token_signature')
  }
})

t.test('J-08 keys for anything but RS256 signatures are never used', async (t) => {
  const { jwk } = createKey('k')
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  const ed = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
  for (const key of [
    { ...jwk, use: 'enc' },
    { ...jwk, key_ops: ['encrypt'] },
    { ...jwk, alg: 'PS256' },
    { ...jwk, alg: 'HS256' },
    { ...jwk, alg: 'RS512' },
    { kty: 'oct', k: 'AAAA', kid: 'k', alg: 'HS256' },
    { ...ec, kid: 'k', use: 'sig' },
    { ...ed, kid: 'k', use: 'sig' },
  ]) {
    t.equal(await parseKeySet({ keys: [key] }), 'no usable key', JSON.stringify(key))
  }
})

t.test(
  'J-09 a key that was removed verifies nothing after the next refresh, not even what is known',
  async (t) => {
    const clock = createFakeClock()
    const issuer = createIssuerAt(clock)
    const pool = createServedPool(issuer, clock)
    await pool.refresh.start(undefined)
    const [access, id] = [issuer.access(), issuer.id()]
    t.equal(await pool.judge(access), 'accepted')
    t.equal(await pool.judge(id), 'accepted')
    pool.endpoint.answer = { keys: [issuer.idKey.jwk] }
    await clock.advance(5.5 * MINUTE)
    t.equal(await pool.judge(access), 'token_key_unknown')
    t.equal(await pool.judge(id), 'accepted')
    t.equal(pool.stats().entries, 1)
  },
)

t.test('J-10 the first token by a new key is accepted within one forced fetch', async (t) => {
  const clock = createFakeClock()
  const issuer = createIssuerAt(clock)
  const rotated = createIssuerAt(clock)
  const pool = createServedPool(issuer, clock)
  await pool.refresh.start(undefined)
  await clock.advance(MINUTE)
  pool.endpoint.answer = { keys: [...issuer.jwks().keys, ...rotated.jwks().keys] }
  const fetchesBefore = pool.urls.length
  const tokens = [rotated.access(), rotated.access(), rotated.id()]
  t.same(await Promise.all(tokens.map(pool.judge)), ['accepted', 'accepted', 'accepted'])
  t.equal(pool.urls.length - fetchesBefore, 1)
})

t.test(
  'J-11 with the endpoint down tokens are accepted for 24 h, and then the keys are unavailable',
  async (t) => {
    const clock = createFakeClock()
    const issuer = createIssuerAt(clock)
    const pool = createServedPool(issuer, clock)
    await pool.refresh.start(undefined)
    pool.endpoint.answer = undefined
    await clock.advance(10 * MINUTE)
    t.equal(pool.refresh.failing(), true, 'told long before')
    await clock.advance(24 * HOUR - 10 * MINUTE - 1)
    const late = createLateToken(issuer, clock)
    t.equal(await pool.judge(late), 'accepted')
    await clock.advance(1)
    const outcome = await pool.verify(late, ANY)
    t.match(outcome, { reason: 'keys_unavailable' })
    t.ok((outcome as { retryAfterSeconds?: number }).retryAfterSeconds)
    t.equal(pool.stats().entries, 0)
  },
)

t.test('J-12 no claim of a token ever becomes an address', async (t) => {
  const clock = createFakeClock()
  const issuer = createIssuerAt(clock)
  const server = await startJwksServer(issuer.jwks())
  t.teardown(() => server.close())
  const pool = createServedPool(issuer, clock)
  await pool.refresh.start(undefined)
  const base = server.url.replace('/.well-known/jwks.json', '')
  for (const iss of [base, `${base}/`, server.url, `${issuer.issuer}@127.0.0.1`]) {
    t.equal(await pool.judge(issuer.access({ iss }, { kid: 'new' })), 'token_issuer')
    t.equal(await pool.judge(issuer.access({ iss })), 'token_issuer')
    await clock.advance(11 * SECOND)
  }
  t.equal(await pool.judge(issuer.access({}, { kid: base })), 'token_key_unknown')
  t.equal(server.count(), 0)
  t.same(new Set(pool.urls), new Set([JWKS_URI]))
})

t.test('J-13 issuer and kid cannot be shifted into one another', async (t) => {
  const clock = createFakeClock()
  const [first, second] = [
    createIssuerAt(clock, { issuer: 'a' }),
    createIssuerAt(clock, { issuer: 'a:b' }),
  ]
  const [firstKey, secondKey] = [createKey('b:c'), createKey('c')]
  const pools = await Promise.all(
    [
      { issuer: first, key: firstKey },
      { issuer: second, key: secondKey },
    ].map(async ({ issuer, key }) => {
      const pool = createServedPool({ ...issuer, jwks: () => ({ keys: [key.jwk] }) }, clock)
      await pool.refresh.start(undefined)
      return { settings: toSettings(issuer, { name: issuer.issuer }), keys: pool.refresh }
    }),
  )
  const cache = { entries: 10, bytes: 1024 * 1024, ttlMs: MINUTE }
  const verifier = createVerifier({ clock, pools, cache, toPrincipal: (verified) => verified })
  const payload = (iss: string) => ({
    iss,
    token_use: 'access',
    client_id: first.clientId,
    exp: clock.now() / SECOND + 60,
  })
  const token = (kid: string, iss: string, key = firstKey) =>
    signToken({ kid, alg: 'RS256' }, payload(iss), key.privateKey)
  t.match(await verifier.verify(token('b:c', 'a'), ANY), { userPool: 'a' })
  t.match(await verifier.verify(token('c', 'a:b'), ANY), { reason: 'token_signature' })
  t.match(await verifier.verify(token('b:c', 'a:b'), ANY), { reason: 'token_key_unknown' })
  t.match(await verifier.verify(token('c', 'a', secondKey), ANY), { reason: 'token_key_unknown' })
})

t.test('J-15 an endpoint with a certificate that nobody vouches for is not believed', async (t) => {
  const clock = createFakeClock()
  const issuer = createIssuerAt(clock)
  let asked = 0
  const server = createTlsServer(createSelfSigned(), (_, response) => {
    asked++
    response.end(JSON.stringify(issuer.jwks()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const pool = createPool(issuer, clock, `https://127.0.0.1:${port}/`)
  await pool.refresh.start(undefined)
  t.equal(pool.refresh.usable(), false)
  t.equal(asked, 0)
  t.equal(await pool.judge(issuer.access()), 'keys_unavailable')
})

t.test('J-16 a step of the wall clock moves no fetch, and token times follow it', async (t) => {
  for (const step of [HOUR, -HOUR]) {
    const clock = createFakeClock()
    const issuer = createIssuerAt(clock)
    const pool = createServedPool(issuer, clock)
    await pool.refresh.start(undefined)
    clock.stepWall(step)
    await clock.advance(5 * MINUTE - 1)
    t.equal(pool.urls.length, 1)
    await clock.advance(1)
    t.equal(pool.urls.length, 2)
    t.equal(await pool.judge(issuer.access()), step > 0 ? 'token_expired' : 'token_not_yet_valid')
  }
})

t.test(
  'J-17 issuer and key address are configured apart, so other partitions and FIPS hosts work',
  async (t) => {
    const clock = createFakeClock()
    for (const [iss, jwksUri] of [
      [
        'https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_X',
        'https://cognito-idp-fips.us-gov-west-1.amazonaws.com/k',
      ],
      [
        'https://cognito-idp.eusc-de-east-1.amazonaws.eu/eusc-de-east-1_X',
        'https://keys.example/eusc',
      ],
      [
        'https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_X',
        'https://keys.example/updated',
      ],
    ] as const) {
      const issuer = createIssuerAt(clock, { issuer: iss })
      const pool = createPool(issuer, clock, jwksUri, async () => ({
        ok: true,
        value: issuer.jwks(),
      }))
      await pool.refresh.start(undefined)
      t.equal(await pool.judge(issuer.access()), 'accepted')
      t.equal(await pool.judge(issuer.access({ iss: jwksUri })), 'token_issuer')
      t.same(pool.urls, [jwksUri])
    }
  },
)

type Answer = (request: IncomingMessage, response: ServerResponse) => void

function badStates(elsewhere: string): [string, Answer][] {
  const withStatus =
    (status: number): Answer =>
    (_, response) =>
      void response.writeHead(status, { location: elsewhere }).end('{"keys":[]}')
  return [
    ...[500, 403, 302, 301, 204, 404].map((status): [string, Answer] => [
      `${status}`,
      withStatus(status),
    ]),
    ['hangs before its headers', () => undefined],
    ['hangs in its body', (_, response) => void response.write('{')],
    ['one byte at a time', trickle],
    [
      'reset in its body',
      (request, response) => void response.write('{', () => request.socket.resetAndDestroy()),
    ],
    [
      'ends early',
      (request, response) =>
        void response
          .writeHead(200, { 'content-length': 99 })
          .write('{', () => request.socket.end()),
    ],
    ['no HTTP', (request) => void request.socket.end('hello\r\n\r\n')],
    ['empty', (_, response) => void response.end()],
  ]
}

function trickle(request: IncomingMessage, response: ServerResponse): void {
  const timer = setInterval(() => response.write(' '), 20)
  request.socket.on('close', () => clearInterval(timer))
}

function writeForEver(response: ServerResponse): void {
  const chunk = Buffer.alloc(1024, 0x20)
  const more = () => {
    if (!response.destroyed) response.write(chunk, () => setImmediate(more))
  }
  more()
}

/** A token made now, when the issuer's own would have expired long ago. */
function createLateToken(issuer: TestIssuer, clock: FakeClock): string {
  const nowS = Math.floor(clock.now() / SECOND)
  return issuer.access({ iat: nowS, auth_time: nowS, exp: nowS + 3600 })
}
