// Streamed answers of functions: decoded alike however the bytes are cut, and against AWS's own client.
import { InvokeWithResponseStreamCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import t from 'tap'
import { createLambdaStream } from '../../src/aws/lambda-stream.ts'
import { fc } from '../support/fuzz.ts'

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString(),
  (text) => Buffer.from(text),
)
const NULS = Buffer.alloc(8)
const DONE = complete({})

function frame(type: string, payload: Uint8Array, messageType = 'event'): Buffer {
  const text = (value: string) => ({ type: 'string' as const, value })
  const headers = { ':message-type': text(messageType), ':event-type': text(type) }
  return Buffer.from(codec.encode({ headers, body: payload }))
}

function chunk(payload: Uint8Array | string): Buffer {
  return frame('PayloadChunk', Buffer.from(payload))
}

function complete(result: unknown): Buffer {
  return frame('InvokeComplete', Buffer.from(JSON.stringify(result)))
}

/** What a sink is told, its data in one piece; each call's memory is wiped after it, as lent memory is. */
function decode(pieces: readonly Buffer[], isHttpIntegration = false, ends = true) {
  const told: unknown[] = []
  const data: Buffer[] = []
  let calls = 0
  const sink = {
    head: (status: number, headers: string[]) => void told.push(['head', status, headers]),
    data: (bytes: Buffer) => {
      calls++
      t.ok(told.length === 1 && bytes.length > 0, 'data stands between the head and the end')
      data.push(Buffer.from(bytes))
    },
    ended: () => void told.push('ended'),
    failed: (problem: string) => void told.push(problem),
  }
  const stream = createLambdaStream(sink, isHttpIntegration)
  for (const piece of pieces) {
    const lent = Buffer.from(piece)
    stream.push(lent)
    lent.fill(0xff)
  }
  if (ends) stream.end()
  return { told, data: Buffer.concat(data).toString(), calls }
}

function integration(head: unknown, content = ''): Buffer[] {
  return [chunk(JSON.stringify(head)), chunk(NULS), chunk(content), DONE]
}

const UNTYPED = ['head', 200, ['content-type', 'application/octet-stream']]

t.test('a stream of bytes is a 200 of no type', async (t) => {
  const stream = [chunk('Hello, '), chunk('world'), DONE]
  t.same(decode(stream), { told: [UNTYPED, 'ended'], data: 'Hello, world', calls: 2 })
  t.same(decode([DONE]).told, [UNTYPED, 'ended'], 'nothing at all is an answer too')
  t.same(decode([frame('InvokeComplete', Buffer.alloc(0))]).told, [UNTYPED, 'ended'])
  const late = decode([...stream, chunk('later'), Buffer.from('garbage that is no frame')])
  t.same(late.told, [UNTYPED, 'ended'], 'nothing counts after the end')
  t.equal(late.data, 'Hello, world')
})

t.test('a chunk goes on as it comes, before the stream has ended', async (t) => {
  t.same(decode([chunk('a')], false, false), { told: [UNTYPED], data: 'a', calls: 1 })
  const begun = integration({ statusCode: 201 }).slice(0, 2)
  t.same(decode(begun, true, false).told, [['head', 201, UNTYPED[2]]])
})

t.test('a function’s own head becomes the answer’s', async (t) => {
  const head = {
    statusCode: 201,
    headers: { 'Content-Type': 'text/html', Connection: 'close', 'content-length': '5' },
    cookies: ['a=1', 'b=2'],
  }
  t.same(decode(integration(head, '\0\0<b>'), true), {
    told: [
      ['head', 201, ['content-type', 'text/html', 'set-cookie', 'a=1', 'set-cookie', 'b=2']],
      'ended',
    ],
    data: '\0\0<b>',
    calls: 1,
  })
  t.same(decode(integration({}), true).told, [UNTYPED, 'ended'], '200 where it names no status')
  t.equal(decode(integration({ statusCode: 204 }, 'gone'), true).data, '')
})

t.test('a head that is none fails before anything is told', async (t) => {
  const cases: [string, Buffer[]][] = [
    ['no status', integration({ statusCode: 99 })],
    ['no HTTP field', integration({ headers: { a: 'hunter2\r\n' } })],
    ['no JSON object', integration([])],
    ['no JSON object', [chunk('hunter2'), chunk(NULS), DONE]],
    ['no JSON object', [chunk(NULS), DONE]],
    ['no JSON object', [chunk(Buffer.from('{"a":"\xe9"}', 'latin1')), chunk(NULS), DONE]],
    ['no head', [chunk('{}'), chunk(Buffer.alloc(7)), DONE]],
    ['no head', [DONE]],
  ]
  for (const [problem, pieces] of cases) {
    const { told } = decode(pieces, true)
    t.equal(told.length, 1)
    t.match(told[0], problem)
    t.notMatch(told[0], 'hunter2')
  }
})

t.test('a head has 64 KiB at most', async (t) => {
  const sized = (bytes: number) => {
    const json = JSON.stringify({ x: '' })
    return chunk(Buffer.concat([Buffer.from(json.padEnd(bytes)), NULS, Buffer.from('rest')]))
  }
  t.same(decode([sized(65_536), DONE], true), { told: [UNTYPED, 'ended'], data: 'rest', calls: 1 })
  t.match(decode([sized(65_537), DONE], true).told, [
    'the function gave no head before its content',
  ])
  const slow = Array.from({ length: 700 }, () => chunk(' '.repeat(100)))
  t.match(decode(slow, true, false).told, ['the function gave no head before its content'])
})

t.test('a failure is told once, with nothing of what the function wrote', async (t) => {
  const secret = 'hunter2'
  const failure = complete({ ErrorCode: 'Unhandled', ErrorDetails: secret, LogResult: secret })
  t.same(decode([failure]).told, ['the function failed'], 'before the head')
  t.same(decode([chunk('a'), failure]).told, [UNTYPED, 'the function failed'])
  t.same(decode([complete({ ErrorCode: null })]).told, [UNTYPED, 'ended'])
  t.same(decode([frame('InvokeComplete', Buffer.from('{'))]).told, ['the function failed'])
  const broken = frame('ThrottlingException', Buffer.from(secret), 'exception')
  t.same(decode([broken, DONE]).told, ['the invocation broke off'])
  t.same(decode([frame('x', Buffer.from(secret), 'error')]).told, ['the invocation broke off'])
  t.same(decode([frame('LaterKind', Buffer.from(secret)), DONE]).told, [UNTYPED, 'ended'])
})

t.test('a stream that stops early has not ended', async (t) => {
  const early = 'the stream ended before the invocation did'
  t.same(decode([]).told, [early])
  t.same(decode([chunk('a'), chunk('b').subarray(0, 9)]).told, [UNTYPED, early])
  t.same(decode([DONE.subarray(0, -1)]).told, [early])
  t.same(decode([DONE.subarray(0, 3)]).told, [early])
})

t.test('a frame has 16 bytes to 16 MiB, and more is refused by its first four', async (t) => {
  const announce = (bytes: number) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes)
    return decode([length], false, false).told
  }
  const refused = ['a frame of the stream is too long, or too short']
  for (const bytes of [0, 15, 16 * 1024 * 1024 + 1, 0xffff_ffff]) t.same(announce(bytes), refused)
  for (const bytes of [16, 16 * 1024 * 1024]) t.same(announce(bytes), [])
  const overhead = chunk('').length
  const largest = chunk(Buffer.alloc(16 * 1024 * 1024 - overhead, 'x'))
  t.equal(largest.length, 16 * 1024 * 1024)
  const cut = [largest.subarray(0, 5_000_000), largest.subarray(5_000_000), DONE]
  t.equal(decode(cut).data.length, largest.length - overhead)
})

t.test('a damaged frame ends the stream', async (t) => {
  const whole = chunk('hunter2')
  for (let at = 4; at < whole.length; at++) {
    const damaged = Buffer.from(whole)
    damaged[at]! ^= 1
    const { told } = decode([chunk('a'), damaged, DONE])
    t.same(told, [UNTYPED, 'the stream is not what InvokeWithResponseStream sends'], String(at))
  }
})

/** Cut at the places given, as shares of the whole. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...places.map((share) => Math.floor(share * bytes.length)), bytes.length]
  at.sort((a, b) => a - b)
  return at.map((end, i) => bytes.subarray(i === 0 ? 0 : at[i - 1], end))
}

const share = fc.double({ min: 0, max: 1, noNaN: true })

t.test('however the bytes are cut, the answer is the same', async (t) => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 })
  const head = fc.record({
    statusCode: fc.constantFrom(200, 404, 599),
    headers: fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.stringMatching(/^\w{0,6}$/)),
  })
  const check = (payload: Buffer, places: readonly number[], isHttpIntegration: boolean) => {
    const frames = cut(payload, places).map(chunk)
    const bytes = Buffer.concat([...frames, DONE])
    const expected = decode([chunk(payload), DONE], isHttpIntegration)
    const singles = Array.from(bytes, (byte) => Buffer.from([byte]))
    for (const pieces of [[bytes], frames.concat(DONE), cut(bytes, places), singles]) {
      const { told, data } = decode(pieces, isHttpIntegration)
      t.same({ told, data }, { told: expected.told, data: expected.data })
    }
    return expected
  }
  fc.assert(
    fc.property(payloads, head, fc.array(share, { maxLength: 12 }), (parts, head, places) => {
      const content = Buffer.concat(parts)
      t.equal(check(content, places, false).data, content.toString())
      const json = Buffer.from(JSON.stringify(head))
      const own = check(Buffer.concat([json, NULS, content]), places, true)
      t.equal(own.data, content.toString())
      t.match(own.told, [['head', head.statusCode], 'ended'])
    }),
  )
})

t.test('no bytes throw, and every stream has one end', async (t) => {
  const anyFrame = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => chunk(bytes)),
    fc.tuple(fc.string(), fc.uint8Array(), fc.string()).map((parts) => frame(...parts)),
    fc.jsonValue().map(complete),
    fc.jsonValue().map((value) => chunk(JSON.stringify(value))),
    fc.constant(chunk(NULS)),
  )
  fc.assert(
    fc.property(fc.array(anyFrame), fc.array(share), fc.boolean(), (frames, places, isHttp) => {
      const { told } = decode(cut(Buffer.concat(frames), places), isHttp)
      const ends = told.filter((each) => typeof each === 'string')
      t.equal(ends.length, 1)
      t.equal(told.at(-1), ends[0])
      t.ok(told.length <= 2)
    }),
  )
})

t.test('AWS’s own client reads the same bytes alike', async (t) => {
  const bytes = Buffer.concat([chunk('Hello, '), chunk(''), chunk('wörld'), DONE])
  const client = new LambdaClient({
    region: 'eu-west-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    requestHandler: {
      handle: async () => ({
        response: {
          statusCode: 200,
          headers: { 'content-type': 'application/vnd.amazon.eventstream' },
          body: new Response(bytes).body,
        },
      }),
    },
  })
  const answer = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'f' }))
  const payloads: Uint8Array[] = []
  for await (const event of answer.EventStream ?? []) {
    if (event.PayloadChunk?.Payload) payloads.push(event.PayloadChunk.Payload)
  }
  t.equal(decode([bytes]).data, Buffer.concat(payloads).toString())
})
