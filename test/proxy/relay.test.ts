// A response's way to the client: at the client's pace, whole or visibly broken.
import type { IncomingMessage, ServerResponse } from 'node:http'
import t from 'tap'
import { createTurnEnd } from '../../src/base/turn-end.ts'
import { Exchange } from '../../src/proxy/exchange.ts'
import { Relay } from '../../src/proxy/relay.ts'
import type { RequestBody } from '../../src/proxy/request-body.ts'
import { createFakeClock } from '../support/fake-clock.ts'

interface Options {
  readonly httpVersion?: string
  readonly draining?: boolean
  /** What each write to the client returns. */
  readonly flowing?: boolean
  readonly tooLarge?: boolean
  /** The client's side, plain TCP unless said otherwise. */
  readonly socket?: object
  /** When its token expires. */
  readonly expiresAtMs?: number
}

/** A relay whose client writes down what is done to it. */
function create({
  httpVersion = '1.1',
  draining = false,
  flowing = true,
  tooLarge,
  socket = { remoteAddress: '127.0.0.1' },
  expiresAtMs = Number.POSITIVE_INFINITY,
}: Options = {}) {
  const done: unknown[][] = []
  const clock = createFakeClock(0)
  const note =
    (name: string) =>
    (...args: unknown[]) => {
      const written = args.find((arg) => typeof arg === 'function')
      if (written) whenWritten = written as () => void
      const shown = args.filter((arg) => arg !== 'latin1' && arg !== written)
      done.push([name, ...shown.map((arg) => (Buffer.isBuffer(arg) ? arg.toString() : arg))])
      return flowing
    }
  let whenWritten: (() => void) | undefined
  const response = {
    headersSent: false,
    destroyed: false,
    writableEnded: false,
    writableLength: 0,
    writeInformation: note('inform'),
    writeHead(...args: unknown[]) {
      note('head')(...args)
      response.headersSent = true
    },
    flushHeaders: note('flush'),
    write: note('write'),
    addTrailers: note('trailers'),
    end(...args: unknown[]) {
      note('end')(...args)
      response.writableEnded = true
    },
    destroy: note('destroy'),
  }
  const request = { url: '/', httpVersion, socket: { ...socket, resetAndDestroy: note('reset') } }
  const exchange = new Exchange(
    'id-1',
    request as unknown as IncomingMessage,
    response as unknown as ServerResponse,
    clock,
    false,
  )
  const body = { tooLarge: () => tooLarge } as unknown as RequestBody
  const relay = new Relay(
    exchange,
    {
      deny: (_, reason, detail) => void done.push(['deny', reason, detail]),
      draining: () => draining,
      putOff: createTurnEnd(),
    },
    (headers) => headers.filter((_, i) => headers[i - (i % 2)] !== 'X-Auth-Subject'),
    tooLarge === undefined ? undefined : body,
    expiresAtMs,
  )
  return { relay, exchange, response, clock, done, written: () => whenWritten?.() }
}

const chunk = Buffer.from('hello')
const turn = () => new Promise((resolve) => setImmediate(resolve))

t.test('the last byte of an announced length ends the response at once', async (t) => {
  const { relay, exchange, done } = create()
  relay.head(200, ['Content-Length', '10'])
  t.ok(relay.data(chunk))
  t.ok(relay.data(chunk))
  relay.ended([])
  await turn()
  t.same(done, [
    ['head', 200, ['Content-Length', '10']],
    ['write', 'hello'],
    ['end', 'hello'],
  ])
  t.equal(exchange.responseBytes, 10)
})

t.test('without a length it ends when the upstream’s does, with its trailers', async (t) => {
  const { relay, done } = create()
  relay.head(200, [])
  relay.data(chunk)
  relay.ended(['X-Sum', '1', 'X-Auth-Subject', 'root', 'x-sum', '2'])
  t.same(done.slice(1), [
    ['write', 'hello'],
    [
      'trailers',
      [
        ['X-Sum', '1'],
        ['x-sum', '2'],
      ],
    ],
    ['end'],
  ])
})

t.test('a head without a body goes ahead; one with a body waits for it', async (t) => {
  const slow = create()
  slow.relay.head(200, [])
  await turn()
  t.same(slow.done.at(-1), ['flush'])
  const fast = create()
  fast.relay.head(200, [])
  fast.relay.data(chunk)
  await turn()
  t.same(fast.done.at(-1), ['write', 'hello'])
})

t.test('a client that is full holds the upstream back until all of it is written', async (t) => {
  const { relay, response, written } = create({ flowing: false })
  let resumed = 0
  relay.attach({ abort: () => undefined, resume: () => void resumed++ })
  relay.head(200, [])
  t.notOk(relay.data(chunk))
  t.notOk(relay.data(chunk))
  response.writableLength = 1
  written()
  t.equal(resumed, 0, 'a part is still on its way')
  response.writableLength = 0
  written()
  t.equal(resumed, 1)
})

t.test(
  '4 KiB are copied; a longer chunk is kept until it is written, the last one too',
  async (t) => {
    const { relay, done, written } = create()
    let resumed = 0
    relay.attach({ abort: () => undefined, resume: () => void resumed++ })
    relay.head(200, ['Content-Length', String(4096 + 4097 + 4097)])
    t.ok(relay.data(Buffer.alloc(4096)))
    t.notOk(relay.data(Buffer.alloc(4097)))
    written()
    t.equal(resumed, 1)
    t.notOk(relay.data(Buffer.alloc(4097)))
    t.equal(done.at(-1)?.[0], 'end')
    written()
    t.equal(resumed, 2)
  },
)

t.test('while draining an answer ends its connection', async (t) => {
  const { relay, done } = create({ draining: true })
  relay.head(200, ['X', '1'])
  t.same(done, [['head', 200, ['X', '1', 'connection', 'close']]])
})

t.test('interim responses are passed on, some of them, and never to HTTP/1.0', async (t) => {
  const { relay, done } = create()
  for (let i = 0; i < 20; i++) relay.informed(103, ['Link', '</a>', 'X-Auth-Subject', 'root'])
  t.equal(done.length, 16)
  t.same(done[0], ['inform', 103, ['Link', '</a>']])
  const old = create({ httpVersion: '1.0' })
  old.relay.informed(103, [])
  t.same(old.done, [])
})

t.test('an interim response that cannot be written is left out', async (t) => {
  const { relay, response, done } = create()
  response.writeInformation = () => {
    throw new TypeError('invalid character')
  }
  relay.informed(103, ['Link', 'x'])
  relay.head(200, [])
  t.match(done, [['head', 200]])
})

t.test('a failure before the head is an answer by its kind', async (t) => {
  for (const [kind, reason] of [
    ['unreachable', 'upstream_unreachable'],
    ['protocol', 'upstream_protocol'],
    ['timeout', 'upstream_timeout'],
    ['overloaded', 'overloaded'],
  ] as const) {
    const { relay, done } = create({ tooLarge: false })
    relay.failed({ kind, detail: 'why' })
    t.same(done, [['deny', reason, 'why']])
  }
  const { relay, done } = create({ tooLarge: true })
  relay.failed({ kind: 'protocol', detail: 'why' })
  t.same(done, [['deny', 'body_too_large', 'why']], 'the body was the cause')
})

t.test('a failure after the head breaks the connection, and is noted', async (t) => {
  const { relay, exchange, done } = create()
  relay.head(200, [])
  relay.failed({ kind: 'protocol', detail: 'why' })
  await turn()
  t.same(done.at(-1), ['destroy'])
  t.match(exchange, { outcome: 'upstream_truncated', detail: 'why' })
  const old = create({ httpVersion: '1.0' })
  old.relay.head(200, [])
  old.relay.failed({ kind: 'protocol', detail: 'why' })
  await turn()
  t.same(old.done.slice(-2), [['reset'], ['destroy']])
  for (const socket of [{ encrypted: true, remoteAddress: '127.0.0.1' }, {}]) {
    const other = create({ httpVersion: '1.0', socket })
    other.relay.head(200, [])
    other.relay.failed({ kind: 'protocol', detail: 'why' })
    await turn()
    t.same(other.done.at(-1), ['destroy'])
    t.notOk(
      other.done.some(([what]) => what === 'reset'),
      'only TCP can be reset',
    )
  }
})

t.test('a failure after the client has left is nobody’s', async (t) => {
  const { relay, exchange, response, done } = create()
  response.destroyed = true
  relay.failed({ kind: 'protocol', detail: 'why' })
  t.same(done, [])
  t.equal(exchange.outcome, 'complete')
})

const EVENTS = ['Content-Type', 'text/event-stream; charset=utf-8']

t.test('a stream of events ends cleanly with its token, and lets go of the upstream', async (t) => {
  const { relay, exchange, clock, done } = create({ expiresAtMs: 5_000 })
  let aborted = 0
  const call = { abort: () => void aborted++, resume: () => undefined }
  relay.attach(call)
  exchange.serving(call)
  relay.head(200, EVENTS)
  relay.data(chunk)
  await clock.advance(4_999)
  t.same(done.slice(1), [['write', 'hello']])
  t.equal(aborted, 0)
  await clock.advance(1)
  t.same(done.slice(1), [['write', 'hello'], ['end']])
  t.equal(aborted, 1)
  t.equal(exchange.outcome, 'token_expired')
})

t.test('what is no stream, or has a length, outlives its token', async (t) => {
  for (const headers of [['Content-Type', 'video/mp4'], [...EVENTS, 'Content-Length', '9'], []]) {
    const { relay, exchange, clock, done } = create({ expiresAtMs: 5_000 })
    relay.head(200, headers)
    t.equal(clock.pending(), 0)
    await clock.advance(10_000)
    t.notMatch(done, [['end']])
    t.equal(exchange.outcome, 'complete')
  }
})

t.test('a stream that ends by itself leaves no timer behind', async (t) => {
  const { relay, exchange, clock, done } = create({ expiresAtMs: 5_000 })
  relay.head(200, EVENTS)
  t.equal(clock.pending(), 1)
  relay.ended([])
  exchange.finish()
  t.equal(clock.pending(), 0)
  t.same(done.at(-1), ['end'])
})

t.test('a stream that is over but not yet taken is not one that its token ended', async (t) => {
  const { relay, exchange, clock, done } = create({ expiresAtMs: 5_000 })
  relay.head(200, EVENTS)
  relay.ended([])
  await clock.advance(5_000)
  t.equal(exchange.outcome, 'complete')
  t.equal(done.filter(([what]) => what === 'end').length, 1)
})
