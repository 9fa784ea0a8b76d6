// A request is asked of a second target only where nothing can happen twice, and each target is told how it did.
import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { BalancedCall } from '../../src/upstream/balanced-call.ts'
import type { ResponseSink, UpstreamRequest } from '../../src/upstream/dispatch.ts'
import type { UpstreamFailure } from '../../src/upstream/failure.ts'
import type { Target } from '../../src/upstream/target.ts'
import { createRecordingSink } from '../support/recording-sink.ts'

const GET: UpstreamRequest = { method: 'GET', target: '/', headers: [], body: null }
const failure = (kind: UpstreamFailure['kind']): UpstreamFailure => ({ kind, detail: kind })

interface FakeTarget extends Target {
  readonly sinks: ResponseSink[]
  readonly done: string[]
}

/** `atOnce` is what it fails with before dispatch returns. */
function createTarget(origin: string, atOnce?: UpstreamFailure): FakeTarget {
  const sinks: ResponseSink[] = []
  const done: string[] = []
  return {
    origin,
    address: { target: origin },
    hash: 0,
    sinks,
    done,
    active: () => 0,
    dispatch(_request, sink) {
      sinks.push(sink)
      if (atOnce) sink.failed(atOnce)
      return { abort: () => done.push('abort'), resume: () => done.push('resume') }
    },
    close: async () => undefined,
    destroy: async () => undefined,
  }
}

function begin(
  request: UpstreamRequest,
  [first, second]: readonly FakeTarget[],
  mayRetry: () => boolean = () => true,
) {
  const told: string[] = []
  const sink = createRecordingSink()
  const call = new BalancedCall(request, sink, {
    choose: (not) => (second === not ? undefined : second),
    succeeded: ({ origin }) => told.push(`${origin} succeeded`),
    failed: ({ origin }) => told.push(`${origin} failed`),
    mayRetry,
  })
  call.begin(first as FakeTarget)
  return { call, told, sink, heard: sink.heard }
}

t.test('a response goes through, and its target has done well', async (t) => {
  const a = createTarget('a')
  const { told, heard } = begin(GET, [a, createTarget('b')])
  const [sink] = a.sinks
  sink?.informed(103, [])
  sink?.head(500, ['x', 'y'])
  t.equal(sink?.data(Buffer.from('body')), true)
  sink?.ended([])
  t.same(heard, [
    ['informed', 103, []],
    ['head', 500, ['x', 'y']],
    ['data', 'body'],
    ['ended', []],
  ])
  t.same(told, ['a succeeded'])
})

t.test('502, 503 and 504 are passed on and count as failures; 501 and 505 do not', async (t) => {
  for (const [status, said] of [
    [501, 'a succeeded'],
    [502, 'a failed'],
    [503, 'a failed'],
    [504, 'a failed'],
    [505, 'a succeeded'],
  ] as const) {
    const a = createTarget('a')
    const b = createTarget('b')
    const { told, heard } = begin(GET, [a, b])
    a.sinks[0]?.head(status, [])
    t.same(told, [said])
    t.same([heard.length, b.sinks.length], [1, 0], 'what was answered is the answer')
  }
})

t.test('what was not answered is asked of another target, once', async (t) => {
  for (const kind of ['unreachable', 'protocol'] as const) {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']) {
      const [a, b] = [createTarget('a'), createTarget('b')]
      const { told, heard } = begin({ ...GET, method }, [a, b])
      a.sinks[0]?.failed(failure(kind))
      t.same([heard, b.sinks.length], [[], 1], `${method} ${kind}`)
      b.sinks[0]?.failed(failure(kind))
      t.same(heard, [['failed', kind]])
      t.same(told, ['a failed', 'b failed'])
    }
  }
})

t.test('nothing is asked twice that could do anything twice, or has had its time', async (t) => {
  const body = new PassThrough()
  const cases: [string, UpstreamRequest, UpstreamFailure['kind'], boolean][] = [
    ['POST', { ...GET, method: 'POST' }, 'unreachable', false],
    ['PATCH', { ...GET, method: 'PATCH' }, 'protocol', false],
    ['an unknown method', { ...GET, method: 'REPORT' }, 'protocol', false],
    ['a body', { ...GET, method: 'PUT', body }, 'unreachable', false],
    ['a timeout', GET, 'timeout', false],
    ['too much to do', GET, 'overloaded', false],
    ['an interim response', GET, 'protocol', true],
  ]
  for (const [what, request, kind, isInformed] of cases) {
    const [a, b] = [createTarget('a'), createTarget('b')]
    const { heard } = begin(request, [a, b])
    if (isInformed) a.sinks[0]?.informed(103, [])
    a.sinks[0]?.failed(failure(kind))
    t.same([heard.at(-1), b.sinks.length], [['failed', kind], 0], what)
  }
  const [a, b] = [createTarget('a'), createTarget('b')]
  const { heard } = begin(GET, [a, b], () => false)
  a.sinks[0]?.failed(failure('unreachable'))
  t.same([heard, b.sinks.length], [[['failed', 'unreachable']], 0], 'beyond the budget')
})

t.test('a body that its client broke off is not held against the target', async (t) => {
  const a = createTarget('a')
  const { told } = begin({ ...GET, method: 'POST', body: new PassThrough() }, [a])
  a.sinks[0]?.failed(failure('protocol'))
  t.same(told, [])
  const b = createTarget('b')
  const other = begin({ ...GET, method: 'POST', body: new PassThrough() }, [b])
  b.sinks[0]?.failed(failure('unreachable'))
  t.same(other.told, ['b failed'], 'that nobody was there is')
})

t.test('the call in force is the one that is let go of and told to go on', async (t) => {
  const [a, b] = [createTarget('a', failure('unreachable')), createTarget('b')]
  const { call } = begin(GET, [a, b])
  call.resume()
  call.abort()
  t.same([a.done, b.done], [[], ['resume', 'abort']], 'also when the first failed at once')
  const [c, d] = [createTarget('c'), createTarget('d')]
  const later = begin(GET, [c, d])
  c.sinks[0]?.failed(failure('protocol'))
  later.call.abort()
  t.same([c.done, d.done], [[], ['abort']])
})

t.test('a switch of protocols is a success of its target, and final', async (t) => {
  const [one, other] = [createTarget('one'), createTarget('other')]
  const { told, sink } = begin({ ...GET, upgrade: 'websocket' }, [one, other])
  let switched = 0
  sink.switched = () => void switched++
  one.sinks[0]?.switched?.([], {} as Socket, Buffer.alloc(0))
  one.sinks[0]?.failed(failure('protocol'))
  t.equal(switched, 1)
  t.same(told.slice(0, 1), ['one succeeded'])
  t.equal(other.sinks.length, 0)
})

t.test(
  'R-05 with no other target a lost request is sent once more to the same one, and no more',
  async (t) => {
    const alone = begin(GET, [createTarget('a')])
    t.equal(alone.call.mayResend(), true)
    t.equal(alone.call.mayResend(), false)
    const other = begin(GET, [createTarget('a'), createTarget('b')])
    t.equal(other.call.mayResend(), false, 'where there is another target it is asked')
    t.equal(begin(GET, [createTarget('a')], () => false).call.mayResend(), false)
  },
)

t.test('it tells which target was asked last, and how many were', async (t) => {
  const [a, b] = [createTarget('a'), createTarget('b')]
  const { call } = begin(GET, [a, b])
  t.same(call.asked, { origin: 'a', attempts: 1 })
  a.sinks[0]?.failed(failure('protocol'))
  t.same(call.asked, { origin: 'b', attempts: 2 })
})
