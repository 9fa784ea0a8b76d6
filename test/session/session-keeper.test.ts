// A session from its beginning to its end: kept, renewed once for all who wait, ended for good (B-10, B-11, B-15, B-16).
import t from 'tap'
import { createSeal } from '../../src/session/seal.ts'
import type { Refreshed } from '../../src/session/renewal.ts'
import type { Session } from '../../src/session/session.ts'
import {
  createSessionKeeper,
  type Found,
  type SessionKeeper,
} from '../../src/session/session-keeper.ts'
import { eventually } from '../support/eventually.ts'
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts'
import {
  CookieJar,
  createSession,
  createSessionSettings,
  SESSION_KEYS,
} from '../support/sessions.ts'

const HOUR_MS = 3_600_000
const COOKIE = '__Host-poolgate-web'

interface Bench {
  readonly clock: FakeClock
  readonly keeper: SessionKeeper
  readonly refreshes: Session[]
  readonly changes: [string, string | undefined][]
  /** What the next refreshes answer; the last one stays. */
  answer: (session: Session) => Refreshed | Promise<Refreshed>
}

function createBench(
  settings: Readonly<Record<string, unknown>> = {},
  clock = createFakeClock(),
  bounds?: { readonly entries: number; readonly bytes: number },
): Bench {
  const refreshes: Session[] = []
  const bench: Bench = {
    clock,
    refreshes,
    changes: [],
    answer: ({ tokens }) => ({
      kind: 'refreshed',
      tokens: { access: `${tokens.access}+`, refresh: `${tokens.refresh}+` },
      tokensEndMs: clock.now() + HOUR_MS,
    }),
    keeper: createSessionKeeper(
      { name: 'web', settings: createSessionSettings({ idle: 'none', ...settings }) },
      {
        clock,
        changed: (part, problem) => bench.changes.push([part, problem]),
        refresh: async (session) => {
          refreshes.push(session)
          return bench.answer(session)
        },
      },
      bounds,
    ),
  }
  return bench
}

async function begin({ keeper, clock }: Bench, changes: Partial<Session> = {}): Promise<CookieJar> {
  const cookies = await keeper.begin(createSession(clock.now(), changes))
  if (!Array.isArray(cookies)) throw new Error('too large')
  return new CookieJar().take(cookies)
}

/** Asks as a browser with these cookies would, and takes what it is sent. */
async function find({ keeper }: Bench, jar: CookieJar): Promise<Found> {
  const found = await keeper.find(jar.headers())
  if ('cookies' in found) jar.take(found.cookies)
  return found
}

function maxAgeMsOf(line: string): number {
  return Number(/Max-Age=(\d+)/.exec(line)?.[1]) * 1_000
}

t.test(
  'a session is found again, at once where it is known, and by whoever has the key',
  async (t) => {
    const bench = createBench()
    const jar = await begin(bench)
    const found = bench.keeper.find(jar.headers())
    t.notOk(found instanceof Promise, 'it waits for nothing')
    t.match(found, { kind: 'session', session: { subject: 'subject' }, cookies: [] })
    t.match(await find(createBench({}, bench.clock), jar), {
      kind: 'session',
      session: { id: 'an id of this test' },
    })
    t.match(await bench.keeper.find([]), { kind: 'none' })
  },
)

t.test('it ends with its lifetime, to the millisecond (B-10)', async (t) => {
  const bench = createBench()
  const jar = await begin(bench, { tokensEndMs: bench.clock.now() + 20 * HOUR_MS })
  await bench.clock.advance(12 * HOUR_MS - 1)
  t.match(await find(bench, jar), { kind: 'session' })
  await bench.clock.advance(1)
  t.match(await find(bench, jar), { kind: 'ended', detail: /lifetime/ })
  t.equal(jar.cookies.size, 0, 'the browser loses it')
})

t.test('it ends when nobody uses it, and goes on as long as somebody does', async (t) => {
  const bench = createBench({ idle: '10m' })
  const jar = await begin(bench)
  const first = jar.cookies.get(COOKIE)
  for (let i = 0; i < 5; i++) {
    await bench.clock.advance(600_000 - 1)
    t.match(await find(bench, jar), { kind: 'session' }, `after ${i}`)
  }
  t.not(jar.cookies.get(COOKIE), first, 'that it was used is put down in the cookie')
  const elsewhere = createBench({ idle: '10m' }, bench.clock)
  await bench.clock.advance(600_000 - 1)
  t.match(await find(elsewhere, new CookieJar().take([`${COOKIE}=${jar.cookies.get(COOKIE)}`])), {
    kind: 'session',
  })
  await bench.clock.advance(600_000)
  t.match(await find(bench, jar), { kind: 'ended', detail: /too long/ })
})

t.test(
  '50 requests with expired tokens cause one refresh, and all go on with the new ones (B-15)',
  async (t) => {
    const bench = createBench()
    const jar = await begin(bench)
    const late = new CookieJar().take([`${COOKIE}=${jar.cookies.get(COOKIE)}`])
    await bench.clock.advance(HOUR_MS)
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => bench.keeper.find(jar.headers())),
    )
    t.equal(bench.refreshes.length, 1)
    for (const answer of answers) {
      t.match(answer, { kind: 'session', session: { tokens: { access: 'access-1+' } } })
      t.equal(
        (answer as Extract<Found, { kind: 'session' }>).cookies.length,
        1,
        'each is sent the new cookie',
      )
    }
    t.match(await find(bench, late), {
      kind: 'session',
      session: { tokens: { access: 'access-1+' } },
    })
    t.equal(bench.refreshes.length, 1, 'a tab that comes late with the former cookie causes none')
    t.not(late.cookies.get(COOKIE), jar.cookies.get(COOKIE))
    t.match(await find(bench, late), { kind: 'session', cookies: [] })
  },
)

t.test('tokens that still hold are used while new ones are fetched', async (t) => {
  const bench = createBench({ refreshBefore: '4m' })
  const jar = await begin(bench)
  let finish = (_: Refreshed) => {}
  bench.answer = () => new Promise((resolve) => (finish = resolve))
  await bench.clock.advance(HOUR_MS - 240_001)
  await find(bench, jar)
  t.equal(bench.refreshes.length, 0, 'a millisecond too early')
  await bench.clock.advance(1)
  t.match(await find(bench, jar), { kind: 'session', session: { tokens: { access: 'access-1' } } })
  t.equal(bench.refreshes.length, 1)
  finish({ kind: 'refreshed', tokens: { access: 'new' }, tokensEndMs: bench.clock.now() + HOUR_MS })
  await eventually('the new token is used', async () => {
    const found = await bench.keeper.find(jar.headers())
    return found.kind === 'session' && found.session.tokens.access === 'new'
  })
})

t.test('a refresh that takes its time holds nobody up, however long ago it was used', async (t) => {
  const bench = createBench({ idle: '2h', refreshBefore: '4m' })
  const jar = await begin(bench)
  bench.answer = () => new Promise(() => {})
  await bench.clock.advance(HOUR_MS - 200_000)
  t.match(await find(bench, jar), { kind: 'session' }, 'that it was used is put down first')
  t.match(await find(bench, jar), { kind: 'session' })
  t.equal(bench.refreshes.length, 1)
  await bench.clock.advance(199_999)
  t.match(await find(bench, jar), { kind: 'session' })
})

t.test(
  'an outage of the user pool ends no session whose tokens hold, and asks for few refreshes (B-16)',
  async (t) => {
    const bench = createBench({ refreshBefore: '4m' })
    const jar = await begin(bench)
    bench.answer = () => ({ kind: 'failed', detail: '500' })
    await bench.clock.advance(HOUR_MS - 240_000)
    for (let second = 0; second < 239; second++) {
      await bench.clock.advance(1_000)
      t.match(await find(bench, jar), { kind: 'session' })
    }
    t.ok(
      bench.refreshes.length > 3 && bench.refreshes.length < 40,
      `${bench.refreshes.length} refreshes`,
    )
    await bench.clock.advance(1_000)
    t.match(await find(bench, jar), { kind: 'unavailable', retryAfterSeconds: /^\d+$/ })
    t.equal(jar.cookies.size, 1, 'the browser keeps it')
    t.strictSame(bench.changes, [['token endpoint', '500']], 'said once')
    bench.answer = () => ({
      kind: 'refreshed',
      tokens: { access: 'new' },
      tokensEndMs: bench.clock.now() + HOUR_MS,
    })
    await bench.clock.advance(30_000)
    t.match(await find(bench, jar), { kind: 'session', session: { tokens: { access: 'new' } } })
    t.strictSame(bench.changes[1], ['token endpoint', undefined])
  },
)

t.test('a refresh that is refused ends it here and now (B-16)', async (t) => {
  const bench = createBench()
  const jar = await begin(bench)
  const copy = new CookieJar().take([`${COOKIE}=${jar.cookies.get(COOKIE)}`])
  bench.answer = () => ({ kind: 'refused', detail: 'invalid_grant' })
  await bench.clock.advance(HOUR_MS)
  t.match(await find(bench, jar), { kind: 'ended', detail: 'invalid_grant' })
  t.equal(jar.cookies.size, 0)
  t.match(await find(bench, copy), { kind: 'ended' })
  t.equal(bench.refreshes.length, 1, 'nobody asks again')
})

t.test('without a refresh token it ends with its tokens', async (t) => {
  const bench = createBench()
  const jar = await begin(bench, { tokens: { access: 'a' } })
  await bench.clock.advance(HOUR_MS - 1)
  t.match(await find(bench, jar), { kind: 'session' })
  await bench.clock.advance(1)
  t.match(await find(bench, jar), { kind: 'ended', detail: /expired/ })
  t.equal(bench.refreshes.length, 0)
})

t.test('a cookie that was signed out is refused when it comes again (B-11)', async (t) => {
  const bench = createBench()
  const jar = await begin(bench)
  const stolen = new CookieJar().take([`${COOKIE}=${jar.cookies.get(COOKIE)}`])
  const { session, cookies } = await bench.keeper.end(jar.headers())
  t.match(session, { tokens: { refresh: 'refresh-1' } })
  t.equal(jar.take(cookies).cookies.size, 0)
  t.match(await find(bench, stolen), { kind: 'ended', detail: 'signed out' })
  t.match(await bench.keeper.end([]), { session: undefined, cookies: [] })
})

t.test('it is refused as well where too many are known to find it by its id', async (t) => {
  const bench = createBench({}, createFakeClock(), { entries: 2, bytes: 1_000_000 })
  const jar = await begin(bench)
  await begin(bench, { id: 'another' })
  t.match(await find(bench, jar), { kind: 'session' })
  await begin(bench, { id: 'one too many' })
  t.notOk(bench.keeper.find(jar.headers()) instanceof Promise, 'its cookie is still known')
  await bench.keeper.end(jar.headers())
  t.match(await find(bench, jar), { kind: 'ended', detail: 'signed out' })
})

t.test('a short idle time ends no session that is in use', async (t) => {
  const bench = createBench({ idle: '1m' })
  const jar = await begin(bench)
  let droppedMs = bench.clock.now() + 60_000
  for (let second = 0; second < 300; second += 10) {
    await bench.clock.advance(10_000)
    if (bench.clock.now() >= droppedMs) t.fail(`the browser drops it after ${second} s`)
    const found = await find(bench, jar)
    t.equal(found.kind, 'session')
    const [line] = 'cookies' in found ? found.cookies : []
    if (line !== undefined) droppedMs = bench.clock.now() + maxAgeMsOf(line)
  }
})

t.test('a cookie that was not used for too long ends nothing but itself', async (t) => {
  const settings = { idle: '10m', lifetime: '12h' }
  const [one, other] = [createBench(settings), createBench(settings)]
  const jar = await begin(one)
  const copy = new CookieJar().take([`${COOKIE}=${jar.cookies.get(COOKIE)}`])
  for (let i = 0; i < 3; i++) {
    await Promise.all([one.clock.advance(300_000), other.clock.advance(300_000)])
    t.match(await find(other, jar), { kind: 'session' })
  }
  t.match(await find(one, copy), { kind: 'ended', detail: /too long/ })
  t.match(await find(one, jar), { kind: 'session' }, 'it was used at another replica meanwhile')
})

t.test('what cannot be read is ended, whatever it is (B-09)', async (t) => {
  const bench = createBench()
  const other = await createSeal(SESSION_KEYS.slice(0, 1)).seal('attempt web', '{}')
  const odd = await createSeal(SESSION_KEYS.slice(0, 1)).seal('session web', '{"id":1}')
  for (const text of ['x', '1.x', `1.${other}`, `1.${odd}`, `1.${'x'.repeat(100_000)}`, '2.x']) {
    const found = await bench.keeper.find(['Cookie', `${COOKIE}=${text}`])
    t.match(
      found,
      { kind: 'ended', detail: 'it cannot be read', cookies: [/Max-Age=0/] },
      text.slice(0, 20),
    )
  }
})

t.test('a session that outgrows its cookies is refused with its size', async (t) => {
  const bench = createBench()
  const tokens = { access: 'x'.repeat(16_000) }
  t.match(await bench.keeper.begin(createSession(bench.clock.now(), { tokens })), {
    tooLarge: /^\d{5}$/,
  })
})

t.test('an attempt is claimed once, until its time is over (B-03)', async (t) => {
  const { keeper, clock } = createBench()
  t.equal(await keeper.claim('a', 1_000), true)
  t.equal(await keeper.claim('a', 1_000), false)
  t.equal(await keeper.claim('b', 1_000), true)
  await clock.advance(999)
  t.equal(await keeper.claim('a', 1_000), false)
  await clock.advance(1)
  t.equal(await keeper.claim('a', 1_000), true)
})
