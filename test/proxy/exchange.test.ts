// The record of one request: each field once, times by the clock that never steps, and an end whatever happens.
import type { IncomingMessage, ServerResponse } from 'node:http'
import t from 'tap'
import { Exchange } from '../../src/proxy/exchange.ts'
import type { RequestBody } from '../../src/proxy/request-body.ts'
import type { Tunnel } from '../../src/proxy/tunnel.ts'
import { createFakeClock } from '../support/fake-clock.ts'

function create(url = '/x?secret=1') {
  const clock = createFakeClock()
  const request = { url, method: 'POST', complete: true, socket: { remoteAddress: '192.0.2.1' } }
  const response = {
    headersSent: false,
    statusCode: 200,
    writableLength: 0,
    writableFinished: true,
  }
  const exchange = new Exchange(
    'id-1',
    request as unknown as IncomingMessage,
    response as unknown as ServerResponse,
    clock,
    false,
  )
  return { clock, exchange, request, response }
}

t.test('begins with what is known without reading anything', async (t) => {
  const { exchange } = create()
  t.match(exchange, { path: '/x', clientAddress: '192.0.2.1', decision: 'none', status: 0 })
  t.equal(exchange.method, 'POST')
  t.equal(create('*').exchange.path, '*')
})

t.test('times are differences of the monotonic clock', async (t) => {
  const { clock, exchange } = create()
  await clock.advance(2)
  exchange.asked('up', undefined)
  clock.stepWall(3_600_000)
  await clock.advance(5)
  exchange.answered()
  await clock.advance(10)
  exchange.finish()
  t.match(exchange, { overheadMs: 2, upstreamMs: 5, durationMs: 17 })
})

t.test('without an upstream all of the time is Poolgate’s own', async (t) => {
  const { clock, exchange } = create()
  await clock.advance(4)
  exchange.finish()
  t.match(exchange, { overheadMs: 4, upstreamMs: -1, durationMs: 4 })
})

t.test(
  'an end before the response’s is the client’s, unless the upstream’s came first',
  async (t) => {
    const gone = create()
    gone.response.writableFinished = false
    gone.exchange.finish()
    t.equal(gone.exchange.outcome, 'client_aborted')
    const truncated = create()
    truncated.response.writableFinished = false
    truncated.exchange.outcome = 'upstream_truncated'
    truncated.exchange.finish()
    t.equal(truncated.exchange.outcome, 'upstream_truncated')
    const whole = create()
    whole.exchange.finish()
    t.equal(whole.exchange.outcome, 'complete')
  },
)

t.test('the upstream is let go of at the end, and when Poolgate answers by itself', async (t) => {
  for (const end of ['finish', 'refused'] as const) {
    const { exchange } = create()
    let aborted = 0
    exchange.serving({ abort: () => void aborted++, resume: () => undefined })
    exchange[end]('request_timeout', 'why')
    t.equal(aborted, 1)
  }
})

t.test(
  'waits for the client while it has to read, or to send what there is room for',
  async (t) => {
    const { exchange, request, response } = create()
    const stream = { writableNeedDrain: false }
    exchange.asked('up', { stream, bytes: () => 7 } as unknown as RequestBody)
    t.notOk(exchange.awaitsClient(), 'all is sent: the upstream is to answer')
    request.complete = false
    t.ok(exchange.awaitsClient(), 'more of the body')
    stream.writableNeedDrain = true
    t.notOk(exchange.awaitsClient(), 'the upstream is to read')
    response.writableLength = 1
    t.ok(exchange.awaitsClient(), 'the answer is to be read')
    exchange.finish()
    t.equal(exchange.requestBytes, 7)
  },
)

/** An exchange whose response has been a 101, and what its tunnel was told. */
function createTunnelled() {
  const made = create()
  made.response.writableFinished = false
  const ends: unknown[][] = []
  made.exchange.tunnels({
    endEarly: (...how: unknown[]) => void ends.push(how),
  } as unknown as Tunnel)
  return { ...made, ends }
}

t.test(
  'a tunnel that both sides have ended is whole, one that broke says who broke it',
  async (t) => {
    for (const [how, outcome] of [
      ['whole', 'complete'],
      ['client_aborted', 'client_aborted'],
      ['upstream_truncated', 'upstream_truncated'],
    ] as const) {
      const { exchange } = createTunnelled()
      exchange.tunnelled(how)
      exchange.finish()
      t.equal(exchange.outcome, outcome)
    }
  },
)

t.test('a tunnel is ended as going away, and the line says why; nothing else is one', async (t) => {
  const { exchange, ends } = createTunnelled()
  t.ok(exchange.endTunnel('the drain time is over'))
  t.same(ends, [[1001, '']])
  t.equal(exchange.detail, 'the drain time is over')
  const plain = create().exchange
  t.notOk(plain.endTunnel('the drain time is over'))
  t.equal(plain.detail, '')
})

t.test('what the token has ended is not called broken by what follows from it', async (t) => {
  const { clock, exchange } = createTunnelled()
  let ended = 0
  exchange.endsAt(clock.now() + 1_000, () => void ended++)
  await clock.advance(1_000)
  exchange.tunnelled('client_aborted')
  exchange.finish()
  t.equal(ended, 1)
  t.equal(exchange.outcome, 'token_expired')
  t.equal(clock.pending(), 0)
})
