// Sessions in a real redis-server that two replicas share: found by both, renewed once, ended everywhere, and nobody let in without it.
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { Redis } from 'ioredis'
import type { Session } from '../../src/session/session.ts'
import { createSessionKeeper, type SessionKeeper } from '../../src/session/session-keeper.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-ports.ts'
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts'
import { realClock } from '../support/real-clock.ts'
import { hasRedisServer, startRedisServer } from '../support/redis-server.ts'
import { CookieJar, createSession, createSessionSettings } from '../support/sessions.ts'

const HOUR_MS = 3_600_000

interface Replica {
  readonly keeper: SessionKeeper
  readonly refreshes: Session[]
  readonly problems: (string | undefined)[]
}

function createReplica(store: object, clock: FakeClock | typeof realClock): Replica {
  const refreshes: Session[] = []
  const problems: (string | undefined)[] = []
  const settings = createSessionSettings({ store, idle: '10h' })
  const keeper = createSessionKeeper(
    { name: 'web', settings },
    {
      clock,
      changed: (_, problem) => problems.push(problem),
      refresh: async (session) => {
        refreshes.push(session)
        return {
          kind: 'refreshed',
          tokens: { access: 'new', refresh: 'next' },
          tokensEndMs: clock.now() + HOUR_MS,
        }
      },
    },
  )
  return { keeper, refreshes, problems }
}

t.test(
  'sessions in a store',
  { skip: hasRedisServer() ? false : 'no redis-server here' },
  async (t) => {
    const server = await startRedisServer()
    t.teardown(server.stop)
    const store = { url: server.url }

    async function begin({ keeper }: Replica, nowMs: number, changes: Partial<Session> = {}) {
      const cookies = await keeper.begin(createSession(nowMs, changes))
      return new CookieJar().take(cookies as readonly string[])
    }

    t.test(
      'the cookie is a short ticket, and the store holds nothing that can be read',
      async (t) => {
        const clock = createFakeClock()
        const replica = createReplica(store, clock)
        const jar = await begin(replica, clock.now(), {
          id: 'ticket',
          tokens: { access: 'x'.repeat(50_000) },
        })
        t.ok((jar.cookies.get('__Host-poolgate-web') ?? '').length < 400)
        const client = new Redis(server.url)
        const [key = ''] = await client.keys('poolgate:session:*')
        t.notMatch(key, /ticket/)
        t.notMatch(await client.get(key), /xxxx|subject/)
        t.ok((await client.pttl(key)) > 9 * HOUR_MS && (await client.pttl(key)) <= 10 * HOUR_MS)
        await client.flushall()
        client.disconnect()
        await clock.advance(5_000)
        t.match(await replica.keeper.find(jar.headers()), { kind: 'ended' })
        await replica.keeper.close()
      },
    )

    t.test('a replica finds what another one began, and its end within five seconds', async (t) => {
      const clock = createFakeClock()
      const [one, other] = [createReplica(store, clock), createReplica(store, clock)]
      const jar = await begin(one, clock.now(), { id: 'shared' })
      t.match(await other.keeper.find(jar.headers()), {
        kind: 'session',
        session: { id: 'shared' },
        cookies: [],
      })
      t.match(await one.keeper.end(jar.headers()), { session: { id: 'shared' } })
      t.match(await one.keeper.find(jar.headers()), { kind: 'ended' }, 'at once where it was ended')
      clock.stepWall(-HOUR_MS)
      await clock.advance(4_999)
      t.match(
        other.keeper.find(jar.headers()),
        { kind: 'session' },
        'it is believed without asking',
      )
      await clock.advance(1)
      t.match(await other.keeper.find(jar.headers()), { kind: 'ended' })
      await Promise.all([one.keeper.close(), other.keeper.close()])
    })

    t.test('two replicas refresh a session once, and both go on', async (t) => {
      const [one, other] = [createReplica(store, realClock), createReplica(store, realClock)]
      const jar = await begin(one, realClock.now(), {
        id: 'renewed',
        tokensEndMs: realClock.now() - 1,
      })
      const asked = [one, other, one, other].map(({ keeper }) => keeper.find(jar.headers()))
      for (const found of await Promise.all(asked)) {
        t.match(found, { kind: 'session', session: { tokens: { access: 'new' } }, cookies: [] })
      }
      t.equal(one.refreshes.length + other.refreshes.length, 1)
      await Promise.all([one.keeper.close(), other.keeper.close()])
    })

    t.test('what is signed out while it is refreshed stays signed out', async (t) => {
      const clock = createFakeClock()
      const settings = createSessionSettings({ store })
      const other = createReplica(store, clock)
      const keeper = createSessionKeeper(
        { name: 'web', settings },
        {
          clock,
          changed: () => undefined,
          refresh: async () => {
            await other.keeper.end(jar.headers())
            return {
              kind: 'refreshed',
              tokens: { access: 'new' },
              tokensEndMs: clock.now() + HOUR_MS,
            }
          },
        },
      )
      const jar = await begin(other, clock.now(), { id: 'race', tokensEndMs: clock.now() - 1 })
      t.match(await keeper.find(jar.headers()), { kind: 'ended' })
      t.match(await other.keeper.find(jar.headers()), { kind: 'ended' })
      await Promise.all([keeper.close(), other.keeper.close()])
    })

    t.test('an attempt is claimed once for all replicas', async (t) => {
      const [one, other] = [createReplica(store, realClock), createReplica(store, realClock)]
      const claims = await Promise.all(
        [one, other, one, other].map(({ keeper }) => keeper.claim('state', 60_000)),
      )
      t.strictSame(claims.filter(Boolean), [true])
      await Promise.all([one.keeper.close(), other.keeper.close()])
    })
  },
)

t.test(
  'without its store nobody is let in, and with it again everybody is',
  { skip: hasRedisServer() ? false : 'no redis-server here' },
  async (t) => {
    const clock = createFakeClock()
    const server = await startRedisServer()
    const replica = createReplica(
      { url: `redis://user-secret:pass-secret@127.0.0.1:${server.port}` },
      clock,
    )
    t.teardown(() => replica.keeper.close())
    // The name and the password are none that the server knows: it says so, and the client goes on without.
    const plain = createReplica({ url: server.url }, clock)
    const cookies = await plain.keeper.begin(createSession(clock.now()))
    const jar = new CookieJar().take(cookies as readonly string[])
    await server.stop()
    await clock.advance(5_000)
    t.match(await plain.keeper.find(jar.headers()), { kind: 'unavailable', retryAfterSeconds: 5 })
    t.match(await plain.keeper.find(jar.headers()), { kind: 'unavailable' })
    t.strictSame(plain.problems, ['it does not answer'], 'said once')
    t.notMatch(
      JSON.stringify([replica.problems, await replica.keeper.find(jar.headers())]),
      /secret/,
    )
    const again = await startRedisServer(server.port)
    t.teardown(again.stop)
    await eventually(
      'it is back',
      () => plain.problems.length === 2 && plain.problems[1] === undefined,
    )
    t.match(await plain.keeper.find(jar.headers()), { kind: 'ended' }, 'this one has kept nothing')
    await plain.keeper.close()
  },
)

t.test(
  'a store that refuses, or falls silent, is told of once, and when it is well again',
  { skip: hasRedisServer() ? false : 'no redis-server here' },
  async (t) => {
    const server = await startRedisServer()
    t.teardown(server.stop)
    const replica = createReplica({ url: server.url }, realClock)
    t.teardown(() => replica.keeper.close())
    const { keeper, problems } = replica
    const session = createSession(realClock.now())
    const operator = new Redis(server.url)
    t.teardown(() => operator.disconnect())
    await operator.config('SET', 'maxmemory', '1')
    await t.rejects(keeper.begin(session), { name: 'ShelfError' })
    await t.rejects(keeper.begin(session), { name: 'ShelfError' })
    t.match(await keeper.end([]), { session: undefined })
    t.strictSame(problems, ['it refuses commands: OOM'])
    await operator.config('SET', 'maxmemory', '0')
    await keeper.begin(session)
    await operator.call('CLIENT', 'PAUSE', '1200', 'ALL')
    t.equal(await keeper.claim('a', 1_000).catch(({ name }) => name), 'ShelfError')
    await eventually('it is back', () => problems.length === 4)
    t.strictSame(problems.slice(1), [undefined, 'it does not answer', undefined])
  },
)

t.test(
  'a cluster is asked as one server is',
  { skip: hasRedisServer() ? false : 'no redis-server here' },
  async (t) => {
    const server = await startRedisServer(undefined, [
      ...['--cluster-enabled', 'yes', '--cluster-config-file', `${t.testdir()}/nodes.conf`],
      ...['--cluster-announce-ip', '127.0.0.1', '--cluster-port', String(await freePort())],
    ])
    t.teardown(server.stop)
    const client = new Redis(server.url)
    await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    await eventually('the cluster is up', async () =>
      /cluster_state:ok/.test(String(await client.call('CLUSTER', 'INFO'))),
    )
    client.disconnect()
    const clock = createFakeClock()
    const replica = createReplica({ cluster: [server.url] }, clock)
    const cookies = await replica.keeper.begin(createSession(clock.now()))
    const jar = new CookieJar().take(cookies as readonly string[])
    t.match(await createReplicaAndFind(server.url, clock, jar), { kind: 'session' })
    t.equal(await replica.keeper.claim('a', 1_000), true)
    t.equal(await replica.keeper.claim('a', 1_000), false)
    await server.stop()
    await clock.advance(5_000)
    await eventually('it is missed', () => replica.problems.length === 1)
    for (const { keeper } of [replica, createReplica({ cluster: [server.url] }, clock)]) {
      t.match(await keeper.find(jar.headers()), { kind: 'unavailable' }, 'nobody waits for it')
      await keeper.close()
    }
  },
)

async function createReplicaAndFind(url: string, clock: FakeClock, jar: CookieJar) {
  const { keeper } = createReplica({ cluster: [url] }, clock)
  const found = await keeper.find(jar.headers())
  await keeper.close()
  return found
}

t.test('with rediss:// nothing is said in plain text, by one server or by a cluster', async (t) => {
  for (const form of ['url', 'cluster'] as const) {
    const heard = Promise.withResolvers<Buffer>()
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', (bytes: Buffer) => {
        heard.resolve(bytes)
        socket.destroy()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `rediss://user:store-secret@127.0.0.1:${(server.address() as AddressInfo).port}`
    const { keeper } = createReplica(form === 'url' ? { url } : { cluster: [url] }, realClock)
    const first = await heard.promise
    t.equal(first[0], 0x16, `${form}: a TLS handshake`)
    t.notMatch(first.toString('latin1'), /store-secret/)
    await keeper.close()
    await new Promise((resolve) => server.close(resolve))
  }
})

t.test('a cluster that cannot be found keeps nobody waiting for ever', async (t) => {
  const { keeper } = createReplica(
    { cluster: [`redis://127.0.0.1:${await freePort()}`] },
    realClock,
  )
  t.teardown(() => keeper.close())
  await t.rejects(keeper.claim('state', 1_000), { name: 'ShelfError' })
})
