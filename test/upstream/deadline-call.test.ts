// A request with a total time: over at its deadline, whatever its target does, and silent afterwards.
import type { Socket } from 'node:net'
import t from 'tap'
import type { ResponseSink } from '../../src/upstream/dispatch.ts'
import { DeadlineCall } from '../../src/upstream/deadline-call.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { createRecordingSink } from '../support/recording-sink.ts'

function start() {
  const clock = createFakeClock()
  const sink = createRecordingSink()
  let inner = sink as ResponseSink
  let aborts = 0
  const call = new DeadlineCall(sink, 1_000, clock).begin((bounded) => {
    inner = bounded
    return { abort: () => void aborts++, resume: () => undefined }
  })
  return { clock, sink, call, inner, aborts: () => aborts }
}

t.test('what ends in time is as it is, and leaves no timer', async (t) => {
  const { clock, sink, inner, aborts } = start()
  await clock.advance(999)
  inner.informed(103, [])
  inner.head(200, ['a', 'b'])
  t.equal(inner.data(Buffer.from('x')), true)
  inner.ended(['c', 'd'])
  await clock.advance(1_000)
  t.same(sink.heard, [
    ['informed', 103, []],
    ['head', 200, ['a', 'b']],
    ['data', 'x'],
    ['ended', ['c', 'd']],
  ])
  t.equal(aborts(), 0)
  t.equal(clock.pending(), 0)
})

t.test('what does not is let go of, and says nothing more', async (t) => {
  const { clock, sink, inner, aborts } = start()
  inner.head(200, [])
  await clock.advance(1_000)
  inner.data(Buffer.from('late'))
  inner.ended([])
  inner.failed({ kind: 'protocol', detail: '' })
  t.same(sink.heard, [
    ['head', 200, []],
    ['failed', 'timeout'],
  ])
  t.equal(aborts(), 1)
})

t.test('an abort and a failure leave no timer either', async (t) => {
  const aborted = start()
  aborted.call.abort()
  t.equal(aborted.clock.pending(), 0)
  const failed = start()
  failed.inner.failed({ kind: 'unreachable', detail: '' })
  t.equal(failed.clock.pending(), 0)
  await failed.clock.advance(1_000)
  t.same(failed.sink.heard, [['failed', 'unreachable']])
})

t.test('a switch of protocols is an answer in time, and has no end to wait for', async (t) => {
  const { clock, sink, inner, aborts } = start()
  const switched: unknown[] = []
  sink.switched = (headers) => void switched.push(headers)
  const socket = { destroy: () => void switched.push('destroyed') } as unknown as Socket
  inner.switched?.(['a', 'b'], socket, Buffer.alloc(0))
  await clock.advance(10_000)
  t.same(switched, [['a', 'b']])
  t.same(sink.heard, [])
  t.equal(aborts(), 0)
  const late = start()
  await late.clock.advance(1_000)
  late.inner.switched?.([], socket, Buffer.alloc(0))
  t.equal(switched.at(-1), 'destroyed', 'too late it is let go of')
})
