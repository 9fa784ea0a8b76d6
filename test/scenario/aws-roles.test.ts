// Credentials that come by other ways than the enhanced flow: the gateway's own role, as AWS's programs find theirs, and the basic flow's, from
// STS. What arrives is verified by the secret that was given out.
import t, { type Test } from 'tap'
import { startAwsGateway } from '../support/aws-stage.ts'
import { eventually } from '../support/eventually.ts'
import { startGatewayProcess } from '../support/gateway-process.ts'
import { startIdentityEndpoint } from '../support/identity-endpoint.ts'
import { createIssuer } from '../support/issuer.ts'
import { startJwksServer } from '../support/jwks-server.ts'
import { motoProgram, NO_MOTO, startMoto } from '../support/moto.ts'
import { isSignedWith } from '../support/is-signed-with.ts'
import { POOL_ID } from '../support/signed-stage.ts'
import { startUpstreamServer } from '../support/upstream-server.ts'

const service = await startUpstreamServer()
const issuer = createIssuer()
const jwks = await startJwksServer(issuer.jwks())
t.teardown(() => Promise.all([service.close(), jwks.close()]))

const configOf = (pools: string, upstream: string) => `version: 1
listen: 127.0.0.1:0
admin: 127.0.0.1:0
userPools:
  main: {userPoolId: ${issuer.userPoolId}, clientIds: [${issuer.clientId}], jwksUri: '${jwks.url}'}
${pools}
upstreams:
  up: ${upstream}
routes:
  - {name: up, match: {path: /*}, access: {tokenUse: id}, upstream: up}
`

const OWN = () =>
  configOf(
    '',
    `{aws: {service: dynamodb, region: eu-west-1, credentials: gateway, endpoint: '${service.origin}'}}`,
  )

/** Writes each module that is loaded to standard error. */
const HOOK = `import { registerHooks } from 'node:module'
registerHooks({ load(url, context, next) {
  process.stderr.write('loaded ' + url + '\\n')
  return next(url, context)
} })`

/** A machine of AWS's where nothing is found, but for what a test adds. */
function variablesOf(more: Record<string, string> = {}): Record<string, string> {
  return {
    HOME: '/nowhere',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ACCESS_KEY_ID: '',
    AWS_SECRET_ACCESS_KEY: '',
    AWS_SESSION_TOKEN: '',
    AWS_PROFILE: '',
    AWS_WEB_IDENTITY_TOKEN_FILE: '',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: '',
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '',
    NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(HOOK)}`,
    ...more,
  }
}

const ask = (origin: string, sub = 'alice', claims: Record<string, unknown> = {}) =>
  fetch(`${origin}/a`, { headers: { authorization: `Bearer ${issuer.id({ sub, ...claims })}` } })

const PROVIDERS = /loaded .*@aws-sdk\/credential-provider/

/** Of the last request: whether it is that key's, and rightly signed. */
function isBy(key: string, secret: string, token: string | undefined): boolean {
  const received = service.received.at(-1)
  if (received === undefined) return false
  const { authorization = '', 'x-amz-security-token': sent } = received.headers
  return authorization.includes(`Credential=${key}/`) && sent === token
    ? isSignedWith(secret, received)
    : false
}

t.test('the gateway’s own role is that of its environment', async (t) => {
  const keys = { AWS_ACCESS_KEY_ID: 'AKIAOWN', AWS_SECRET_ACCESS_KEY: 'own/secret+' }
  const variables = variablesOf({ ...keys, AWS_SESSION_TOKEN: 'own-token' })
  const gate = await startGatewayProcess(t, OWN(), variables)
  t.notMatch(gate.stderr(), PROVIDERS, 'nothing is looked for before it is needed')
  for (const sub of ['alice', 'bob']) {
    t.equal((await ask(gate.origin, sub)).status, 200)
    t.ok(isBy('AKIAOWN', 'own/secret+', 'own-token'), 'whoever calls')
  }
  t.match(gate.stderr(), PROVIDERS)
  t.notMatch(JSON.stringify(gate.lines()), /AKIAOWN|own.secret|own-token/)
})

t.test('or of its container’s agent, whose credentials are renewed', async (t) => {
  const agent = await startUpstreamServer()
  t.teardown(agent.close)
  let number = 0
  agent.answer((_, response) => {
    // The first ones go within the five minutes before which they are renewed.
    const lifeMs = ++number === 1 ? 240_000 : 3_600_000
    const Expiration = new Date(Date.now() + lifeMs).toISOString()
    const keys = { AccessKeyId: `ASIA${number}`, SecretAccessKey: `s${number}`, Token: 'agent' }
    response.end(JSON.stringify({ ...keys, Expiration }))
  })
  const place = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent.origin}/role` }
  const variables = variablesOf({ ...place, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'pod' })
  const gate = await startGatewayProcess(t, OWN(), variables)
  t.equal((await ask(gate.origin)).status, 200)
  t.ok(isBy('ASIA1', 's1', 'agent'))
  t.match(agent.received[0], { url: '/role', headers: { authorization: 'pod' } })
  await eventually('the second ones', async () => {
    await ask(gate.origin)
    return isBy('ASIA2', 's2', 'agent')
  })
  for (let i = 0; i < 3; i++) await ask(gate.origin)
  t.equal(agent.received.length, 2, 'and those are kept')
})

t.test('where there is none, that is said, and nothing is sent', async (t) => {
  const gate = await startGatewayProcess(t, OWN(), variablesOf())
  const before = service.received.length
  const answer = await ask(gate.origin)
  t.equal(answer.status, 503)
  t.equal(answer.headers.get('retry-after'), '5')
  t.match(await answer.json(), { reason: 'credentials_unavailable' })
  t.equal(service.received.length, before)
})

const ROLE = 'arn:aws:iam::123456789012:role/writers'

async function startIdentity(t: Test) {
  const identity = await startIdentityEndpoint({
    identityPoolId: POOL_ID,
    credentialsFor: () => Promise.reject(new Error('that is the enhanced flow')),
  })
  t.teardown(identity.close)
  return identity
}

const poolOf = (origin: string, sts: string, more: string) => `identityPools:
  main: {identityPoolId: '${POOL_ID}', flow: basic, endpoint: '${origin}', stsEndpoint: '${sts}', ${more}}`

t.test('a gateway of its callers’ credentials does not look for its own', async (t) => {
  const identity = await startIdentity(t)
  const pool = poolOf(identity.origin, service.origin, `roleArn: '${ROLE}'`)
  const upstream = `{aws: {service: dynamodb, identityPool: main, endpoint: '${service.origin}'}}`
  const gate = await startGatewayProcess(t, configOf(pool, upstream), variablesOf())
  t.equal((await ask(gate.origin)).status, 503)
  t.match(gate.stderr(), /loaded .*@smithy\/signature-v4/, 'the list is one of modules')
  t.notMatch(gate.stderr(), PROVIDERS)
})

const XML = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'

const given = () => `<AssumeRoleWithWebIdentityResponse ${XML}>
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>eu-west-1:identity</SubjectFromWebIdentityToken>
    <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/writers/jane</Arn></AssumedRoleUser>
    <Credentials>
      <SessionToken>AQoDYXdzEE0a8ANXXX==</SessionToken>
      <SecretAccessKey>wJalrXUtnFEMI/K7MDENG</SecretAccessKey>
      <Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration>
      <AccessKeyId>ASIASTS</AccessKeyId>
    </Credentials>
  </AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>`

const refused = (code: string) => `<ErrorResponse ${XML}>
  <Error><Type>Sender</Type><Code>${code}</Code><Message>of the stand-in</Message></Error>
</ErrorResponse>`

async function startBasic(t: Test, more: string) {
  const identity = await startIdentity(t)
  const sts = await startUpstreamServer()
  t.teardown(sts.close)
  sts.answer((_, response) => void response.end(given()))
  const upstream = `{aws: {service: dynamodb, identityPool: main, endpoint: '${service.origin}'}}`
  const config = configOf(poolOf(identity.origin, sts.origin, more), upstream)
  const gateway = await startAwsGateway(t, { config })
  return { identity, sts, ...gateway }
}

t.test('the basic flow assumes the role that is configured, preferred or named', async (t) => {
  const other = 'arn:aws:iam::123456789012:role/readers'
  for (const [more, claims, role] of [
    [`roleArn: '${ROLE}'`, {}, ROLE],
    ['role: preferred', { 'cognito:preferred_role': other }, other],
    [`role: '${other}'`, { 'cognito:roles': [ROLE, other] }, other],
  ] as const) {
    const { identity, sts, origin } = await startBasic(t, more)
    t.equal((await ask(origin, 'alice', claims)).status, 200, more)
    t.ok(isBy('ASIASTS', 'wJalrXUtnFEMI/K7MDENG', 'AQoDYXdzEE0a8ANXXX=='))
    const form = new URLSearchParams(sts.received[0]?.body)
    t.equal(form.get('RoleArn'), role)
    t.equal(form.get('RoleSessionName'), 'alice')
    t.match(form.get('WebIdentityToken'), /^open-id-token\./)
    t.same([identity.count('GetOpenIdToken'), identity.count('GetCredentialsForIdentity')], [1, 0])
    if (!more.startsWith('roleArn')) {
      t.equal((await ask(origin, 'bob', { 'cognito:roles': [ROLE] })).status, 403)
      t.equal(sts.received.length, 1, 'a role that is not the caller’s is not even asked for')
    }
  }
})

t.test('STS’s errors are the caller’s or nobody’s, each as it is meant', async (t) => {
  for (const [httpStatus, code, status] of [
    [403, 'AccessDenied', 403],
    [400, 'InvalidIdentityToken', 403],
    [400, 'ExpiredTokenException', 403],
    [403, 'IDPRejectedClaim', 403],
    [400, 'IDPCommunicationError', 503],
    [400, 'Throttling', 503],
    [400, 'ValidationError', 503],
  ] as const) {
    const { sts, origin, logged } = await startBasic(t, `roleArn: '${ROLE}'`)
    sts.answer((_, response) => void response.writeHead(httpStatus).end(refused(code)))
    const before = service.received.length
    const answer = await ask(origin)
    t.equal(answer.status, status, code)
    const reason = status === 403 ? 'credentials_denied' : 'credentials_unavailable'
    t.match(await answer.json(), { reason })
    t.equal(answer.headers.has('retry-after'), status === 503)
    t.equal(service.received.length, before)
    t.notMatch(logged(), /open-id-token|eyJ/)
  }
})

t.test(
  'moto’s STS gives a role by the basic flow',
  { skip: motoProgram() ? false : NO_MOTO },
  async (t) => {
    const moto = await startMoto(t)
    const role = await moto.createRole('writers', [{ Action: '*' }])
    const identity = await startIdentity(t)
    const upstream = `{aws: {service: sts, identityPool: main, endpoint: '${moto.origin}'}}`
    const config = configOf(poolOf(identity.origin, moto.origin, `roleArn: '${role}'`), upstream)
    const { origin } = await startAwsGateway(t, { config })
    const body = 'Action=GetCallerIdentity&Version=2011-06-15'
    const answer = await fetch(origin, {
      method: 'POST',
      body,
      headers: {
        authorization: `Bearer ${issuer.id({ sub: 'alice' })}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
    })
    t.equal(answer.status, 200)
    t.match(await answer.text(), /assumed-role\/writers\/alice</)
  },
)
