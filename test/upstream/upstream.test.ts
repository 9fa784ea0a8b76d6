// Requests are divided among targets, and those that fail are left alone.
import t, { type Test } from 'tap'
import type { Allow } from '../../src/policy/decision.ts'
import type { Principal } from '../../src/policy/principal.ts'
import { createUpstream, type UpstreamSettings } from '../../src/upstream/upstream.ts'
import { eventually } from '../support/eventually.ts'
import { realClock } from '../support/real-clock.ts'
import { type RawUpstream, startRawUpstream } from '../support/raw-upstream.ts'
import { createRecordingSink } from '../support/recording-sink.ts'
import { createSeeded } from '../support/seeded.ts'

const route = { name: 'r', index: 0, upstream: 'up', forwardToken: true, maxBody: Infinity }
const allowOf = (subject?: string): Allow => ({
  kind: 'allow',
  route,
  principal: subject === undefined ? undefined : ({ subject } as Principal),
})

async function start(t: Test, count: number, changes: Partial<UpstreamSettings> = {}) {
  const servers: RawUpstream[] = []
  for (let n = 0; n < count; n++) {
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${n}`
    servers.push(await startRawUpstream((socket) => socket.write(answer)))
  }
  const seeded = createSeeded(7)
  const changed: [string, string, string][] = []
  const upstream = createUpstream(
    {
      name: 'up',
      targets: servers.map(({ origin }) => origin),
      balance: 'least-requests',
      hashOn: 'subject',
      ejection: { failures: 5, timeMs: 60_000, maxTimeMs: 60_000 },
      connectMs: 2_000,
      responseMs: 2_000,
      idleMs: 2_000,
      keepAliveMs: 2_000,
      connections: 4,
      queue: 4,
      queueMs: 2_500,
      totalMs: Number.POSITIVE_INFINITY,
      engine: 'lean',
      ...changes,
    },
    {
      clock: realClock,
      random: () => seeded.below(1_000) / 1_000,
      discovered: () => undefined,
      healthChanged: (_name, origin, state, why) => void changed.push([origin, state, why]),
    },
  )
  t.teardown(async () => {
    await upstream.destroy()
    for (const server of servers) await server.close()
  })
  /** The target that answered, or why none did. */
  const ask = async ({ subject, method = 'GET', headers = [] as string[] } = {} as Ask) => {
    const sink = createRecordingSink()
    const request = { method, target: '/', headers: ['Host', 'a.test', ...headers], body: null }
    upstream.dispatch(allowOf(subject), request, sink)
    await sink.done
    return sink.heard.find(([what]) => what === 'data' || what === 'failed')?.[1]
  }
  const askMany = async (times: number, one?: Ask) => {
    const answers: unknown[] = []
    for (let i = 0; i < times; i++) answers.push(await ask(one))
    return answers
  }
  return { servers, upstream, ask, askMany, changed }
}

interface Ask {
  subject?: string
  method?: string
  headers?: string[]
}

t.test('all of several targets get requests', async (t) => {
  const { askMany } = await start(t, 3)
  t.same(new Set(await askMany(60)), new Set(['0', '1', '2']))
})

t.test('by hash a subject, or a header, always meets the same target', async (t) => {
  const bySubject = await start(t, 3, { balance: 'hash' })
  for (const subject of ['x', 'y', 'z']) {
    t.equal(new Set(await bySubject.askMany(10, { subject })).size, 1)
  }
  t.ok(new Set(await bySubject.askMany(40)).size > 1, 'without one it is any')
  const byHeader = await start(t, 3, { balance: 'hash', hashOn: 'x-tenant' })
  const tenants = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  const met = new Set<unknown>()
  for (const tenant of tenants) {
    const answers = new Set(await byHeader.askMany(5, { headers: ['X-Tenant', tenant] }))
    t.equal(answers.size, 1)
    met.add([...answers][0])
  }
  t.ok(met.size > 1, 'different ones meet different targets')
})

t.test('while one of three targets is gone no GET fails, and soon it is not asked', async (t) => {
  const { servers, askMany } = await start(t, 3)
  await servers[0]?.close()
  const answers = await askMany(60)
  t.same(new Set(answers), new Set(['1', '2']))
})

t.test('POST is never asked of a second target', async (t) => {
  const { servers, askMany } = await start(t, 2, {
    ejection: { failures: 0, timeMs: 1, maxTimeMs: 1 },
  })
  let asked = 0
  for (const server of servers) {
    server.answer((socket) => {
      asked++
      socket.destroy()
    })
  }
  t.same(new Set(await askMany(40, { method: 'POST' })), new Set(['protocol']))
  t.equal(asked, 40)
})

t.test('a target that fails five times in a row gets no more, whatever the method', async (t) => {
  const { servers, upstream, askMany, changed } = await start(t, 2)
  let asked = 0
  servers[0]?.answer((socket) => {
    asked++
    socket.write('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 1\r\n\r\nx')
  })
  const answers = await askMany(100, { method: 'POST' })
  t.equal(asked, 5)
  t.same(changed, [[servers[0]?.origin, 'ejected', '5 failures in a row: status 503']])
  t.match(upstream.report(), {
    isPanicking: false,
    ejections: 1,
    targets: [{ state: 'ejected', lastFailure: 'status 503' }, { state: 'healthy' }],
  })
  t.equal(answers.filter((answer) => answer === '1').length, 95)
})

t.test('close ends all targets', async (t) => {
  const { upstream, ask, askMany } = await start(t, 2)
  await askMany(10)
  await upstream.close()
  t.equal(await ask(), 'unreachable')
})

const HEALTH = {
  path: '/healthz',
  host: undefined,
  intervalMs: 20,
  timeoutMs: 1_000,
  healthy: 1,
  unhealthy: 1,
  status: [[200, 299]] as const,
}

t.test('a target that fails its checks gets no requests until it passes them', async (t) => {
  const { servers, upstream, askMany } = await start(t, 2, { health: HEALTH })
  const states = () => upstream.report().targets.map(({ state }) => state)
  servers[0]?.answer((socket, head) => {
    const status = head.startsWith('GET /healthz ') ? '500 Ill' : '200 OK'
    socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 1\r\n\r\n0`)
  })
  await eventually('the verdicts', () => states().join() === 'unhealthy,healthy')
  t.same(new Set(await askMany(40)), new Set(['1']))
  servers[0]?.answer((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n0'))
  await eventually('the verdicts', () => states().join() === 'healthy,healthy')
  t.same(new Set(await askMany(40)), new Set(['0', '1']))
})

t.test('with every target unhealthy all of them get requests', async (t) => {
  const { servers, upstream, askMany } = await start(t, 2, { health: HEALTH })
  for (const [n, server] of servers.entries()) {
    server.answer((socket, head) => {
      const status = head.startsWith('GET /healthz ') ? '500 Ill' : '200 OK'
      socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 1\r\n\r\n${n}`)
    })
  }
  await eventually('the verdicts', () => upstream.report().isPanicking)
  t.same(new Set(await askMany(40)), new Set(['0', '1']))
})

t.test('checks take no place of a request, and count as none', async (t) => {
  const { servers, upstream, ask } = await start(t, 1, {
    health: HEALTH,
    connections: 1,
    queue: 0,
  })
  const asked: string[] = []
  servers[0]?.answer((socket, head) => {
    asked.push(head.split(' ')[1] ?? '')
    if (head.startsWith('GET /healthz '))
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx')
  })
  const waiting = ask()
  await eventually('checks beside a request', () => asked.filter((a) => a !== '/').length > 3)
  t.match(upstream.report().targets, [{ active: 1, state: 'healthy' }])
  await upstream.destroy()
  await waiting
  const seen = asked.length
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(asked.length, seen, 'and end with the upstream')
})
