// A user's temporary credentials outside of the gateway: by `poolgate credentials` as a credential process, and from a route that hands them
// out, each as AWS's own SDK asks for them; and what is said where there are none.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { S3 } from '@aws-sdk/client-s3'
import {
  fromContainerMetadata,
  fromHttp,
  fromIni,
  fromNodeProviderChain,
  fromProcess,
} from '@aws-sdk/credential-providers'
import t, { type Test } from 'tap'
import { runProgram } from '../../src/cli/program.ts'
import { createTestContext } from '../support/command-context.ts'
import { createIssuer } from '../support/issuer.ts'
import { startJwksServer } from '../support/jwks-server.ts'
import { POOL_ID, startSignedStage } from '../support/signed-stage.ts'

const CLIENT = '4exampleclient0000000000001'
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

const stage = await startSignedStage({
  upstreams: `  keys: {handOut: {identityPool: main, clientIds: [${CLIENT}]}}
  others: {handOut: {identityPool: main, clientIds: [someoneelse]}}`,
  routes: `  - {name: keys, match: {path: /keys}, access: {tokenUse: id}, upstream: keys}
  - {name: others, match: {path: /others}, access: {tokenUse: id}, upstream: others}`,
})
t.teardown(stage.stop)
const { issuer, identity, service, signerOf } = stage
const jwks = await startJwksServer(issuer.jwks())
t.teardown(jwks.close)

type Provider = ReturnType<typeof fromProcess>

/** Who AWS sees when the SDK asks it with these credentials. */
async function seenBy(provider: Provider): Promise<string> {
  const place = { endpoint: service.origin, region: 'eu-west-1', forcePathStyle: true }
  const s3 = new S3({ ...place, credentials: provider, maxAttempts: 1 })
  await s3.headObject({ Bucket: 'files', Key: 'a b/ü' })
  s3.destroy()
  const received = service.received.at(-1)
  return received === undefined ? 'nobody' : signerOf(received)
}

const configOf = (identityPools: readonly string[]) => `version: 1
listen: 127.0.0.1:0
admin: none
userPools:
  main: {userPoolId: ${issuer.userPoolId}, clientIds: [${CLIENT}], jwksUri: '${jwks.url}'}
identityPools:
${identityPools.map((name) => `  ${name}: {identityPoolId: '${POOL_ID}', endpoint: '${identity.origin}'}`).join('\n')}
upstreams:
${identityPools.map((name) => `  ${name}: {aws: {service: s3, identityPool: ${name}}}`).join('\n')}
routes:
${identityPools.map((name) => `  - {name: ${name}, match: {path: /${name}/*}, access: {tokenUse: id}, upstream: ${name}}`).join('\n')}
`

interface Files {
  /** Of the command line. */
  readonly args: readonly string[]
  readonly dir: string
  write(name: string, text: string): string
}

function setUp(t: Test, token: string, identityPools: readonly string[] = ['main']): Files {
  const dir = t.testdir({})
  const write = (name: string, text: string) => {
    const file = join(dir, name)
    writeFileSync(file, text)
    return file
  }
  const config = write('poolgate.yaml', configOf(identityPools))
  const tokenFile = write('token', token)
  return { dir, write, args: ['credentials', '--config', config, '--token-file', tokenFile] }
}

/** In this process, which takes a tenth of the time; the first test has the program itself run. */
async function run(args: readonly string[]) {
  const { context, stdout, stderr } = createTestContext()
  const code = await runProgram(args, context)
  return { code, stdout: stdout(), stderr: stderr() }
}

t.test('the SDK runs it as a credential process, and AWS sees the user', async (t) => {
  const { args, write } = setUp(t, `Authorization: Bearer ${issuer.id({ sub: 'alice' })}\n`)
  const command = [process.execPath, MAIN, ...args].map((part) => `"${part}"`).join(' ')
  const lines = `region = eu-west-1\ncredential_process = ${command}\n`
  const files = {
    configFilepath: write('config', `[profile alice]\n${lines}`),
    filepath: write('credentials', ''),
    profile: 'alice',
  }
  const credentials = await fromProcess(files)()
  t.equal(credentials.expiration instanceof Date, true, 'the SDK knows when to ask again')
  t.equal(await seenBy(async () => credentials), 'alice')
  t.equal(await seenBy(fromIni(files)), 'alice')
  t.equal(identity.count('GetId'), 2)
})

t.test('it prints the form of a credential process, and nothing else', async (t) => {
  const { args } = setUp(t, issuer.id({ sub: 'bob' }))
  const { code, stdout, stderr } = await run(args)
  t.equal(code, 0)
  t.notMatch(stderr, /ASIA|s3cr3t|t0k3n|eyJ/)
  const document = JSON.parse(stdout)
  t.same(Object.keys(document), [
    ...['Version', 'AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration'],
  ])
  t.equal(document.Version, 1)
  t.match(document.SecretAccessKey, /\+bob$/)
  t.ok(Date.parse(document.Expiration) > Date.now())
})

/** What goes before are warnings about the configuration and about variables that the test itself has. */
function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? ''
}

t.test('a token that is refused is exit 3, says why and asks nobody', async (t) => {
  const stranger = createIssuer({ issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/other' })
  const before = identity.calls.length
  const cases: [string, RegExp][] = [
    [issuer.id({ exp: 1 }), /ID token is refused: token_expired/],
    [issuer.access(), /ID token is refused: token_use/],
    [stranger.id(), /ID token is refused: token_(issuer|key_unknown)/],
    [createIssuer().id(), /ID token is refused: token_(signature|key_unknown)/],
    [issuer.id({ aud: 'someoneelse' }), /ID token is refused: token_client/],
    ['junk', /ID token is refused: token_malformed/],
    ['', /ID token is refused: token_malformed/],
  ]
  const { args, write } = setUp(t, '')
  const answers = await Promise.all(
    cases.map(([token], i) => run([...args, '--token-file', write(`token-${i}`, token)])),
  )
  for (const [i, { code, stdout, stderr }] of answers.entries()) {
    t.same([code, stdout], [3, ''])
    t.match(lastLine(stderr), cases[i]?.[1])
    t.notMatch(stderr, /eyJ/)
  }
  t.equal(identity.calls.length, before)
})

t.test('one that the identity pool refuses is exit 3 too, an outage exit 1', async (t) => {
  const { args } = setUp(t, issuer.id({ sub: 'carol' }))
  for (const [behaviour, expected] of [
    ['deny', 3],
    ['throttle', 1],
    ['fail', 1],
  ] as const) {
    identity.behave(behaviour)
    const { code, stdout, stderr } = await run(args)
    t.same([code, stdout], [expected, ''], behaviour)
    t.match(lastLine(stderr), /^no credentials: GetId: \d{3} \w+Exception/)
  }
  identity.behave('answer')
  jwks.serve((_, response) => void response.writeHead(500).end())
  const { code, stdout, stderr } = await run(args)
  t.same([code, stdout], [1, ''], 'no keys to verify with is an outage as well')
  t.match(stderr, /no credentials: the keys of user pool main/)
  jwks.serve(issuer.jwks())
})

t.test('which of several identity pools has to be said', async (t) => {
  const { args, dir } = setUp(t, issuer.id({ sub: 'dave' }), ['main', 'other'])
  const asked = (...more: string[]) => run([...args, ...more])
  const [none, other, wrong, noToken] = await Promise.all([
    asked(),
    asked('--identity-pool', 'other'),
    asked('--identity-pool', 'othr'),
    asked('--identity-pool', 'main', '--token-file', join(dir, 'nowhere')),
  ])
  t.match(none, { code: 2, stdout: '', stderr: /--identity-pool is needed .*: main, other/ })
  t.equal(other.code, 0)
  t.match(wrong, { code: 2, stdout: '', stderr: /no identity pool othr.*other/ })
  t.match(noToken, { code: 2, stdout: '', stderr: /token file cannot be read \(ENOENT\)/ })
})

const URL_VARIABLE = 'AWS_CONTAINER_CREDENTIALS_FULL_URI'
const TOKEN_VARIABLE = 'AWS_CONTAINER_AUTHORIZATION_TOKEN'

/** As an operator sets them for a program that is not to be changed. */
function setVariables(t: Test, path: string, token: string) {
  const values = {
    [URL_VARIABLE]: `${stage.origin}${path}`,
    [TOKEN_VARIABLE]: `Bearer ${token}`,
    AWS_ACCESS_KEY_ID: '',
    AWS_PROFILE: '',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  }
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, values)
  t.teardown(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
}

t.test('the SDK takes them from a route, as from a container’s agent', async (t) => {
  const once = { maxRetries: 0, timeout: 5_000 }
  const at = (path: string, token: string) =>
    fromHttp({
      awsContainerCredentialsFullUri: `${stage.origin}${path}`,
      awsContainerAuthorizationToken: `Bearer ${token}`,
      ...once,
    })
  t.equal(await seenBy(at('/keys', issuer.id({ sub: 'erin' }))), 'erin')
  for (const [path, token, status] of [
    ['/keys', issuer.access({ sub: 'erin' }), 401],
    ['/keys', issuer.id({ sub: 'erin', exp: 1 }), 401],
    ['/others', issuer.id({ sub: 'erin' }), 403],
  ] as const)
    await t.rejects(at(path, token)(), { message: `Server responded with status: ${status}` })

  setVariables(t, '/keys', issuer.id({ sub: 'frank' }))
  t.equal(await seenBy(fromHttp(once)), 'frank', 'by the variables alone')
  t.equal(await seenBy(fromContainerMetadata(once)), 'frank', 'by the older provider')
  t.equal(await seenBy(fromNodeProviderChain()), 'frank', 'by the chain of every SDK client')
  const given = await fromHttp(once)()
  t.equal(given.expiration instanceof Date, true)
})

t.test('what is handed out is nobody’s to read in the log', async (t) => {
  const text = stage.logged.join('')
  t.match(text, /"route":"keys"/)
  t.notMatch(text, /ASIA|s3cr3t|t0k3n|eyJ/)
})
