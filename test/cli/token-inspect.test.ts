// poolgate token inspect: what a token says, what each pool says of it, and never its signature.
import t from 'tap'
import { inspectToken } from '../../src/cli/token-inspect.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createTestContext } from '../support/command-context.ts'
import { createConfigText } from '../support/config-text.ts'
import { createIssuer } from '../support/issuer.ts'
import { startJwksServer } from '../support/jwks-server.ts'

const issuer = createIssuer()
const stranger = createIssuer({ issuer: 'https://stranger.example' })
const jwks = await startJwksServer(issuer.jwks())
t.teardown(jwks.close)

const { config } = loadConfig(
  createConfigText({
    userPools: `userPools:
  main: {userPoolId: ${issuer.userPoolId}, clientIds: [${issuer.clientId}], jwksUri: '${jwks.url}'}
  second: {userPoolId: eu-west-1_Other0001, clientIds: any, jwksUri: '${jwks.url}'}`,
    routes: `routes:
  - {name: all, match: {path: /*}, access: {userPool: main}, upstream: orders}`,
  }),
  'c.yaml',
  {},
)

t.test('shows header, claims and times, and keeps the signature back', async (t) => {
  const { context, stdout } = createTestContext()
  const token = issuer.access({ exp: Math.floor(Date.now() / 1000) + 3_661 })
  t.equal(await inspectToken(token, undefined, context), 0)
  t.match(stdout(), /^header {3}\{"kid":"[^"]+","alg":"RS256"\}\n/)
  t.match(stdout(), '"token_use": "access"')
  t.match(stdout(), /\nexp {6}in 1h 1m( [01]s)?\n/)
  t.match(stdout(), /\niat {6}\d+s ago\n/)
  t.notMatch(stdout(), token.split('.')[2])
})

t.test('what stands before the token is left out, and that is told', async (t) => {
  const token = issuer.access()
  for (const before of ['Bearer ', 'bearer  ', 'Authorization: Bearer ', 'authorization:Bearer ']) {
    const { context, stdout, stderr } = createTestContext()
    t.equal(await inspectToken(before + token, undefined, context), 0, before)
    t.match(stdout(), '"token_use": "access"')
    t.match(stderr(), '(Bearer) was left out')
  }
  const { context, stderr } = createTestContext()
  t.equal(await inspectToken(`Bearer ${token}`, config, context), 0)
  t.equal(stderr(), 'what stands before the token (Bearer) was left out\n')
  await inspectToken(token, undefined, context)
  t.equal(stderr().split('\n').length, 2, 'nothing is told of a token alone')
})

t.test('what is no token is 1, also where nobody is asked', async (t) => {
  const [header = '', payload = '', signature = ''] = issuer.access().split('.')
  for (const text of [
    '',
    'nonsense',
    'Bearer ',
    'Basic YTpi',
    `${header}.${payload}`,
    `${header}.${payload}.${signature}.x`,
    `${header}.x.${signature}`,
    `x.${payload}.${signature}`,
    `Bearer Bearer ${header}.${payload}.${signature}`,
  ]) {
    const { context, stderr } = createTestContext()
    t.equal(await inspectToken(text, undefined, context), 1, text)
    t.match(stderr(), /^not a token: /m)
  }
})

t.test('each configured pool says what it thinks, and one that accepts is enough', async (t) => {
  const { context, stdout } = createTestContext()
  t.equal(await inspectToken(issuer.id(), config, context), 0)
  t.match(stdout(), '\npool main: accepted as id token\n')
  t.match(stdout(), /\npool second: refused: token_issuer \(/)
})

t.test('a token that nobody accepts is 1, with each reason', async (t) => {
  const cases: [string, RegExp][] = [
    [issuer.access({ exp: 1 }), /pool main: refused: token_expired/],
    [issuer.access({ client_id: 'x' }), /pool main: refused: token_client/],
    [stranger.access(), /pool main: refused: token_(issuer|key_unknown)/],
    ['nonsense', /header {3}not a JSON object[\s\S]*pool main: refused: token_malformed/],
  ]
  for (const [token, told] of cases) {
    const { context, stdout } = createTestContext()
    t.equal(await inspectToken(token, config, context), 1)
    t.match(stdout(), told)
  }
})

t.test('keys that cannot be fetched are told', async (t) => {
  jwks.serve((_, response) => void response.writeHead(500).end())
  const { context, stdout, stderr } = createTestContext()
  t.equal(await inspectToken(issuer.access(), config, context), 1)
  t.match(stderr(), /keys of main: .*500/)
  t.match(stdout(), 'pool main: refused: keys_unavailable')
})
