// What functions answer, as HTTP: what payload format 2.0 infers, what it says outright, and what is no answer.
import t from 'tap'
import { readLambdaAnswer, toInvokeFailure } from '../../src/aws/lambda-answer.ts'
import { fc } from '../support/fuzz.ts'

function read(answer: unknown) {
  return readLambdaAnswer(200, undefined, Buffer.from(JSON.stringify(answer)))
}

function answerOf(written: unknown) {
  const answer = read(written)
  if ('problem' in answer) throw new Error(answer.problem)
  return { ...answer, body: answer.body.toString() }
}

function problemOf(answer: ReturnType<typeof readLambdaAnswer>): string | undefined {
  return 'problem' in answer ? answer.problem : undefined
}

t.test('JSON without a status is the body of a 200, byte for byte', async (t) => {
  for (const json of ['{\n  "message": "Hello"\n}', '"Hello, world!"', '[1]', 'null', '7']) {
    t.same(readLambdaAnswer(200, undefined, Buffer.from(json)), {
      status: 200,
      headers: ['content-type', 'application/json', 'content-length', String(json.length)],
      body: Buffer.from(json),
    })
  }
  const inherited = Buffer.from('{"__proto__":{"statusCode":201}}')
  t.match(readLambdaAnswer(200, undefined, inherited), { status: 200 })
})

t.test('a whole answer is what it says', async (t) => {
  const answer = answerOf({
    statusCode: 201,
    headers: { 'Content-Type': 'text/plain', 'My-Custom': 'é', 'x-number': 7, 'x-none': null },
    multiValueHeaders: { Link: ['a', 'b'], 'x-number': ['7'] },
    cookies: ['a=1; Expires=Thu, 21 Oct 2021 07:48:00 GMT', 'b=2; Max-Age=78000'],
    body: 'größe',
    isBase64Encoded: false,
  })
  t.same(answer, {
    status: 201,
    headers: [
      ...['content-type', 'text/plain', 'my-custom', 'Ã©'],
      ...['link', 'a', 'link', 'b', 'x-number', '7'],
      ...['set-cookie', 'a=1; Expires=Thu, 21 Oct 2021 07:48:00 GMT'],
      ...['set-cookie', 'b=2; Max-Age=78000', 'content-length', '7'],
    ],
    body: 'größe',
  })
})

t.test('a body without a type is JSON, as from a function URL; no body has none', async (t) => {
  t.same(answerOf({ statusCode: 200, body: '<b>' }).headers, [
    ...['content-type', 'application/json', 'content-length', '3'],
  ])
  for (const body of ['', null, undefined]) {
    t.same(answerOf({ statusCode: 200, body }).headers, ['content-length', '0'])
  }
})

t.test('what has no body by its status gets none', async (t) => {
  const headers = { 'content-length': '4' }
  const lines = { 204: [], 205: ['content-length', '0'], 304: [], 203: undefined }
  for (const [status, expected] of Object.entries(lines)) {
    const answer = answerOf({ statusCode: Number(status), headers, body: 'gone' })
    t.equal(answer.body, expected === undefined ? 'gone' : '', status)
    if (expected !== undefined) t.same(answer.headers, expected, status)
  }
})

t.test('the status is a whole number from 200 to 599', async (t) => {
  for (const statusCode of [200, 299, 404, 599])
    t.equal(answerOf({ statusCode }).status, statusCode)
  for (const statusCode of [199, 600, 100, 101, 0, -200, 200.5, '200', null, true, [200], {}]) {
    t.equal(problemOf(read({ statusCode })), 'the function gave no status from 200 to 599')
  }
})

t.test('base64 is decoded, and nothing else is taken for it', async (t) => {
  const coded = (body: unknown) => read({ statusCode: 200, body, isBase64Encoded: true })
  t.match(coded('AAH/'), { body: Buffer.from([0, 1, 255]) })
  t.match(coded('AA=='), { body: Buffer.from([0]) })
  t.match(coded(''), { body: Buffer.alloc(0) })
  for (const body of ['AA', 'AA=', 'A A=', 'AA==\n', 'A-_=', '====', 'é===', 7, {}, []]) {
    t.equal(problemOf(coded(body)), 'the function gave a body that is no text', String(body))
  }
  for (const wrong of ['true', 1, {}]) {
    t.ok(problemOf(read({ statusCode: 200, body: 'AA==', isBase64Encoded: wrong })))
  }
  for (const body of [7, true, {}, [], { a: 1 }]) t.ok(problemOf(read({ statusCode: 200, body })))
})

t.test('fields of the connection and of framing are the gateway’s', async (t) => {
  const headers = {
    ...{
      Connection: 'X-Gone, close',
      'x-gone': '1',
      transfer_encoding: 'x',
      'Content-Length': '99',
      content_length: '9',
    },
    ...{ 'Transfer-Encoding': 'chunked', 'Keep-Alive': 'a', Upgrade: 'h2c', Trailer: 'x', TE: 'b' },
    ...{ 'proxy-authenticate': 'Basic', 'x-kept': '1' },
  }
  const lines = ['x-kept', '1', 'content-length', '0']
  t.same(answerOf({ statusCode: 200, headers }).headers, lines)
  const multiValueHeaders = Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, [v]]))
  t.same(answerOf({ statusCode: 200, multiValueHeaders }).headers, lines)
})

t.test('what is no HTTP field is a problem that tells nothing of it', async (t) => {
  const secret = 'hunter2'
  const values = ['\r\nx: y', '\n', '\0', '\x7f', '\x1b[31m', '\ud800'].map(
    (bad) => secret + bad + 1,
  )
  const wrong = [
    ...values.map((value) => ({ headers: { a: value } })),
    ...values.map((value) => ({ multiValueHeaders: { a: ['b', value] } })),
    ...values.map((value) => ({ cookies: ['a=b', value] })),
    ...['', ' ', 'a b', 'a:', 'a\r\n', 'é', `${secret}\0`].map((name) => ({ headers: { [name]: 'b' } })),
    ...[{ headers: secret }, { headers: [secret] }, { headers: { a: {} } }, { headers: { a: [] } }],
    ...[{ cookies: secret }, { cookies: [7] }, { cookies: [[secret]] }, { cookies: [null] }],
    ...[{ multiValueHeaders: { a: [['b']] } }, { multiValueHeaders: [] }],
  ] // prettier-ignore
  for (const part of wrong) {
    const problem = problemOf(read({ statusCode: 200, ...part }))
    t.match(problem, 'no HTTP field', JSON.stringify(part))
    t.notMatch(problem, secret)
  }
})

t.test('a head has 64 KiB at most', async (t) => {
  const sized = (bytes: number) => read({ statusCode: 200, headers: { a: 'x'.repeat(bytes - 1) } })
  t.equal(problemOf(sized(65_536)), undefined)
  t.equal(problemOf(sized(65_537)), 'the function gave more than 64 KiB of headers')
})

t.test('failures of the function and of the Invoke API are no answers', async (t) => {
  const body = Buffer.from('{"errorMessage":"hunter2","statusCode":200}')
  for (const error of ['Unhandled', 'Handled', '']) {
    t.same(readLambdaAnswer(200, error, body), { problem: 'the function failed' })
  }
  for (const status of [202, 204, 301, 403, 429, 500]) {
    t.equal(
      problemOf(readLambdaAnswer(status, undefined, body)),
      `the Invoke API answered ${status}`,
    )
  }
  for (const bytes of ['', '{', 'hunter2', '\ufeff{}']) {
    const problem = problemOf(readLambdaAnswer(200, undefined, Buffer.from(bytes)))
    t.equal(problem, 'the function gave no JSON')
  }
  t.ok(problemOf(readLambdaAnswer(200, undefined, Buffer.from([0x22, 0xe9, 0x22]))), 'not UTF-8')
})

t.test('what the Invoke API refuses is told apart by its status', async (t) => {
  const kinds = { overloaded: [429, 500, 502, 503, 504, 599], denied: [403] }
  for (const [kind, statuses] of Object.entries(kinds)) {
    for (const status of statuses) t.equal(toInvokeFailure(status).kind, kind, String(status))
  }
  for (const status of [202, 301, 400, 401, 404, 409, 410, 413, 415, 428, 430, 499, 600]) {
    t.equal(toInvokeFailure(status).kind, 'protocol', String(status))
  }
})

t.test('a body comes back as it was, as text and as base64', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.string({ unit: 'grapheme' }), (bytes, text) => {
      const body = Buffer.from(bytes)
      const coded = read({ statusCode: 200, body: body.toString('base64'), isBase64Encoded: true })
      t.ok('body' in coded && coded.body.equals(body))
      t.equal(answerOf({ statusCode: 200, body: text }).body, text)
    }),
  )
})

t.test('whatever a function gives is an answer of sound fields or a problem', async (t) => {
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        statusCode: fc.oneof(fc.integer({ min: 190, max: 610 }), fc.jsonValue()),
        headers: fc.oneof(
          fc.dictionary(fc.string(), fc.string({ unit: 'binary' })),
          fc.jsonValue(),
        ),
        multiValueHeaders: fc.dictionary(fc.string(), fc.jsonValue()),
        cookies: fc.oneof(fc.array(fc.string()), fc.jsonValue()),
        body: fc.oneof(fc.string(), fc.jsonValue()),
        isBase64Encoded: fc.oneof(fc.boolean(), fc.jsonValue()),
      },
      { requiredKeys: [] },
    ),
  )
  const sound = (answer: ReturnType<typeof readLambdaAnswer>) => {
    if ('problem' in answer) return
    const { status, headers, body } = answer
    t.ok(status >= 200 && status <= 599 && headers.length % 2 === 0)
    for (const [i, text] of headers.entries()) {
      t.match(text, i % 2 === 0 ? /^[!-9;-~]+$/ : /^[\t -~\x80-\xff]*$/)
    }
    const lengths = headers.flatMap((text, i) => (text === 'content-length' ? headers[i + 1] : []))
    if (![204, 304].includes(status)) t.ok(lengths.includes(String(body.length)))
  }
  fc.assert(fc.property(anything, (answer) => sound(read(answer))))
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) =>
      sound(readLambdaAnswer(200, undefined, Buffer.from(bytes))),
    ),
  )
})
