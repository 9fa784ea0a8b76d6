// Requests are divided among targets, and those that fail are left alone.
import t, { type Test } from 'tap'
import type { Allow } from '../../src/policy/decision.ts'
import type { Principal } from '../../src/policy/principal.ts'
import { createUpstream, type UpstreamSettings } from '../../src/upstream/upstream.ts'
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
  return { servers, upstream, ask, askMany }
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
  const { servers, askMany } = await start(t, 2)
  let asked = 0
  servers[0]?.answer((socket) => {
    asked++
    socket.write('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 1\r\n\r\nx')
  })
  const answers = await askMany(100, { method: 'POST' })
  t.equal(asked, 5)
  t.equal(answers.filter((answer) => answer === '1').length, 95)
})

t.test('close ends all targets', async (t) => {
  const { upstream, ask, askMany } = await start(t, 2)
  await askMany(10)
  await upstream.close()
  t.equal(await ask(), 'unreachable')
})
