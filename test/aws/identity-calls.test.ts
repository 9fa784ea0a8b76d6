// What the two APIs answer, in every shape: credentials that are whole, or a kind of failure that says nothing of the token.
import t, { type Test } from 'tap'
import { createIdentityCalls, isFailure } from '../../src/aws/identity-calls.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { fc } from '../support/fuzz.ts'
import { startUpstreamServer } from '../support/upstream-server.ts'

const ROLE = 'arn:aws:iam::123456789012:role/writers'
const WHOLE = { AccessKeyId: 'ASIA1', SecretKey: 's+/=', SessionToken: 't+/=', Expiration: 1_800 }
const JSON_TYPE = 'application/x-amz-json-1.1'
const server = await startUpstreamServer()
t.teardown(server.close)

const calls = createIdentityCalls(
  { identityPoolId: 'eu-west-1:pool', endpoint: server.origin, stsEndpoint: server.origin },
  { clock: createFakeClock(), deadlineMs: 5_000, maxBytes: 64 * 1024 },
)

function answerWith(status: number, body: string | Buffer, headers: Record<string, string> = {}) {
  server.answer((_, response) => response.writeHead(status, headers).end(body))
}

const TOKEN = 'ya29.Ab3dEf6hIj9lMn2pQr5tUv8xYz-_'

/** All four, each of which shows `token`. */
async function askAll(token = TOKEN) {
  const logins = { provider: token }
  return {
    id: await calls.getId(logins),
    given: await calls.getCredentials('id', logins, undefined),
    token: await calls.getOpenIdToken('id', logins),
    assumed: await calls.assumeRole(ROLE, 'jane', token),
  }
}

t.test('each call asks as the API’s reference has it', async (t) => {
  server.answer(undefined)
  const before = server.received.length
  await askAll()
  await calls.getCredentials('id', {}, ROLE)
  const [id, given, token, assumed, guest] = server.received.slice(before)
  for (const [call, action] of [
    [id, 'GetId'],
    [given, 'GetCredentialsForIdentity'],
    [token, 'GetOpenIdToken'],
  ] as const)
    t.match(call, {
      method: 'POST',
      url: '/',
      headers: { 'content-type': JSON_TYPE, 'x-amz-target': `AWSCognitoIdentityService.${action}` },
    })
  const Logins = { provider: TOKEN }
  t.same(JSON.parse(id?.body ?? ''), { IdentityPoolId: 'eu-west-1:pool', Logins })
  t.same(JSON.parse(given?.body ?? ''), { IdentityId: 'id', Logins })
  t.same(JSON.parse(token?.body ?? ''), { IdentityId: 'id', Logins })
  t.same(JSON.parse(guest?.body ?? ''), { IdentityId: 'id', CustomRoleArn: ROLE })
  t.equal(assumed?.headers['content-type'], 'application/x-www-form-urlencoded')
  t.same(Object.fromEntries(new URLSearchParams(assumed?.body)), {
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: ROLE,
    RoleSessionName: 'jane',
    WebIdentityToken: TOKEN,
  })
  for (const one of server.received.slice(before)) t.notOk('authorization' in one.headers)
})

const xmlOf = (changes: Record<string, string | undefined> = {}) => {
  const fields = {
    SessionToken: 'AQoDYXdzEE0a8ANXXX==',
    SecretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY',
    Expiration: '2014-10-24T23:00:23Z',
    AccessKeyId: 'ASgeIAIOSFODNN7EXAMPLE',
    ...changes,
  }
  const lines = Object.entries(fields).map(([name, text]) =>
    text === undefined ? '' : `<${name}>${text}</${name}>\n`,
  )
  return `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>amzn1.account.AF6RHO7KZU5XRVQJGXK6HB56KR2A</SubjectFromWebIdentityToken>
    <Credentials>${lines.join('')}</Credentials>
  </AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>`
}

t.test('whole credentials are taken, in JSON and in STS’s XML', async (t) => {
  answerWith(200, JSON.stringify({ IdentityId: 'id', Credentials: WHOLE, Token: 'open' }))
  const { id, given, token } = await askAll()
  t.same([id, token], ['id', 'open'])
  t.same(given, {
    accessKeyId: 'ASIA1',
    secretAccessKey: 's+/=',
    sessionToken: 't+/=',
    expiresAtMs: 1_800_000,
  })
  answerWith(200, xmlOf({ AccessKeyId: '\n  ASIA2\n' }))
  t.same((await askAll()).assumed, {
    accessKeyId: 'ASIA2',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY',
    sessionToken: 'AQoDYXdzEE0a8ANXXX==',
    expiresAtMs: Date.UTC(2014, 9, 24, 23, 0, 23),
  })
})

t.test('half credentials are none', async (t) => {
  const bad: Record<string, unknown>[] = [
    ...Object.keys(WHOLE).map((name) => ({ [name]: undefined })),
    ...Object.keys(WHOLE).map((name) => ({ [name]: '' })),
    ...['AccessKeyId', 'SecretKey', 'SessionToken'].flatMap((name) => [
      { [name]: 1 },
      { [name]: 'a b' },
      { [name]: 'a\r\nx: y' },
      { [name]: 'é' },
      { [name]: ['a'] },
    ]),
    { Expiration: null },
    { Expiration: 'soon' },
    { Expiration: 1e300 },
    { Expiration: 8.64e12 + 1 },
    { Expiration: {} },
  ]
  for (const change of bad) {
    answerWith(200, JSON.stringify({ Credentials: { ...WHOLE, ...change } }))
    t.match((await askAll()).given, { failed: 'unavailable' }, JSON.stringify(change))
  }
  answerWith(200, JSON.stringify({ Credentials: WHOLE }).replace('1800', '1e999'))
  t.match((await askAll()).given, { failed: 'unavailable' }, 'never for ever')
  for (const name of ['SessionToken', 'SecretAccessKey', 'Expiration', 'AccessKeyId'])
    for (const text of [undefined, '', '&amp;', '<b>a</b>', 'a b']) {
      answerWith(200, xmlOf({ [name]: text }))
      t.match((await askAll()).assumed, { failed: 'unavailable' }, `${name} ${text}`)
    }
})

t.test('answers that are nothing of the kind are no answers', async (t) => {
  const bodies = [
    '',
    '{',
    'null',
    '[]',
    '"text"',
    '1',
    '{"__proto__": {"IdentityId": "id"}}',
    '{"IdentityId": {}, "Token": 1, "Credentials": "text"}',
    '{"IdentityId": "", "Token": "", "Credentials": []}',
    '<html><body>Bad gateway</body></html>',
    Buffer.from([0xff, 0xfe, 0]),
  ]
  for (const status of [200, 201, 204, 301, 400, 403, 404, 500, 503])
    for (const body of bodies) {
      answerWith(status, status === 204 ? '' : body, { location: server.origin })
      for (const [name, result] of Object.entries(await askAll()))
        t.match(
          result,
          {
            failed: status >= 400 && status < 500 ? 'misconfigured' : 'unavailable',
            detail: String,
          },
          `${name} ${status} ${body}`,
        )
    }
  answerWith(200, `${JSON.stringify({ IdentityId: 'id' })}${' '.repeat(64 * 1024)}`)
  t.match((await askAll()).id, { failed: 'unavailable', detail: /more than 65536 bytes/ })
  answerWith(200, JSON.stringify({ IdentityId: 'id' }), { 'content-encoding': 'gzip' })
  t.match((await askAll()).id, { failed: 'unavailable', detail: /Content-Encoding/ })
})

t.test('a connection that ends early, at any place, is no answer', async (t) => {
  server.answer((request) => request.socket.destroy())
  await expectNone(t)
  server.answer((_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"IdentityId":')
    setImmediate(() => response.destroy())
  })
  await expectNone(t)
  const gone = createIdentityCalls(
    { identityPoolId: 'p', endpoint: 'http://127.0.0.1:1', stsEndpoint: 'http://127.0.0.1:1' },
    { clock: createFakeClock(), deadlineMs: 5_000, maxBytes: 1_024 },
  )
  t.match(await gone.getId({}), { failed: 'unavailable', detail: /^GetId: .*ECONNREFUSED/ })
  t.match(await gone.assumeRole(ROLE, 'jane', 'x'), { detail: /^AssumeRoleWithWebIdentity: / })
})

async function expectNone(t: Test) {
  for (const [name, result] of Object.entries(await askAll()))
    t.match(result, { failed: 'unavailable' }, name)
}

const errorXml = (code: string, message: string) =>
  `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>
  <RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId>
</ErrorResponse>`

t.test('each error of AWS’s is the kind that it means', async (t) => {
  for (const [code, kind] of [
    ['NotAuthorizedException', 'denied'],
    ['InvalidParameterException', 'denied'],
    ['ResourceConflictException', 'denied'],
    ['ResourceNotFoundException', 'gone'],
    ['TooManyRequestsException', 'throttled'],
    ['LimitExceededException', 'throttled'],
    ['InvalidIdentityPoolConfigurationException', 'misconfigured'],
    ['InternalErrorException', 'unavailable'],
    ['ExternalServiceException', 'misconfigured'],
    ['SomethingNew', 'misconfigured'],
    ['constructor', 'misconfigured'],
  ] as const)
    for (const type of [code, `com.amazonaws.cognito.identity#${code}`]) {
      answerWith(400, JSON.stringify({ __type: type, message: 'why so' }))
      t.match((await askAll()).id, { failed: kind, detail: `GetId: 400 ${code}: why so` })
    }
  for (const [status, code, kind] of [
    [403, 'AccessDenied', 'denied'],
    [400, 'InvalidIdentityToken', 'denied'],
    [400, 'ExpiredTokenException', 'denied'],
    [403, 'IDPRejectedClaim', 'denied'],
    [400, 'IDPCommunicationError', 'misconfigured'],
    [400, 'Throttling', 'throttled'],
    [429, 'Whatever', 'throttled'],
    [400, 'ValidationError', 'misconfigured'],
    [403, 'RegionDisabledException', 'misconfigured'],
    [503, 'ServiceUnavailable', 'unavailable'],
  ] as const) {
    answerWith(status, errorXml(code, 'why so'), { 'content-type': 'text/xml' })
    const detail = `AssumeRoleWithWebIdentity: ${status} ${code}: why so`
    t.match((await askAll()).assumed, { failed: kind, detail })
  }
})

t.test('whatever is said of a token, no piece of it is said again', async (t) => {
  const jwt = `eyJhbGciOiJSUzI1NiJ9.${'Q'.repeat(90)}.sig`
  const sayings = [
    (token: string) => token,
    (token: string) => `Token "${token}" is bad.`,
    (token: string) => `Bad: ${token}.`,
    (token: string) => `the first of it: ${token.slice(0, 20)}…`,
    (token: string) => `the last of it: ${token.slice(-20)}`,
    (token: string) => `${'a '.repeat(88)}${token}`,
  ]
  for (const token of [TOKEN, jwt, 'EAACEdEose0cBA12345', 'short'])
    for (const say of sayings) {
      const said = say(token)
      for (const body of [
        JSON.stringify({ __type: 'NotAuthorizedException', message: said }),
        JSON.stringify({ __type: 'NotAuthorizedException', Message: said }),
        JSON.stringify({ __type: said, message: 'well' }),
        errorXml('AccessDenied', said),
        errorXml(said, 'well'),
      ]) {
        answerWith(400, body)
        for (const result of Object.values(await askAll(token)))
          if (isFailure(result)) {
            const pieces = [token, token.slice(0, 12), token.slice(-12)]
            if (pieces.some((piece) => result.detail.includes(piece))) t.fail(result.detail)
          } else t.fail('that is no answer')
      }
    }
  answerWith(400, JSON.stringify({ __type: 'NotAuthorizedException', message: 'a\nb\u0000é' }))
  t.match((await askAll()).id, { detail: 'GetId: 400 NotAuthorizedException: a b  ' })
  answerWith(400, JSON.stringify({ __type: 'X', message: 'a b '.repeat(1_000) }))
  t.equal(((await askAll()).id as { detail: string }).detail.length, 'GetId: 400 X: '.length + 200)
})

t.test('whatever is answered, nothing throws', async (t) => {
  const json = fc.json({ maxDepth: 2 })
  const answer = fc.oneof(
    json,
    fc.string({ maxLength: 50 }),
    fc
      .record({ Credentials: fc.object({ maxDepth: 1 }), __type: fc.anything(), message: json })
      .map((one) => JSON.stringify(one)),
  )
  await fc.assert(
    fc.asyncProperty(answer, fc.constantFrom(200, 400, 500), async (body, status) => {
      answerWith(status, body ?? '')
      const { given, assumed } = await askAll()
      return isFailure(given) && isFailure(assumed)
    }),
    { numRuns: 100 },
  )
  t.pass('a hundred times')
})
