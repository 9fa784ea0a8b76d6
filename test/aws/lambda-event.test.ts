// Requests as Lambda gets them: against the event that AWS documents, and where the Invoke API takes it against AWS's own client.
import { isUtf8 } from 'node:buffer'
import {
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda'
import t from 'tap'
import { type LambdaRequest, toLambdaEvent } from '../../src/aws/lambda-event.ts'
import { lambdaPath } from '../../src/aws/lambda-path.ts'
import { fc } from '../support/fuzz.ts'

const PLAIN: LambdaRequest = {
  method: 'GET',
  target: '/',
  headers: ['host', 'api.example.com'],
  body: undefined,
  principal: undefined,
  nowMs: 0,
}

function eventOf(request: Partial<LambdaRequest>) {
  return JSON.parse(toLambdaEvent({ ...PLAIN, ...request }))
}

t.test('the event that AWS documents for function URLs', async (t) => {
  const event = eventOf({
    method: 'POST',
    target: '/my/path?parameter1=value1&parameter1=value2&parameter2=value',
    headers: [
      ...['Host', '33anwqw8fj.lambda-url.us-west-2.on.aws'],
      ...['Header1', 'value1', 'Header2', 'value1', 'header2', 'value2'],
      ...['Cookie', 'cookie1; cookie2'],
      ...['content-type', 'text/plain', 'user-agent', 'agent'],
      ...['x-forwarded-for', '123.123.123.123', 'x-request-id', 'id'],
    ],
    body: Buffer.from('Hello from client!'),
    nowMs: Date.UTC(2020, 2, 12, 19, 3, 58, 390),
  })
  t.strictSame(event, {
    version: '2.0',
    routeKey: '$default',
    rawPath: '/my/path',
    rawQueryString: 'parameter1=value1&parameter1=value2&parameter2=value',
    cookies: ['cookie1', 'cookie2'],
    headers: {
      host: '33anwqw8fj.lambda-url.us-west-2.on.aws',
      header1: 'value1',
      header2: 'value1,value2',
      'content-type': 'text/plain',
      'user-agent': 'agent',
      'x-forwarded-for': '123.123.123.123',
      'x-request-id': 'id',
    },
    queryStringParameters: { parameter1: 'value1,value2', parameter2: 'value' },
    requestContext: {
      accountId: 'anonymous',
      apiId: '33anwqw8fj',
      domainName: '33anwqw8fj.lambda-url.us-west-2.on.aws',
      domainPrefix: '33anwqw8fj',
      http: {
        method: 'POST',
        path: '/my/path',
        protocol: 'HTTP/1.1',
        sourceIp: '123.123.123.123',
        userAgent: 'agent',
      },
      requestId: 'id',
      routeKey: '$default',
      stage: '$default',
      time: '12/Mar/2020:19:03:58 +0000',
      timeEpoch: 1_584_039_838_390,
    },
    body: 'Hello from client!',
    isBase64Encoded: false,
  })
})

t.test('a request with nothing special leaves the optional members out', async (t) => {
  const event = eventOf({})
  t.same(Object.keys(event).sort(), [
    ...['headers', 'isBase64Encoded', 'rawPath', 'rawQueryString'],
    ...['requestContext', 'routeKey', 'version'],
  ])
  t.notOk('authorizer' in event.requestContext)
  t.equal(event.requestContext.time, '01/Jan/1970:00:00:00 +0000')
  t.match(event.requestContext, { requestId: '', http: { sourceIp: '', userAgent: '' } })
  t.equal(eventOf({ target: '/?' }).rawQueryString, '')
  t.notOk('queryStringParameters' in eventOf({ target: '/?' }))
  t.equal(eventOf({ body: Buffer.alloc(0) }).isBase64Encoded, false)
})

t.test('path and query stand as sent, parameters decoded', async (t) => {
  const event = eventOf({ target: '/a%20b/%C3%A9?q=a%2Fb+c&q=&x&%C3%A9=%zz&__proto__=1?' })
  t.equal(event.rawPath, '/a%20b/%C3%A9')
  t.equal(event.requestContext.http.path, '/a%20b/%C3%A9')
  t.equal(event.rawQueryString, 'q=a%2Fb+c&q=&x&%C3%A9=%zz&__proto__=1?')
  t.same(Object.entries(event.queryStringParameters), [
    ...[['q', 'a/b c,'], ['x', ''], ['é', '%zz'], ['__proto__', '1?']], // prettier-ignore
  ])
})

t.test('the address of the connection is the last one, whatever stands before it', async (t) => {
  const sourceIp = (...headers: string[]) => eventOf({ headers }).requestContext.http.sourceIp
  t.equal(sourceIp('x-forwarded-for', '1.1.1.1, 10.0.0.1'), '10.0.0.1')
  t.equal(sourceIp('x-forwarded-for', '1.1.1.1', 'x-forwarded-for', '::1'), '::1')
})

t.test('the domain is the host without its port', async (t) => {
  const domain = (host: string) => {
    const { apiId, domainName, domainPrefix } = eventOf({ headers: ['host', host] }).requestContext
    return [apiId, domainName, domainPrefix]
  }
  t.same(domain('Api.example.com:8443'), ['api', 'api.example.com', 'api'])
  t.same(domain('localhost:8080'), ['localhost', 'localhost', 'localhost'])
  t.same(domain('[::1]:8080'), ['[::1]', '[::1]', '[::1]'])
  t.same(domain('a b'), ['', '', ''])
})

t.test('the caller stands there as API Gateway writes a JWT: every claim a text', async (t) => {
  const claims = {
    sub: 'u1',
    'cognito:groups': ['admins', 'staff'],
    exp: 1_600_000_000,
    email_verified: true,
    address: { formatted: 'x' },
    nothing: null,
    ...JSON.parse('{"__proto__": "p"}'),
  }
  const { authorizer } = eventOf({ principal: { claims, scopes: ['orders/read'] } }).requestContext
  t.same(Object.entries(authorizer.jwt.claims), [
    ['sub', 'u1'],
    ['cognito:groups', '[admins staff]'],
    ['exp', '1600000000'],
    ['email_verified', 'true'],
    ['address', '{"formatted":"x"}'],
    ['nothing', 'null'],
    ['__proto__', 'p'],
  ])
  t.same(authorizer.jwt.scopes, ['orders/read'])
  const { jwt } = eventOf({ principal: { claims: {} } }).requestContext.authorizer
  t.strictSame(jwt, { claims: {}, scopes: null })
})

t.test('a body is text only where its type says so and its bytes are UTF-8', async (t) => {
  const coded = (type: string | undefined, bytes: Buffer) =>
    eventOf({ headers: type === undefined ? [] : ['Content-Type', type], body: bytes })
      .isBase64Encoded
  const text = Buffer.from('é')
  for (const type of [
    ...['text/plain', 'TEXT/HTML;charset=x', 'application/json', 'application/json ; a=b'],
    ...['application/problem+json', 'image/svg+xml', 'application/xml', 'application/javascript'],
    'application/x-www-form-urlencoded',
  ]) {
    t.equal(coded(type, text), false, type)
    t.equal(coded(type, Buffer.from([0xe9])), true, `${type}, Latin-1`)
  }
  for (const type of [
    ...[undefined, '', 'application/octet-stream', 'image/png', 'application/jsonx', 'text'],
    ...['multipart/form-data; a=text/plain', 'application/x+jsonp'],
  ]) {
    t.equal(coded(type, text), true, String(type))
  }
})

t.test('every body and every header comes through whole', async (t) => {
  const name = fc.stringMatching(/^[a-z0-9!#$%&'*+.^_`|~-]{1,12}$/)
  const value = fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,12}$/)
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => Buffer.from(text)),
      ),
      fc.constantFrom('application/json', 'image/png', 'text/plain; charset=utf-8'),
      fc.dictionary(name, value),
      (bytes, type, fields) => {
        const body = Buffer.from(bytes)
        const { cookie: _, ...others } = { ...fields, 'content-type': type } as typeof fields
        const headers = Object.entries(others).flat()
        const event = eventOf({ headers, body })
        const back = Buffer.from(event.body, event.isBase64Encoded ? 'base64' : 'utf8')
        t.ok(back.equals(body))
        const isText = type !== 'image/png' && isUtf8(body)
        t.equal(event.isBase64Encoded, !isText)
        t.same(event.headers, others)
      },
    ),
  )
})

t.test('any request has an event', async (t) => {
  const headers = fc.array(fc.tuple(fc.string(), fc.string({ unit: 'binary' })))
  const claims = fc.dictionary(fc.string(), fc.jsonValue())
  fc.assert(
    fc.property(fc.string(), headers, claims, fc.nat(), (target, lines, claims, nowMs) => {
      const event = eventOf({ target, headers: lines.flat(), principal: { claims }, nowMs })
      const [path, ...query] = target.split('?')
      t.equal(event.rawPath, path)
      t.equal(event.rawQueryString, query.join('?'))
      const texts = Object.values(event.requestContext.authorizer.jwt.claims)
      t.ok(texts.every((text) => typeof text === 'string'))
    }),
  )
})

t.test('the Invoke API is asked at the place where the AWS SDK asks it', async (t) => {
  const asked: string[] = []
  const client = new LambdaClient({
    region: 'eu-west-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
    requestHandler: {
      handle: async ({ path, query }: { path: string; query: Record<string, string> }) => {
        const encoded = new URLSearchParams(query).toString()
        asked.push(encoded === '' ? path : `${path}?${encoded}`)
        throw new Error('not to be sent')
      },
    },
  })
  const arn = 'arn:aws:lambda:eu-west-1:123456789012:function:my-fn'
  const names = ['my-fn', 'my_fn2', '123456789012:function:my-fn', 'function:my-fn', arn]
  for (const name of names) {
    for (const qualifier of [undefined, 'PROD', '12', '$LATEST']) {
      const input = { FunctionName: name, Qualifier: qualifier }
      const written = qualifier === undefined ? name : `${name}:${qualifier}`
      await t.rejects(client.send(new InvokeCommand(input)))
      t.equal(lambdaPath(written, false), asked.at(-1), written)
      await t.rejects(client.send(new InvokeWithResponseStreamCommand(input)))
      t.equal(lambdaPath(written, true), asked.at(-1), `${written}, streamed`)
    }
  }
  t.equal(lambdaPath("a/b?c='d'", false), '/2015-03-31/functions/a%2Fb%3Fc%3D%27d%27/invocations')
})
