// Targets come and go; those that stay keep their connections, and those that go end what they have under way.
import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { createTarget, type TargetSettings } from '../../src/upstream/target.ts'
import { createTargetSet } from '../../src/upstream/target-set.ts'
import { eventually } from '../support/eventually.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { realClock } from '../support/real-clock.ts'
import { createRecordingSink } from '../support/recording-sink.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const GET = { method: 'GET', target: '/', headers: ['Host', 'a'], body: null }

async function start(t: Test, engine: TargetSettings['engine'] = 'lean') {
  const clock = createFakeClock()
  const servers = [
    await startRawUpstream((socket) => socket.write(OK)),
    await startRawUpstream((socket) => socket.write(OK)),
  ] as const
  const settings = {
    connectMs: 30_000,
    responseMs: 30_000,
    idleMs: 30_000,
    keepAliveMs: 30_000,
    connections: 1,
    queue: 9,
    queueMs: 2_500,
    engine,
  }
  const set = createTargetSet(
    (address) => createTarget({ ...settings, ...address }, realClock),
    clock,
  )
  t.teardown(async () => {
    await set.destroy()
    for (const server of servers) await server.close()
  })
  const [a, b] = servers.map(({ origin }) => ({ target: origin })) as [
    { target: string },
    { target: string },
  ]
  const ask = async (target = set.present()[0]) => {
    const sink = createRecordingSink()
    target?.dispatch(GET, sink)
    await sink.done
    return sink.heard.at(-1)?.[0]
  }
  return { clock, servers, set, a, b, ask }
}

for (const engine of ['lean', 'undici'] as const) {
  t.test(
    `${engine}: who stays keeps its connection, and an idle one that goes is closed at once`,
    async (t) => {
      const { servers, set, a, b, ask } = await start(t, engine)
      const [first] = set.replace([a])
      await ask()
      await ask()
      t.same(set.replace([b, a]), [set.present()[0], first])
      t.equal(await ask(first), 'ended')
      t.equal(servers[0].connections(), 1)
      set.replace([b])
      await eventually('the connection to be closed', () => servers[0].open() === 0)
      t.equal(await ask(first), 'failed', 'it takes no more')
    },
  )

  t.test(`${engine}: what is under way, or waits, ends at a target that is gone`, async (t) => {
    const { clock, servers, set, a, b } = await start(t, engine)
    const asked = Promise.withResolvers<Socket>()
    servers[0].answer((socket) => asked.resolve(socket))
    const [first] = set.replace([a])
    const sinks = [createRecordingSink(), createRecordingSink(), createRecordingSink()] as const
    const body = new PassThrough()
    first?.dispatch(GET, sinks[0])
    first?.dispatch(GET, sinks[1])
    first?.dispatch({ ...GET, method: 'POST', body }, sinks[2])
    const socket = await asked.promise
    set.replace([b])
    await clock.advance(59_999)
    servers[0].answer((socket) => socket.write(OK))
    socket.write(OK)
    body.end('hello')
    for (const sink of sinks) {
      await sink.done
      t.same(sink.heard.at(-1)?.[0], 'ended')
    }
    await eventually('the connection to be closed', () => servers[0].open() === 0)
    await eventually('its timer to be let go of', () => clock.pending() === 0)
  })

  t.test(`R-14 ${engine}: what is still under way a minute later is cut`, async (t) => {
    const { clock, servers, set, a } = await start(t, engine)
    const asked = Promise.withResolvers<Socket>()
    servers[0].answer((socket) => asked.resolve(socket))
    const [first] = set.replace([a])
    const sink = createRecordingSink()
    first?.dispatch(GET, sink)
    await asked.promise
    set.replace([])
    t.same(set.present(), [])
    await clock.advance(59_999)
    t.same(sink.heard, [])
    await clock.advance(1)
    await sink.done
    t.same(sink.heard, [['failed', 'protocol']])
    await eventually('the connection to be closed', () => servers[0].open() === 0)
  })
}

t.test(
  'an address given twice is one target, and another name to verify is another one',
  async (t) => {
    const { set, a } = await start(t)
    t.equal(set.replace([a, a]).length, 1)
    const [first] = set.present()
    const [, named] = set.replace([a, { ...a, serverName: 'orders.internal' }])
    t.equal(set.present()[0], first)
    t.not(named, first)
  },
)

t.test('the end of the set is the end of those that are gone too', async (t) => {
  const { servers, set, a } = await start(t)
  const asked = Promise.withResolvers<Socket>()
  servers[0].answer((socket) => asked.resolve(socket))
  const sink = createRecordingSink()
  set.replace([a])[0]?.dispatch(GET, sink)
  await asked.promise
  set.replace([])
  await set.destroy()
  t.same(sink.heard, [['failed', 'protocol']])
})
