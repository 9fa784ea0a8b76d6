// A target is asked at its interval, one check at a time, and is settled by as many in a row as configured.
import t from 'tap'
import type { ResponseSink, UpstreamRequest } from '../../src/upstream/dispatch.ts'
import { type HealthCheckSettings, startHealthCheck } from '../../src/upstream/health-check.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const SETTINGS: HealthCheckSettings = {
  path: '/healthz?full=1',
  host: undefined,
  intervalMs: 5_000,
  timeoutMs: 2_000,
  healthy: 2,
  unhealthy: 3,
  status: [
    [200, 299],
    [404, 404],
  ],
}

function start(changes: Partial<HealthCheckSettings> = {}, origin = 'http://orders:8080') {
  const clock = createFakeClock()
  const asked: { request: UpstreamRequest; sink: ResponseSink; aborted: boolean }[] = []
  const settled: string[] = []
  const problems: string[] = []
  const target = {
    origin,
    dispatch(request: UpstreamRequest, sink: ResponseSink) {
      const one = { request, sink, aborted: false }
      asked.push(one)
      const abort = () => {
        one.aborted = true
      }
      return { abort, resume: () => undefined }
    },
  }
  const check = startHealthCheck(
    target,
    { ...SETTINGS, ...changes },
    {
      clock,
      random: () => 0.5,
      checked: (problem) => problems.push(problem),
      settled: (isHealthy, why) => settled.push(isHealthy ? 'healthy' : `unhealthy: ${why}`),
    },
  )
  const answer = async (status: number) => {
    const { sink } = asked.at(-1) as (typeof asked)[number]
    sink.head(status, [])
    sink.ended([])
    await clock.advance(5_000)
  }
  return { clock, asked, settled, problems, check, answer }
}

t.test('it asks at once, then at the interval, on the path and by the host given', async (t) => {
  const { clock, asked } = start({ host: 'health.internal' })
  t.match(asked[0]?.request, { method: 'GET', target: '/healthz?full=1', body: null })
  t.same(asked[0]?.request.headers.slice(0, 2), ['Host', 'health.internal'])
  asked[0]?.sink.head(200, [])
  asked[0]?.sink.ended([])
  await clock.advance(4_999)
  t.equal(asked.length, 1)
  await clock.advance(1)
  t.equal(asked.length, 2)
  t.same(start().asked[0]?.request.headers[1], 'orders:8080')
  t.same(start({}, 'unix:/run/a.sock').asked[0]?.request.headers[1], 'localhost')
})

t.test('the first one settles it alone, later ones as many in a row as configured', async (t) => {
  const { settled, answer } = start()
  await answer(200)
  t.same(settled, ['healthy'])
  for (const status of [500, 500, 200, 500, 500]) await answer(status)
  t.same(settled, ['healthy'], 'two in a row are not enough')
  await answer(503)
  t.same(settled.slice(1), ['unhealthy: status 503'])
  for (const status of [200, 500, 200]) await answer(status)
  t.equal(settled.length, 2)
  await answer(404)
  t.same(settled.slice(2), ['healthy'])
})

t.test('statuses at the ends of a range are in it, and their neighbours are not', async (t) => {
  for (const [status, isWell] of [
    [200, true],
    [299, true],
    [300, false],
    [403, false],
    [404, true],
    [405, false],
  ] as const) {
    const { settled, answer } = start()
    await answer(status)
    t.equal(settled[0] === 'healthy', isWell, String(status))
  }
})

t.test('what is not whole in time fails, is let go of, and says nothing later', async (t) => {
  const { clock, asked, settled, problems } = start()
  asked[0]?.sink.head(200, [])
  await clock.advance(1_999)
  t.same(settled, [])
  await clock.advance(1)
  t.same(settled, ['unhealthy: timeout: no whole response within 2000 ms'])
  t.equal(asked[0]?.aborted, true)
  asked[0]?.sink.ended([])
  t.equal(problems.length, 1)
})

t.test('a body of 64 KiB is heard, more is not a health endpoint', async (t) => {
  const { asked, problems } = start()
  asked[0]?.sink.head(200, [])
  asked[0]?.sink.data(Buffer.alloc(64 * 1024))
  t.same(problems, [])
  asked[0]?.sink.data(Buffer.alloc(1))
  t.same(problems, ['more than 65536 bytes'])
  t.equal(asked[0]?.aborted, true)
})

t.test('a failure of the connection is a failed check', async (t) => {
  const { asked, settled } = start()
  asked[0]?.sink.failed({ kind: 'unreachable', detail: 'ECONNREFUSED' })
  t.same(settled, ['unhealthy: unreachable: ECONNREFUSED'])
})

t.test('once stopped it asks nothing, and holds no timer', async (t) => {
  const { clock, asked, check, settled } = start()
  check.stop()
  t.equal(asked[0]?.aborted, true)
  t.equal(clock.pending(), 0)
  await clock.advance(60_000)
  t.same([asked.length, settled], [1, []])
})
