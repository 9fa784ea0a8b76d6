// poolgate explain tells a newcomer what to change, for the mistakes that everybody makes once; it never shows a signature.
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { runProgram } from '../../src/cli/program.ts'
import { createTestContext } from '../support/command-context.ts'
import { createConfigText } from '../support/config-text.ts'
import { createIssuer } from '../support/issuer.ts'
import { startJwksServer } from '../support/jwks-server.ts'

const issuer = createIssuer()
const jwks = await startJwksServer(issuer.jwks())
t.teardown(jwks.close)

function writeConfig(t: Test, jwksUri = jwks.url): string {
  const file = join(t.testdir({}), 'c.yaml')
  const pool = `{userPoolId: ${issuer.userPoolId}, clientIds: [${issuer.clientId}], jwksUri: '${jwksUri}'}`
  writeFileSync(
    file,
    createConfigText({
      top: 'trustedProxies: [10.0.0.0/8]',
      userPools: `userPools: {main: ${pool}}`,
      routes:
        'routes: [{name: admin, match: {path: /admin/*}, access: {groups: {anyOf: [admins]}}, upstream: orders}]',
    }),
  )
  return file
}

async function run(
  t: Test,
  url: string,
  token?: string,
  more: readonly string[] = [],
  jwksUri = jwks.url,
) {
  const file = writeConfig(t, jwksUri)
  const { context, stdout, stderr } = createTestContext(
    token === undefined ? {} : { stdin: `Authorization: Bearer ${token}\n` },
  )
  const given = token === undefined ? [] : ['--token-file', '-']
  const code = await runProgram(
    ['explain', '--config', file, ...given, ...more, 'GET', url],
    context,
  )
  if (token !== undefined) t.notMatch(stdout(), token.split('.')[2] ?? 'nothing')
  return {
    code,
    text: stdout(),
    last: stdout().trimEnd().split('\n').at(-1) ?? '',
    stderr: stderr(),
  }
}

const ADMIN = 'https://api.example/admin/x'
const admin = (changes: object = {}) => issuer.access({ 'cognito:groups': ['admins'], ...changes })

t.test('an allowed request is shown step by step', async (t) => {
  const { code, text } = await run(t, ADMIN, admin())
  t.equal(code, 0)
  for (const line of [
    /^ {2}ok {2}reading +GET api\.example \/admin\/x/m,
    /^ {2}ok {2}signature/m,
    /^ {2}ok {2}groups anyOf +wanted \["admins"\], seen \["admins"\]$/m,
    /^200 allowed by route admin, forwarded to orders$/m,
  ])
    t.match(text, line)
  t.notMatch(text, /to change/)
})

t.test('each usual mistake ends in what to change', async (t) => {
  const now = Math.floor(Date.now() / 1000)
  const other = createIssuer({
    issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other0001',
  })
  const cases: [string, string | undefined, RegExp, RegExp][] = [
    [
      'another client',
      admin({ client_id: 'another' }),
      /^401 token_client/m,
      /add "another" to userPools\.main\.clientIds, or get a token for the app client 4example/,
    ],
    [
      'an ID token',
      issuer.id(),
      /^401 token_use/m,
      /send the access token in its place .*add tokenUse: id to access of route admin/,
    ],
    [
      'no group',
      issuer.access(),
      /^403 group_missing/m,
      /add the user to the group admins and get a new token/,
    ],
    [
      'letter case',
      admin({ 'cognito:groups': ['Admins'] }),
      /^403 group_missing/m,
      /is in Admins and the route wants admins: .*letter by letter/,
    ],
    [
      'another pool',
      other.access(),
      /^401 token_issuer/m,
      /is of eu-west-1_Other0001 and userPools has eu-west-1_TestPool1: get a token of that pool, or add/,
    ],
    ['expired', admin({ exp: now - 60 }), /^401 token_expired/m, /get a new token: sign in again/],
    ['no token', undefined, /^401 credential_missing/m, /--token-file/],
  ]
  for (const [name, token, verdict, advice] of cases) {
    const { code, text, last } = await run(t, ADMIN, token)
    t.equal(code, 3, name)
    t.match(text, verdict, name)
    t.match(last, /^to change: /)
    t.match(last, advice, name)
  }
  const path = await run(t, 'https://api.example/Admin/x', admin())
  t.match(path.last, /letter case .*route admin: its path is \/admin\/\*.*letter case differs/)
  const keys = await run(t, ADMIN, admin(), [], 'http://127.0.0.1:9/jwks.json')
  t.match(keys.text, /^503 keys_unavailable/m)
  t.match(keys.last, /make http:\/\/127\.0\.0\.1:9\/jwks\.json reachable from here \(/)
  const peer = await run(t, ADMIN, admin(), ['--via', 'forward-auth', '--peer', '192.0.2.1'])
  t.match(peer.last, /if 192\.0\.2\.1 is .* trustedProxies: \[10\.0\.0\.0\/8, 192\.0\.2\.1\/32\]/)
})

t.test('it is told as JSON too', async (t) => {
  const { text } = await run(t, ADMIN, issuer.access(), ['--json'])
  const { verdict, steps, advice } = JSON.parse(text)
  t.match(verdict, { decision: 'deny', status: 403, reason: 'group_missing', route: 'admin' })
  t.same(
    steps.map(({ title }: { title: string }) => title),
    ['request', 'route', 'credential', 'token', 'access of route admin', 'forwarding'],
  )
  t.match(advice, /admins/)
})

t.test('what cannot be asked is bad usage', async (t) => {
  t.match(await run(t, ADMIN, undefined, ['--header', 'no colon']), {
    code: 2,
    stderr: /'Name: value'/,
  })
  t.match(await run(t, ADMIN, undefined, ['--token-file', '/nowhere/at/all']), {
    code: 2,
    stderr: /ENOENT/,
  })
  t.match(await run(t, ADMIN, undefined, ['--via', 'smtp']), { code: 2 })
  for (const peer of ['10.0.0.0/8', 'ingress', '']) {
    t.match(await run(t, ADMIN, undefined, ['--peer', peer]), { code: 2, stderr: /IP address/ })
  }
  for (const url of ['api.example/admin/x', 'wss://api.example/', '*', '']) {
    t.match(await run(t, url), { code: 2, stderr: /begins with https/ }, url)
  }
  for (const method of ['get', 'FETCH', '']) {
    const args = ['explain', '--config', writeConfig(t), method, ADMIN]
    const { context, stderr } = createTestContext()
    t.equal(await runProgram(args, context), 2)
    t.match(stderr(), /capital letters/)
  }
})

t.test('header fields and hosts are taken as they are given', async (t) => {
  const given = await run(t, '/admin/x', undefined, [
    '--header',
    `Authorization: Bearer ${admin()}`,
    '--header',
    'Host: inner.example',
  ])
  t.match(given.text, /GET inner\.example \/admin\/x/)
  t.equal(given.code, 0)
  const over = await run(t, ADMIN, admin(), ['--header', 'Host: inner.example'])
  t.match(over.text, /GET inner\.example \/admin\/x/, 'as clients do that are given both')
  const twice = await run(t, ADMIN, admin(), ['--header', 'Host: a', '--header', 'Host: b'])
  t.match(twice.text, /^400 request_malformed: two Host fields/m)
})

t.test('a token file holds a token, or the line that it was copied with', async (t) => {
  const token = admin()
  for (const text of [
    token,
    `${token}\n`,
    `Bearer ${token}`,
    `authorization: bearer ${token}\r\n`,
  ]) {
    const config = writeConfig(t)
    const file = join(dirname(config), 'token')
    writeFileSync(file, text)
    const { context, stdout } = createTestContext()
    t.equal(
      await runProgram(
        ['explain', '--config', config, '--token-file', file, 'GET', ADMIN],
        context,
      ),
      0,
      stdout(),
    )
  }
})
