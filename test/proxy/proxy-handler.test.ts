// One request's way: whatever is unforeseen denies, and nothing is forwarded without an Allow.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { RequestFacts } from '../../src/http/request-facts.ts'
import type { Decision } from '../../src/policy/decision.ts'
import { createProxyHandler, type ProxyPorts } from '../../src/proxy/proxy-handler.ts'
import type { Exchange } from '../../src/proxy/exchange.ts'
import type { Ruleset } from '../../src/proxy/ruleset.ts'
import { compileReserved } from '../../src/route/reserved.ts'
import type { ResponseSink, UpstreamRequest } from '../../src/upstream/dispatch.ts'
import { eventually } from '../support/eventually.ts'
import { sendRaw } from '../support/raw-client.ts'
import { realClock } from '../support/real-clock.ts'

const ROUTE = { name: 'r', index: 0, upstream: 'up', forwardToken: true, maxBody: 5 }
const ALLOW: Decision = { kind: 'allow', route: ROUTE, principal: undefined }

interface Options {
  readonly authorize?: (facts: RequestFacts) => Decision | Promise<Decision>
  /** Stands in for the upstream. */
  readonly answer?: (sink: ResponseSink, request: UpstreamRequest) => void
  readonly draining?: boolean
  readonly pipelined?: ProxyPorts['pipelined']
}

function answerOk(sink: ResponseSink): void {
  sink.head(200, [])
  sink.ended([])
}

async function start(t: Test, options: Options = {}) {
  const { authorize = () => ALLOW, draining = false } = options
  const { answer = answerOk, pipelined = { admits: () => true, postpone: () => false } } = options
  const ended: unknown[] = []
  const dispatched: UpstreamRequest[] = []
  const closed: Pick<Exchange, 'reason' | 'status' | 'path' | 'clientAddress'>[] = []
  const faults: unknown[] = []
  const dispatch = (_: unknown, request: UpstreamRequest, sink: ResponseSink) => {
    dispatched.push(request)
    answer(sink, request)
    return { abort: () => undefined, resume: () => undefined }
  }
  const ruleset = {
    authorize,
    upstreams: new Map([['up', { name: 'up', dispatch }]]),
    buildUpstreamHeaders: () => ['x-built', '1'],
    buildClientHeaders: (headers: readonly string[]) => [...headers],
    isTrusted: () => false,
    limits: { headerFields: 10, target: 100 },
    isReserved: compileReserved('/_poolgate'),
    pageAt: () => undefined,
    signIns: new Map(),
  } as unknown as Ruleset
  let ids = 0
  const { handle } = createProxyHandler({
    clock: realClock,
    ruleset: () => ruleset,
    nextId: () => `id-${++ids}`,
    draining: () => draining,
    opened: () => undefined,
    closed: ({ reason, status, path, clientAddress }) =>
      closed.push({ reason, status, path, clientAddress }),
    ending: ({ id }) => ended.push(id),
    upgraded: () => undefined,
    endpointAt: () => undefined,
    pipelined,
    faulted: (error) => faults.push(error),
  })
  const server = createServer((request, response) => handle(request, response, false))
  server.on('checkContinue', (request, response) => handle(request, response, true))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  const ask = async (target = '/x', more = '', body = '', method = 'GET') => {
    const head = `${method} ${target} HTTP/1.1\r\nHost: a\r\n${more}\r\n${body}`
    const until = (text: string) => /\r\n\r\n/.test(text)
    const { text, statuses } = await sendRaw(origin, head, { until })
    return { text, status: statuses.at(-1), reason: /"reason":"(\w+)"/.exec(text)?.[1] }
  }
  return { ask, dispatched, closed, faults, ended }
}

t.test('an allowed request is dispatched as it was matched, with the built headers', async (t) => {
  const { ask, dispatched, closed } = await start(t)
  t.match(await ask('/a%20b?c'), { status: 200 })
  t.match(dispatched, [
    { method: 'GET', target: '/a%20b?c', headers: ['x-built', '1'], body: null },
  ])
  await eventually('the end', () => closed.length === 1)
  t.match(closed, [{ reason: '', status: 200 }])
})

t.test('whatever throws denies with 500 and forwards nothing', async (t) => {
  const fails: Options[] = [
    {
      authorize: () => {
        throw new Error('a defect')
      },
    },
    { authorize: () => Promise.reject(new Error('a defect')) },
    { authorize: () => ({ ...ALLOW, route: { ...ROUTE, upstream: 'none' } }) as Decision },
    { authorize: async () => undefined as unknown as Decision },
  ]
  for (const options of fails) {
    const { ask, dispatched, faults } = await start(t, options)
    t.match(await ask(), { status: 500, reason: 'internal_error' })
    t.notMatch((await ask()).text, /defect/)
    t.equal(faults.length, 2)
    t.equal(dispatched.length, 0)
  }
})

t.test('a defect after the head has gone out breaks the connection', async (t) => {
  const { ask, faults } = await start(t, {
    answer: (sink) => {
      sink.head(200, [])
      throw new Error('a defect')
    },
  })
  t.notMatch((await ask()).text, /\r\n0\r\n/)
  t.equal(faults.length, 1)
})

t.test('reserved paths are nobody’s, and are not even decided', async (t) => {
  let decided = 0
  const { ask, dispatched } = await start(t, {
    authorize() {
      decided++
      return ALLOW
    },
  })
  const paths = ['/_poolgate', '/_poolgate/', '/_poolgate/x?y', '/%5fpoolgate/x']
  for (const path of [...paths, '/_POOLGATE/x', '/_poolgate;a/x', '/%255fpoolgate/x']) {
    t.match(await ask(path), { status: 404, reason: 'route_not_found' }, path)
  }
  t.equal(decided, 0)
  t.match(await ask('/_poolgates'), { status: 200 })
  t.match(await ask('/x/_poolgate/'), { status: 200 })
  t.equal(dispatched.length, 2)
})

t.test('OPTIONS * is about the gateway itself; GET * is nothing', async (t) => {
  const { ask, dispatched } = await start(t)
  const { status, text } = await ask('*', '', '', 'OPTIONS')
  t.equal(status, 204)
  t.match(text, /\r\nallow: GET, HEAD, /i)
  t.match(text, /\r\nx-request-id: id-1\r\n/i)
  t.match(await ask('*'), { status: 400 })
  for (const more of [
    'Host: b\r\n',
    'Content_Length: 5\r\n',
    'Content-Length: 1\r\nUpgrade: x\r\n',
  ]) {
    t.match(await ask('*', more, '', 'OPTIONS'), { status: 400, reason: 'request_malformed' }, more)
  }
  t.equal(dispatched.length, 0)
})

t.test('what is refused for its form is logged without a password', async (t) => {
  const { ask, closed } = await start(t)
  t.match(await ask('http://bob:s3cret@a/x'), { status: 400, reason: 'target_ambiguous' })
  t.match(await ask('http://bob:s3cret@a/x', 'Host: b\r\n'), { status: 400 })
  await eventually('both', () => closed.length === 2)
  t.match(closed, [
    { path: '***@a/x', clientAddress: '127.0.0.1' },
    { path: '***@a/x', clientAddress: '127.0.0.1' },
  ])
})

t.test('only an answer that ends its connection says so', async (t) => {
  const { ask, ended } = await start(t)
  await ask('/x')
  await ask('/_poolgate/x')
  await ask('/a//b')
  t.same(ended, [])
  await ask('/x', 'Host: b\r\n')
  t.same(ended, ['id-4'])
})

t.test('what its connection has no place for waits undecided, or is refused', async (t) => {
  let goOn: (() => void) | undefined
  let admits = false
  const pipelined: ProxyPorts['pipelined'] = {
    admits: () => admits,
    postpone(_, start) {
      const isFirst = goOn === undefined
      goOn ??= start
      return isFirst
    },
  }
  let decisions = 0
  const authorize = () => {
    decisions++
    return ALLOW
  }
  const { ask, dispatched, faults } = await start(t, { pipelined, authorize })
  const first = ask('/first')
  await eventually('the first', () => goOn)
  t.match(await ask('/second'), { status: 503, reason: 'overloaded' })
  t.same([dispatched.length, decisions], [0, 0], 'no token is verified ahead of its turn')
  admits = true
  goOn?.()
  t.match(await first, { status: 200 })
  t.match(dispatched, [{ target: '/first' }])
  t.same(faults, [])
})

t.test('a defect in what has waited is a fault like any other', async (t) => {
  const decision = { ...ALLOW, route: { ...ROUTE, upstream: 'none' } } as Decision
  let goOn: (() => void) | undefined
  const pipelined: ProxyPorts['pipelined'] = {
    admits: () => goOn !== undefined,
    postpone(_, start) {
      goOn = start
      return true
    },
  }
  const { ask, faults } = await start(t, { authorize: () => decision, pipelined })
  const asked = ask()
  await eventually('its turn', () => goOn)
  goOn?.()
  t.match(await asked, { status: 500, reason: 'internal_error' })
  t.equal(faults.length, 1)
})

t.test(
  'a body that announces itself as too large is refused before anything is sent',
  async (t) => {
    const { ask, dispatched } = await start(t)
    t.match(await ask('/x', 'Content-Length: 5\r\n', 'hello', 'POST'), { status: 200 })
    t.ok(dispatched[0]?.body)
    const large = await ask('/x', 'Content-Length: 6\r\n', '', 'POST')
    t.match(large, { status: 413, reason: 'body_too_large' })
    t.equal(dispatched.length, 1)
  },
)

t.test('100 is said once it is allowed, never before', async (t) => {
  const waits = 'Content-Length: 5\r\nExpect: 100-continue\r\n'
  const { ask } = await start(t, { answer: () => undefined })
  t.match((await ask('/x', waits, '', 'POST')).text, /^HTTP\/1\.1 100 Continue\r\n\r\n$/)
  const denying = await start(t, {
    authorize: () => ({ kind: 'deny', reason: 'group_missing', detail: '', route: undefined }),
  })
  const denied = await denying.ask('/x', waits, '', 'POST')
  t.match(denied, { status: 403, reason: 'group_missing' })
  t.match(denied.text, /\r\nconnection: close\r\n/i)
})

t.test('a client that leaves while a key is fetched leaves nothing to be forwarded', async (t) => {
  let decide: (decision: Decision) => void = () => undefined
  const { ask, dispatched, closed } = await start(t, {
    authorize: () => new Promise((resolve) => (decide = resolve)),
  })
  void ask('/x', '', '', 'GET')
  await eventually('the end of a client that waits for a second', () => closed.length === 1)
  decide(ALLOW)
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(dispatched.length, 0)
})

t.test('while draining every answer ends its connection', async (t) => {
  const { ask } = await start(t, { draining: true })
  t.match((await ask('/x')).text, /\r\nconnection: close\r\n/i)
  t.match((await ask('/_poolgate/x')).text, /\r\nconnection: close\r\n/i)
})
