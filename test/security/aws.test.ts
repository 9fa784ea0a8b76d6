// Section A of the catalogue, through the whole gateway: what goes to AWS is signed as its caller's, or is not sent.
import { request as send } from 'node:http'
import t from 'tap'
import { POOL_ID, startSignedStage } from '../support/signed-stage.ts'

const stage = await startSignedStage({
  pool: '    guests: true\n    logins: {accounts.google.com: x-google-token}',
  upstreams: `  files: {aws: {service: s3, identityPool: main, bucket: files, pathStyle: true, hideInternals: true, endpoint: SERVICE}}
  copies: {aws: {service: s3, identityPool: main, otherKeys: true, endpoint: SERVICE}}
  table: {aws: {service: dynamodb, identityPool: main, maxBody: 64KiB, endpoint: SERVICE, actions: [DynamoDB_20120810.GetItem]}}
  api: {aws: {service: execute-api, identityPool: main, endpoint: SERVICE}}
  keys: {handOut: {identityPool: main, clientIds: [4exampleclient0000000000001]}}
  others: {handOut: {identityPool: main, clientIds: [someoneelse]}}`,
  routes: `  - {name: files, match: {path: /files/*}, access: {tokenUse: any}, rewrite: {stripPrefix: /files}, upstream: files}
  - {name: copies, match: {path: /copies/*}, access: {tokenUse: id}, rewrite: {stripPrefix: /copies}, upstream: copies}
  - {name: table, match: {path: /table}, access: {tokenUse: id}, upstream: table}
  - {name: api, match: {path: /api/*}, access: {tokenUse: id}, upstream: api}
  - {name: guests, match: {path: /public/*}, access: public, upstream: files}
  - {name: keys, match: {path: /keys}, access: {tokenUse: id}, upstream: keys}
  - {name: others, match: {path: /others}, access: {tokenUse: id}, upstream: others}`,
})
t.teardown(stage.stop)
const { issuer, service, identity, signerOf } = stage

const SKEWED = '<Error><Code>RequestTimeTooSkewed</Code></Error>'

interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: Record<string, string | string[] | undefined>
  reason(): unknown
}

/** Byte for byte as given, which fetch does not send. */
function ask(
  path: string,
  headers: Record<string, string | readonly string[]> = {},
  method = 'GET',
  body?: string | Buffer,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const url = new URL(stage.origin)
    const options = { host: url.hostname, port: url.port, path, method, headers, agent: false }
    const request = send({ ...options, headers: { ...headers } as never }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: text,
          reason: () => JSON.parse(text).reason,
        }),
      )
    })
    request.on('error', reject)
    request.end(body)
  })
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const alice = issuer.id({ sub: 'alice' })
const bob = issuer.id({ sub: 'bob' })

function last() {
  const received = service.received.at(-1)
  if (received === undefined) throw new Error('nothing was sent')
  return received
}

t.test(
  'A-02: the path that is matched is signed and sent, in its one canonical form',
  async (t) => {
    const cases: [string, string, string][] = [
      ['/files/a%20b', '/files/a%20b', 's3'],
      ['/files/a!b(c)*', '/files/a%21b%28c%29%2A', 's3'],
      ["/files/it's;v=1:2@3,4&5=6+7", '/files/it%27s%3Bv%3D1%3A2%403%2C4%265%3D6%2B7', 's3'],
      ['/files/%7Ea/%c3%a9', '/files/~a/%C3%A9', 's3'],
      ['/files/é', '/files/%C3%A9', 's3'],
      ['/api/a%20b!c', '/api/a%20b%21c', 'execute-api'],
      ['/api/x?b=2&a=1&a=0&c', '/api/x?b=2&a=1&a=0&c=', 'execute-api'],
      ['/files/?list-type=2&prefix=a%2Fb+c', '/files/?list-type=2&prefix=a%2Fb%20c', 's3'],
    ]
    for (const [path, sent, name] of cases) {
      const raw = Buffer.from(path, 'utf8').toString('latin1')
      const answer = await ask(raw.includes('Ã') ? encodeURI(path) : path, bearer(alice))
      t.equal(answer.status, 200, path)
      t.equal(last().url, sent)
      t.match(last().headers.authorization, `/${name}/aws4_request`)
      t.equal(signerOf(last()), 'alice')
    }
    const before = service.received.length
    for (const path of [
      '/files/a%2Fb',
      '/files//a',
      '/files/a/../b',
      '/files/%2e%2e/x',
      '/api/a//b',
    ])
      t.equal((await ask(path, bearer(alice))).status, 400, path)
    t.equal((await ask('/files/a?prefix=%zz', bearer(alice))).status, 400)
    t.equal(service.received.length, before, 'none was sent')
  },
)

t.test(
  'A-03, A-04: nothing of the client’s alters whose request it is; what is sent is signed',
  async (t) => {
    await ask('/files/a', {
      ...bearer(alice),
      'x-amz-date': '20000101T000000Z',
      'x-amz-security-token': 'mine',
      'x-amz-content-sha256': 'abc',
      'x-amz-user-agent': 'sdk',
      'amz-sdk-invocation-id': '1',
      'x-amz-meta-colour': 'red',
      'x-poolgate-id-token': bob,
      'x-auth-groups': 'admins',
      cookie: 'a=b',
      date: 'Sat, 01 Jan 2000 00:00:00 GMT',
      connection: 'x-amz-meta-other, close',
      'x-amz-meta-other': 'gone',
    })
    const { headers } = last()
    t.equal(signerOf(last()), 'alice')
    t.match(headers, { 'x-amz-meta-colour': 'red', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' })
    for (const name of [
      'x-amz-meta-other',
      'x-poolgate-id-token',
      'x-auth-groups',
      'cookie',
      'x-amz-user-agent',
      'x-auth-subject',
      'x-forwarded-for',
      'amz-sdk-invocation-id',
    ])
      t.notOk(name in headers, name)
    t.match(headers['x-amz-date'], /^20[2-9]/)
    t.notMatch(JSON.stringify(headers), /eyJ/, 'no token of the user pool goes to AWS')

    await ask('/api/a', { ...bearer(alice), 'x-amz-meta-colour': ['red', 'blue'] as never })
    t.match(last().headers, { 'x-auth-subject': 'alice' }, 'an application is told who asks')
    t.equal(signerOf(last()), 'alice')
    for (const authorization of ['AWS4-HMAC-SHA256 Credential=x', 'Basic eA=='])
      t.equal((await ask('/files/a', { authorization })).status, 401)
  },
)

t.test(
  'A-03: requests that would mean another object, or were signed by others, are refused',
  async (t) => {
    const before = service.received.length
    const refused: [string, string, Record<string, string>][] = [
      ['GET', '/files/a?X-Amz-Signature=1&X-Amz-Credential=x', {}],
      ['GET', '/files/a?AWSAccessKeyId=1', {}],
      [
        'PUT',
        '/files/a',
        { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'content-length': '0' },
      ],
      ['PUT', '/files/a', { 'x-amz-copy-source': '/files/secret', 'content-length': '0' }],
      ['POST', '/files/?delete', { 'content-length': '0' }],
      ['POST', '/table', { 'x-amz-target': 'DynamoDB_20120810.PutItem', 'content-length': '0' }],
      ['GET', '/table?Action=DeleteQueue', {}],
      ['PUT', '/files/a', { 'x-amz-meta-snowball-auto-extract': 'true', 'content-length': '0' }],
    ]
    for (const [method, path, headers] of refused) {
      const answer = await ask(path, { ...bearer(alice), ...headers }, method)
      t.equal(answer.status, 400, `${method} ${path} ${JSON.stringify(headers)}`)
      t.equal(answer.reason(), 'aws_request_refused')
    }
    const chunked = await ask(
      '/files/a',
      { ...bearer(alice), 'transfer-encoding': 'chunked' },
      'PUT',
      'x',
    )
    t.same([chunked.status, chunked.reason()], [411, 'length_required'])
    t.equal(service.received.length, before, 'none was sent')
    const copied = { ...bearer(alice), 'x-amz-copy-source': '/files/other', 'content-length': '0' }
    t.equal((await ask('/copies/b/a', copied, 'PUT')).status, 200)
    t.match(last().headers, { 'x-amz-copy-source': '/files/other' })
    t.equal(signerOf(last()), 'alice')
  },
)

t.test('A-05: S3 bodies stream unhashed, others are hashed up to a bound', async (t) => {
  const body = 'x'.repeat(65_536)
  const put = { ...bearer(alice), 'content-length': String(body.length) }
  t.equal((await ask('/files/a', put, 'PUT', body)).status, 200)
  t.equal(last().body, body)
  t.equal(last().headers['content-length'], '65536')
  t.equal(signerOf(last()), 'alice')
  const action = {
    ...put,
    'x-amz-target': 'DynamoDB_20120810.GetItem',
    'content-type': 'application/x-amz-json-1.0',
  }
  t.equal((await ask('/table', action, 'POST', body)).status, 200)
  t.equal(last().body, body)
  t.equal(signerOf(last()), 'alice', 'and its hash is signed')
  const before = service.received.length
  const more = { ...action, 'content-length': '65537' }
  const over = await ask('/table', more, 'POST', `${body}x`)
  t.same([over.status, over.reason()], [413, 'body_too_large'])
  t.equal(service.received.length, before)
  const trailed = {
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'x-amz-trailer': 'x-amz-checksum-crc32',
    'content-encoding': 'aws-chunked',
  }
  t.equal((await ask('/files/a', { ...put, ...trailed }, 'PUT', body)).status, 200)
  t.match(last().headers, trailed)
  t.equal(signerOf(last()), 'alice')
})

t.test(
  'A-06: a clock that is off is corrected once by AWS’s, and told where that does not help',
  async (t) => {
    let asked = 0
    const far = new Date(Date.now() + 600_000).toUTCString()
    service.answer((request, response) => {
      asked++
      const at = String(request.headers['x-amz-date']).replace(
        /(....)(..)(..T..)(..)(..Z)/,
        '$1-$2-$3:$4:$5',
      )
      const isNear = Math.abs(Date.parse(at) - Date.parse(far)) < 60_000
      response
        .writeHead(isNear ? 200 : 403, { date: far })
        .end(isNear ? 'well' : 'RequestTimeTooSkewed')
    })
    t.match(await ask('/api/skew', bearer(alice)), { status: 200, body: 'well' })
    t.equal(asked, 2)
    t.match(await ask('/api/skew', bearer(alice)), { status: 200, body: 'well' })
    t.equal(asked, 3, 'it is remembered')
    // Back to the right time, for a body that is gone and cannot be sent again.
    service.answer((_, response) => response.writeHead(403).end('no'))
    const denied = await ask('/files/x', bearer(alice))
    t.match(
      denied,
      { status: 403, body: 'no' },
      'a refusal of something else is the client’s to see',
    )
    let hours = 0
    service.answer((_, response) =>
      response
        .writeHead(403, { date: new Date(Date.now() + ++hours * 3_600_000).toUTCString() })
        .end(SKEWED),
    )
    const wild = await ask('/files/x', bearer(alice))
    t.same([wild.status, wild.reason()], [502, 'upstream_protocol'])
    service.answer((_, response) => response.writeHead(403).end(SKEWED))
    await ask('/files/x', bearer(alice))
    await ask('/api/x', bearer(alice))
    service.answer(undefined)
  },
)

t.test(
  'A-07: interleaved requests of many users are signed each with the caller’s own',
  async (t) => {
    const users = Array.from({ length: 40 }, (_, i) => `user-${i}`)
    const tokens = users.map((sub) => issuer.id({ sub, 'cognito:groups': ['staff'] }))
    const before = service.received.length
    const rounds = Array.from({ length: 1_000 }, (_, i) => (i * 17) % users.length)
    for (let at = 0; at < rounds.length; at += 50) {
      await Promise.all(
        rounds
          .slice(at, at + 50)
          .map((i) => ask(`/files/of/${users[i]}`, bearer(tokens[i] as string))),
      )
    }
    const received = service.received.slice(before)
    t.equal(received.length, 1_000)
    t.same(
      received.filter((one) => one.url !== `/files/of/${signerOf(one)}`),
      [],
    )
  },
)

t.test('A-08: other groups are other credentials', async (t) => {
  const before = stage.given.length
  for (const groups of [['a'], ['a'], ['b'], ['a', 'b']])
    await ask('/files/a', bearer(issuer.id({ sub: 'carol', 'cognito:groups': groups })))
  t.equal(stage.given.length - before, 3)
  // A role by rules, or a principal tag, may go by any claim.
  for (const tenant of ['a', 'b', 'b'])
    await ask('/files/a', bearer(issuer.id({ sub: 'erin', 'custom:tenant': tenant })))
  t.equal(stage.given.length - before, 5)
})

t.test('A-09: without credentials nothing is sent, least of all as a guest', async (t) => {
  const sent = service.received.length
  for (const [behaviour, status, reason] of [
    ['deny', 403, 'credentials_denied'],
    ['throttle', 503, 'credentials_unavailable'],
  ] as const) {
    identity.behave(behaviour)
    const answer = await ask('/files/a', bearer(issuer.id({ sub: `new-${behaviour}` })))
    t.same([answer.status, answer.reason()], [status, reason])
    t.equal(answer.headers['retry-after'] !== undefined, status === 503)
  }
  t.equal(service.received.length, sent)
  identity.behave('answer')
  t.equal((await ask('/public/a')).status, 200, 'guests are not held up by it, nor hold up anybody')
  t.equal(signerOf(last()), 'GUEST', 'a caller without a token is one, where that is on')
  await ask('/public/a', { 'x-google-token': issuer.id({ sub: 'google-user' }) })
  t.equal(signerOf(last()), 'google-user')
  t.notOk('x-google-token' in last().headers, 'what was exchanged goes no further')
  const empty = await ask('/public/a', { 'x-google-token': '' })
  t.same([empty.status, empty.reason()], [401, 'id_token_required'])
  // Nobody with a verified token is asked about for half a second after trouble.
  const next = () => ask('/files/a', bearer(issuer.id({ sub: 'next' })))
  while ((await next()).status === 503) await new Promise((resolve) => setImmediate(resolve))
})

t.test('A-10: no header and no parameter chooses the role', async (t) => {
  const before = identity.calls.length
  const role = 'arn:aws:iam::123456789012:role/admin'
  await ask(`/files/a?role=${role}&CustomRoleArn=${role}`, {
    ...bearer(issuer.id({ sub: 'dave' })),
    'x-role': role,
    'x-amz-role-arn': role,
    'cognito-preferred-role': role,
  })
  const calls = identity.calls.slice(before)
  t.equal(calls.length, 2)
  t.same(Object.keys(calls[0]?.body ?? {}).sort(), ['IdentityPoolId', 'Logins'])
  t.equal(calls[0]?.body.IdentityPoolId, POOL_ID)
  t.same(Object.keys(calls[1]?.body ?? {}).sort(), ['IdentityId', 'Logins'])
})

t.test('an access token needs the ID token of the same user beside it', async (t) => {
  const access = issuer.access({ sub: 'alice' })
  const put = (idToken: string | readonly string[]) => ({
    ...bearer(access),
    'x-poolgate-id-token': idToken,
  })
  const missing = await ask('/files/a', bearer(access))
  t.same([missing.status, missing.reason()], [401, 'id_token_required'])
  t.match(missing.headers['www-authenticate'], /^Bearer /)
  t.equal((await ask('/files/a', put(alice))).status, 200)
  t.equal(signerOf(last()), 'alice')
  const before = service.received.length
  for (const [idToken, status, reason] of [
    [bob, 401, 'id_token_required'],
    [access, 401, 'token_use'],
    ['junk', 401, 'token_malformed'],
    [issuer.id({ sub: 'alice', exp: 1 }), 401, 'token_expired'],
    [[alice, bob], 400, 'credential_ambiguous'],
    [[alice, alice], 400, 'credential_ambiguous'],
  ] as const) {
    const answer = await ask('/files/a', put(idToken))
    t.same([answer.status, answer.reason()], [status, reason])
  }
  t.equal(service.received.length, before)
})

t.test(
  'the caller may have the credentials, where a route hands them out, to its own app clients',
  async (t) => {
    const answer = await ask('/keys', bearer(alice))
    t.match(answer, {
      status: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    })
    const document = JSON.parse(answer.body)
    t.same(Object.keys(document), ['AccessKeyId', 'SecretAccessKey', 'Token', 'Expiration'])
    t.match(document.Expiration, /^20\d\d-.*Z$/)
    t.ok(
      stage.given.some(
        ({ SecretKey }) => SecretKey === document.SecretAccessKey && SecretKey.endsWith('+alice'),
      ),
    )
    const other = await ask('/others', bearer(alice))
    t.same([other.status, other.reason()], [403, 'credentials_denied'])
    const posted = await ask('/keys', bearer(alice), 'POST', 'x')
    t.same([posted.status, posted.reason()], [400, 'aws_request_refused'])
    t.equal((await ask('/keys')).status, 401)
  },
)

t.test('what tells of the bucket alone is left out of answers, where that is on', async (t) => {
  service.answer((_, response) =>
    response
      .writeHead(200, {
        'x-amz-id-2': 'x',
        'x-amz-request-id': 'y',
        server: 'AmazonS3',
        etag: '"e"',
        'x-amz-meta-a': 'b',
      })
      .end(),
  )
  const hidden = await ask('/files/a', bearer(alice))
  t.match(hidden.headers, { etag: '"e"', 'x-amz-meta-a': 'b' })
  for (const name of ['x-amz-id-2', 'x-amz-request-id', 'server']) t.notOk(name in hidden.headers)
  t.match((await ask('/copies/b/a', bearer(alice))).headers, {
    'x-amz-id-2': 'x',
    server: 'AmazonS3',
  })
  service.answer(undefined)
})

t.test('the access line tells why AWS said no, and repeats no key', async (t) => {
  const detailAfter = async (body: string, headers: Record<string, string> = {}) => {
    service.answer((_, response) => response.writeHead(403, headers).end(body))
    await ask('/files/a?secret=x', bearer(alice))
    const told = stage.logged.map((line) => JSON.parse(line)).filter((line) => 'decision' in line)
    service.answer(undefined)
    return told.at(-1)?.detail
  }
  const place = `AWS says 403 to GET ${new URL(service.origin).host}/files/a`
  t.equal(
    await detailAfter(
      '<Error><Code>AccessDenied</Code><Message>User: me may not</Message></Error>',
    ),
    `${place}: AccessDenied: User: me may not`,
  )
  t.equal(
    await detailAfter('{"__type":"com.amazonaws#AccessDeniedException","message":"a \\"b\\""}'),
    `${place}: AccessDeniedException: a "b"`,
  )
  t.equal(await detailAfter('', { 'x-amzn-errortype': 'Oops:http' }), `${place}: Oops`)
  t.equal(
    await detailAfter('', { 'x-amz-bucket-region': 'eu-west-2' }),
    `${place} (bucket in eu-west-2)`,
  )
  t.equal(
    await detailAfter('<Code>InvalidAccessKeyId</Code><Message>ASIA0123 is not known</Message>'),
    `${place}: InvalidAccessKeyId`,
  )
})

t.test('A-11: no log line of all this holds a key, a secret or a token', async (t) => {
  t.ok(stage.logged.length > 1_000)
  const text = stage.logged.join('')
  t.notMatch(text, /ASIA|AKIA|s3cr3t|t0k3n|eyJ|Signature=/)
})
