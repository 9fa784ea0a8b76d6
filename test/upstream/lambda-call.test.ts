// A function's answer as a client hears it: whole or as it comes, with the client's pace, and nothing of Lambda's own.
import { EventStreamCodec } from '@smithy/eventstream-codec'
import t from 'tap'
import { toCanonicalTarget } from '../../src/aws/canonical-target.ts'
import { LambdaSink, toLambdaRequest } from '../../src/upstream/lambda-call.ts'
import { createMemoryBudget } from '../../src/upstream/memory-budget.ts'
import { createRecordingSink } from '../support/recording-sink.ts'

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString(),
  (text) => Buffer.from(text),
)
const EVENTS = ['content-type', 'application/vnd.amazon.eventstream']
const HTTP = ['content-type', 'application/vnd.awslambda.http-integration-response']
const DENIED = {
  kind: 'denied',
  detail: 'the Invoke API answered 403: AccessDeniedException: may not invoke f',
}
const ROOM = createMemoryBudget(Number.MAX_SAFE_INTEGER).reserve('')
const WHOLE = { name: 'f', streaming: false }
const STREAM = { name: 'f', streaming: true }

function frame(type: string, payload: string): Buffer {
  const headers = {
    ':event-type': { type: 'string' as const, value: type },
    ':message-type': { type: 'string' as const, value: 'event' },
  }
  return Buffer.from(codec.encode({ headers, body: Buffer.from(payload) }))
}

const PRELUDE = `${JSON.stringify({ statusCode: 201, headers: { 'x-a': 'b' } })}${'\0'.repeat(8)}`
const CREATED = ['x-a', 'b', 'content-type', 'application/octet-stream']

t.test('a request is invoked as an event of format 2.0, at the function’s own path', async (t) => {
  const target = toCanonicalTarget('/a%20b?c=d')
  if (target === undefined) throw new Error('no target')
  const headers = ['host', 'api.example', 'x-request-id', 'id-1']
  const given = { method: 'GET', target, headers, body: undefined }
  const invoked = toLambdaRequest(STREAM, given, undefined, 0)
  t.match(invoked, {
    method: 'POST',
    target: { path: '/2021-11-15/functions/f/response-streaming-invocations', query: '' },
    headers: ['content-type', 'application/json'],
  })
  t.match(JSON.parse(String(invoked.body)), {
    version: '2.0',
    rawPath: '/a%20b',
    rawQueryString: 'c=d',
    requestContext: { http: { method: 'GET' }, requestId: 'id-1' },
  })
  const qualified = toLambdaRequest({ ...WHOLE, name: 'f:live' }, given, undefined, 0)
  t.match(qualified.target, {
    path: '/2015-03-31/functions/f/invocations',
    query: '?Qualifier=live',
  })
})

t.test('a whole answer waits for its end, and is what the function meant', async (t) => {
  const sink = createRecordingSink()
  const lambda = new LambdaSink(sink, WHOLE, false, ROOM)
  lambda.informed()
  lambda.head(200, ['x-amzn-requestid', 'secret'])
  lambda.data(Buffer.from('{"statusCode":202,"body":"he'))
  t.same(sink.heard, [])
  lambda.data(Buffer.from('llo"}'))
  lambda.ended()
  t.same(sink.heard, [
    ['head', 202, ['content-type', 'application/json', 'content-length', '5']],
    ['data', 'hello'],
    ['ended', []],
  ])
})

t.test('HEAD is answered without the body', async (t) => {
  for (const lambda of [WHOLE, STREAM]) {
    const sink = createRecordingSink()
    const head = new LambdaSink(sink, lambda, true, ROOM)
    head.head(200, lambda.streaming ? EVENTS : [])
    if (lambda.streaming) {
      head.data(frame('PayloadChunk', `${PRELUDE}hello`))
      head.data(frame('InvokeComplete', '{}'))
    } else head.data(Buffer.from('{"statusCode":200,"body":"hello"}'))
    head.ended()
    t.same(
      sink.heard.map(([what]) => what),
      ['head', 'ended'],
    )
  }
})

t.test('a stream comes as it comes, whichever way Lambda labels it', async (t) => {
  for (const label of [EVENTS, HTTP]) {
    const sink = createRecordingSink()
    const lambda = new LambdaSink(sink, STREAM, false, ROOM)
    lambda.head(200, label)
    lambda.data(frame('PayloadChunk', `${PRELUDE}one`))
    t.same(sink.heard, [
      ['head', 201, CREATED],
      ['data', 'one'],
    ])
    lambda.data(frame('PayloadChunk', 'two'))
    lambda.data(frame('InvokeComplete', '{}'))
    lambda.ended()
    t.same(sink.heard.slice(2), [
      ['data', 'two'],
      ['ended', []],
    ])
  }
})

t.test('a client that is slow holds the stream back', async (t) => {
  let isFlowing = false
  const lambda = new LambdaSink(
    createRecordingSink(() => isFlowing),
    STREAM,
    false,
    ROOM,
  )
  lambda.head(200, EVENTS)
  t.equal(lambda.data(frame('PayloadChunk', `${PRELUDE}one`)), false)
  isFlowing = true
  t.equal(lambda.data(frame('PayloadChunk', 'two')), true)
})

t.test('what is no answer of a function fails, and repeats nothing of it', async (t) => {
  const cases: [number, readonly string[], string, string][] = [
    [200, ['x-amz-function-error', 'Unhandled'], '{"errorMessage":"secret"}', 'protocol'],
    [200, [], 'not json', 'protocol'],
    [200, [], '{"statusCode":42}', 'protocol'],
    [403, [], '{}', 'denied'],
    [404, [], '{}', 'protocol'],
    [413, [], '{}', 'too_large'],
    [429, [], '{}', 'overloaded'],
    [500, [], '{}', 'overloaded'],
  ]
  for (const [status, headers, body, kind] of cases) {
    const sink = createRecordingSink()
    const lambda = new LambdaSink(sink, WHOLE, false, ROOM)
    lambda.head(status, headers)
    lambda.data(Buffer.from(body))
    lambda.ended()
    t.same(sink.heard, [['failed', kind]], `${status} ${body}`)
  }
  for (const [bytes, expected] of [
    [16 * 1024 * 1024 - 2, 'head'],
    [16 * 1024 * 1024 - 1, 'failed'],
  ] as const) {
    const sink = createRecordingSink()
    const lambda = new LambdaSink(sink, WHOLE, false, ROOM)
    lambda.head(200, [])
    for (const part of ['"', 'x'.repeat(bytes), '"']) lambda.data(Buffer.from(part))
    lambda.ended()
    t.equal(sink.heard[0]?.[0], expected, `${bytes} bytes`)
  }
  const told = { ...createRecordingSink(), failed: (failure: object) => t.match(failure, DENIED) }
  const denied = new LambdaSink(told, WHOLE, false, ROOM)
  denied.head(403, [])
  denied.data(Buffer.from('{"__type":"AccessDeniedException","Message":"may not invoke f"}'))
  denied.ended()
  for (const [most, heard] of [
    [8 * 20, 'head'],
    [8 * 20 - 1, 'failed'],
  ] as const) {
    const sink = createRecordingSink()
    const lambda = new LambdaSink(sink, WHOLE, false, createMemoryBudget(most).reserve('me'))
    lambda.head(200, [])
    lambda.data(Buffer.from('{"body":1}'))
    lambda.data(Buffer.from('ignored once it is refused'.slice(0, 0)))
    lambda.ended()
    t.equal(sink.heard[0]?.[0], heard, `room for ${most}`)
    t.equal(sink.heard.filter(([what]) => what === 'failed').length, heard === 'failed' ? 1 : 0)
  }
  const cut = createRecordingSink()
  const lambda = new LambdaSink(cut, STREAM, false, ROOM)
  lambda.head(200, EVENTS)
  lambda.data(frame('PayloadChunk', `${PRELUDE}one`))
  lambda.ended()
  t.same(cut.heard.at(-1), ['failed', 'protocol'], 'a stream that ends before its invocation')
})
