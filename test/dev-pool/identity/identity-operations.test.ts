// The dev pool's identity pool, asked by AWS's own SDK: whose login counts, one identity for each user, which role, and the basic flow.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CognitoIdentity } from '@aws-sdk/client-cognito-identity'
import { STS } from '@aws-sdk/client-sts'
import { decodeJwt } from 'jose'
import t, { type Test } from 'tap'
import { startDevPool } from '../../../src/dev-pool/dev-pool.ts'
import {
  DEFAULT_IDENTITY_POOL,
  type IdentityPoolSettings,
} from '../../../src/dev-pool/identity/identity-pool-settings.ts'
import { IDENTITY_OPERATIONS } from '../../../src/dev-pool/identity/identity-operations.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const ROLE = (name: string) => `arn:aws:iam::123456789012:role/${name}`
const USERS = `
groups:
  admins: {role: ${ROLE('admin')}, precedence: 1}
  writers: {role: ${ROLE('writer')}, precedence: 2}
  printers: {role: ${ROLE('printer')}, precedence: 2}
users:
  alice: {password: x, sub: sub-of-alice, attributes: {email: a@example.com, custom:team: 'red-1'}}
  bob: {password: x, attributes: {custom:team: blue}}
  boss: {password: x, groups: [writers, admins]}
  both: {password: x, groups: [writers, printers]}
  scribe: {password: x, groups: [writers]}
`

async function start(t: Test, identityPool: Partial<IdentityPoolSettings> = {}) {
  const clock = createFakeClock()
  const usersFile = join(t.testdir({ 'u.yaml': USERS }), 'u.yaml')
  const pool = await startDevPool({ clock, port: 0, usersFile, identityPool })
  const place = { endpoint: pool.origin, region: 'eu-west-1', maxAttempts: 1 }
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
  const sdk = new CognitoIdentity({ ...place, credentials })
  const sts = new STS({ ...place, credentials })
  t.teardown(async () => {
    sdk.destroy()
    sts.destroy()
    await pool.stop()
  })
  const { id: IdentityPoolId, loginKey } = pool.identityPool
  const login = async (name: string) => ({ [loginKey]: await pool.mint(name, { use: 'id' }) })
  const getId = async (Logins?: Record<string, string>) =>
    (await sdk.getId({ IdentityPoolId, ...(Logins && { Logins }) })).IdentityId ?? ''
  const credentialsOf = async (name: string, CustomRoleArn?: string) => {
    const Logins = await login(name)
    const IdentityId = await getId(Logins)
    const custom = CustomRoleArn === undefined ? {} : { CustomRoleArn }
    const answer = await sdk.getCredentialsForIdentity({ IdentityId, Logins, ...custom })
    return answer.Credentials ?? {}
  }
  const issuedTo = async (name: string, custom?: string) =>
    pool.identityPool.find((await credentialsOf(name, custom)).AccessKeyId ?? '')
  const roleOf = async (name: string, custom?: string) => (await issuedTo(name, custom))?.roleArn
  return { clock, pool, sdk, sts, login, loginKey, getId, credentialsOf, issuedTo, roleOf }
}

const refused = (message: string | RegExp, name = 'NotAuthorizedException') => ({ name, message })

t.test('a user has one identity, and the credentials that go with it', async (t) => {
  const { clock, pool, sdk, getId, login, credentialsOf } = await start(t)
  const identityId = await getId(await login('alice'))
  t.match(identityId, /^eu-west-1:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  await clock.advance(60_000)
  t.equal(await getId(await login('alice')), identityId, 'whichever token of hers')
  t.not(await getId(await login('bob')), identityId)
  const given = await credentialsOf('alice')
  t.match(given, { AccessKeyId: /^ASIA[A-Z2-7]{16}$/, SecretKey: /^[\w+/]{40}$/ })
  t.equal(Number(given.Expiration), clock.now() + 3_600_000)
  t.match(pool.identityPool.find(given.AccessKeyId ?? ''), {
    identityId,
    secretAccessKey: given.SecretKey,
    sessionToken: given.SessionToken,
    roleArn: DEFAULT_IDENTITY_POOL.authenticatedRole,
    tags: { username: 'sub-of-alice', client: pool.clientId },
  })
  t.not((await credentialsOf('alice')).AccessKeyId, given.AccessKeyId, 'new ones each time')
  const Logins = await login('bob')
  await t.rejects(
    sdk.getCredentialsForIdentity({ IdentityId: identityId, Logins }),
    refused(/^Logins don't match\./),
    "nobody gets another's",
  )
  await t.rejects(
    sdk.getCredentialsForIdentity({ IdentityId: identityId }),
    refused(`Access to Identity '${identityId}' is forbidden.`),
    'a guest neither',
  )
})

t.test('answers are as they stand on the wire', async (t) => {
  const { pool, clock, getId } = await start(t)
  const post = (target: string, input: object) =>
    fetch(pool.origin, {
      method: 'POST',
      headers: { 'x-amz-target': `AWSCognitoIdentityService.${target}` },
      body: JSON.stringify(input),
    })
  const answer = await post('GetCredentialsForIdentity', { IdentityId: await getId() })
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('content-type'), 'application/x-amz-json-1.1')
  const { Credentials } = (await answer.json()) as { Credentials: Record<string, unknown> }
  t.same(Object.keys(Credentials), ['AccessKeyId', 'SecretKey', 'SessionToken', 'Expiration'])
  t.equal(Credentials.Expiration, Math.floor(clock.now() / 1000) + 3600)
  const missing = await post('GetId', { IdentityPoolId: 'eu-west-1:other' })
  t.equal(missing.status, 400)
  t.strictSame(await missing.json(), {
    __type: 'ResourceNotFoundException',
    message: "IdentityPool 'eu-west-1:other' not found.",
  })
  for (const [target, type] of [
    ['GetId', 'InvalidParameterException'],
    ['GetOpenIdToken', 'InvalidParameterException'],
    ['DeleteIdentities', 'UnknownOperationException'],
    ['GetUser', 'UnknownOperationException'],
  ] as const) {
    t.match(await (await post(target, {})).json(), { __type: type }, target)
  }
  const IdentityId = 'eu-west-1:00000000-0000-4000-8000-000000000000'
  t.match(await (await post('GetCredentialsForIdentity', { IdentityId })).json(), {
    __type: 'ResourceNotFoundException',
  })
})

t.test('every operation is told in the documentation', async (t) => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/dev-pool.md'), 'utf8')
  for (const name of Object.keys(IDENTITY_OPERATIONS)) t.match(page, `\`${name}\``, name)
  t.match(page, `\`${DEFAULT_IDENTITY_POOL.id}\``)
})

t.test('a login is an ID token of this pool that counts now', async (t) => {
  const { clock, pool, getId, loginKey } = await start(t)
  const mint = (changes: object) => pool.mint('alice', { use: 'id', ...changes })
  const isRefused = async (token: string, message: RegExp | string) =>
    t.rejects(getId({ [loginKey]: token }), refused(message))
  const good = await mint({ expiresInSeconds: 10 })
  await isRefused(await pool.mint('alice', { use: 'access' }), /signature invalid/)
  await isRefused(await mint({ claims: { token_use: 'access' } }), /Not an ID token/)
  await isRefused(await mint({ claims: { aud: 'other' } }), /audience/)
  await isRefused(await mint({ claims: { iss: 'https://other.example' } }), /Issuer/)
  await isRefused(await mint({ claims: { exp: undefined } }), /parse/)
  await isRefused(`${good.slice(0, -8)}AAAAAAAA`, /signature invalid/)
  await isRefused('x', /parse/)
  await isRefused(await mint({ claims: { 'cognito:username': 'bob' } }), /User does not exist/)
  for (const provider of [
    'accounts.google.com',
    `${loginKey}0`,
    `${loginKey}/x`,
    `x${loginKey}`,
    loginKey.replace('.com', '.com.cn'),
  ]) {
    const message = /not from a supported provider/
    await t.rejects(getId({ [provider]: good }), refused(message), provider)
  }
  await t.rejects(getId({ [loginKey]: good, 'accounts.google.com': 'x' }), refused(/supported/))
  await t.resolves(getId({ [loginKey.replace('eu-west-1', 'us-east-2')]: good }))
  await clock.advance(9_000)
  await t.resolves(getId({ [loginKey]: good }), 'in its last second')
  await clock.advance(1_000)
  await isRefused(good, /^Invalid login token. Token expired: \d+ >= \d+$/)
})

t.test('a user who left gets nothing more, unless nobody looks', async (t) => {
  for (const serverSideTokenCheck of [true, false]) {
    const { pool, clock, getId, login } = await start(t, { serverSideTokenCheck })
    const alice = await login('alice')
    const bob = await login('bob')
    await clock.advance(1_000)
    for (const [operation, Username] of [
      ['AdminDisableUser', 'alice'],
      ['AdminUserGlobalSignOut', 'bob'],
    ] as const) {
      const headers = { 'x-amz-target': `AWSCognitoIdentityProviderService.${operation}` }
      const body = JSON.stringify({ UserPoolId: pool.userPoolId, Username })
      t.equal((await fetch(pool.origin, { method: 'POST', headers, body })).status, 200)
    }
    for (const [logins, message] of [
      [alice, /User is disabled/],
      [bob, /revoked/],
    ] as const) {
      if (serverSideTokenCheck) await t.rejects(getId(logins), refused(message))
      else await t.resolves(getId(logins))
    }
  }
})

t.test('a token chooses the role: preferred, the only one, custom, or none', async (t) => {
  const { pool, roleOf } = await start(t)
  const claimsOf = async (name: string) => decodeJwt(await pool.mint(name, { use: 'id' }))
  t.match(await claimsOf('boss'), {
    'cognito:roles': [ROLE('writer'), ROLE('admin')],
    'cognito:preferred_role': ROLE('admin'),
  })
  const both = await claimsOf('both')
  t.same(both['cognito:roles'], [ROLE('writer'), ROLE('printer')])
  t.notHas(both, 'cognito:preferred_role', 'two have the lowest precedence')
  t.equal(await roleOf('boss'), ROLE('admin'))
  t.equal(await roleOf('scribe'), ROLE('writer'))
  t.equal(await roleOf('alice'), DEFAULT_IDENTITY_POOL.authenticatedRole)
  t.equal(await roleOf('both'), DEFAULT_IDENTITY_POOL.authenticatedRole)
  t.equal(await roleOf('boss', ROLE('writer')), ROLE('writer'))
  t.equal(await roleOf('both', ROLE('printer')), ROLE('printer'))
  const custom = refused(/custom role/)
  await t.rejects(roleOf('scribe', ROLE('admin')), custom)
  await t.rejects(roleOf('alice', DEFAULT_IDENTITY_POOL.authenticatedRole), custom)

  const ambiguousRoleResolution = 'Deny'
  const denying = await start(t, { roleMapping: { type: 'Token', ambiguousRoleResolution } })
  t.equal(await denying.roleOf('boss'), ROLE('admin'))
  for (const name of ['alice', 'both']) {
    await t.rejects(
      denying.roleOf(name),
      refused(`The ambiguous role mapping rules for: ${denying.loginKey} denied this request.`),
    )
  }
})

t.test('rules choose the role: the first that matches a claim', async (t) => {
  const rule = (claim: string, matchType: 'Equals', value: string, name: string) =>
    ({ claim, matchType, value, roleArn: ROLE(name) }) as const
  const rules = [
    rule('custom:team', 'Equals', 'blue', 'equals'),
    { ...rule('custom:team', 'Equals', 'red-', 'starts'), matchType: 'StartsWith' } as const,
    { ...rule('custom:team', 'Equals', 'red', 'never'), matchType: 'Contains' } as const,
    { ...rule('cognito:groups', 'Equals', 'admin', 'contains'), matchType: 'Contains' } as const,
    { ...rule('cognito:groups', 'Equals', 'writers', 'not'), matchType: 'NotEqual' } as const,
  ]
  const mapping = { type: 'Rules', ambiguousRoleResolution: 'Deny', rules } as const
  const { roleOf } = await start(t, { roleMapping: mapping })
  t.equal(await roleOf('bob'), ROLE('equals'))
  t.equal(await roleOf('alice'), ROLE('starts'))
  t.equal(await roleOf('boss'), ROLE('contains'))
  t.equal(await roleOf('both'), ROLE('not'))
  await t.rejects(roleOf('scribe'), refused(/denied this request/))
  await t.rejects(roleOf('bob', ROLE('equals')), refused(/custom role/))
})

t.test('guests get the role of guests, where there are any', async (t) => {
  const { sdk, pool, getId, login } = await start(t)
  const guest = await getId()
  t.not(await getId(), guest, 'another identity each time')
  const { Credentials } = await sdk.getCredentialsForIdentity({ IdentityId: guest })
  const found = pool.identityPool.find(Credentials?.AccessKeyId ?? '')
  t.match(found, { identityId: guest, roleArn: DEFAULT_IDENTITY_POOL.unauthenticatedRole })
  t.same(found?.tags, {})
  const Logins = await login('alice')
  await t.rejects(
    sdk.getCredentialsForIdentity({ IdentityId: guest, Logins }),
    refused(/^Logins don't match\./),
  )

  const without = await start(t, { allowGuests: false })
  const message = 'Unauthenticated access is not supported for this identity pool.'
  await t.rejects(without.getId(), refused(message))
  await t.resolves(without.credentialsOf('alice'))
})

t.test('a pool without a role says what is wrong with it', async (t) => {
  const settings = { authenticatedRole: undefined, unauthenticatedRole: undefined }
  const { sdk, getId, roleOf } = await start(t, settings)
  const wrong = refused(/assigned IAM roles/, 'InvalidIdentityPoolConfigurationException')
  await t.rejects(roleOf('alice'), wrong)
  await t.rejects(sdk.getCredentialsForIdentity({ IdentityId: await getId() }), wrong)
  t.equal(await roleOf('boss'), ROLE('admin'))
})

t.test('claims become principal tags as configured', async (t) => {
  const principalTags = { mail: 'email', team: 'custom:team', teams: 'cognito:groups' }
  const { issuedTo } = await start(t, { principalTags })
  t.same((await issuedTo('alice'))?.tags, { mail: 'a@example.com', team: 'red-1' })
  t.same((await issuedTo('both'))?.tags, { teams: 'writers,printers' })
})

t.test('the basic flow: an OpenID token, which STS takes for a role', async (t) => {
  const { clock, sdk, sts, pool, login, getId } = await start(t)
  const openId = async (name: string) => {
    const Logins = await login(name)
    return (await sdk.getOpenIdToken({ IdentityId: await getId(Logins), Logins })).Token ?? ''
  }
  const assume = (WebIdentityToken: string, name = 'dev-user', changes = {}) =>
    sts.assumeRoleWithWebIdentity({
      RoleArn: ROLE(name),
      RoleSessionName: 'session-1',
      WebIdentityToken,
      ...changes,
    })
  const token = await openId('alice')
  const identityId = await getId(await login('alice'))
  t.match(decodeJwt(token), {
    iss: 'https://cognito-identity.amazonaws.com',
    aud: pool.identityPool.id,
    sub: identityId,
    amr: ['authenticated', pool.identityPool.loginKey],
  })
  const given = await assume(token)
  t.match(given, {
    SubjectFromWebIdentityToken: identityId,
    Audience: pool.identityPool.id,
    Provider: 'cognito-identity.amazonaws.com',
    AssumedRoleUser: { Arn: 'arn:aws:sts::123456789012:assumed-role/dev-user/session-1' },
  })
  t.equal(Number(given.Credentials?.Expiration), clock.now() + 3_600_000)
  t.match(pool.identityPool.find(given.Credentials?.AccessKeyId ?? ''), {
    secretAccessKey: given.Credentials?.SecretAccessKey,
    sessionToken: given.Credentials?.SessionToken,
    roleArn: ROLE('dev-user'),
    identityId,
    tags: { username: 'sub-of-alice' },
  })
  await t.resolves(assume(token, 'dev-user', { DurationSeconds: 900 }))
  await t.resolves(assume(token, 'of-an-application'), 'which trusts every user of the pool')
  await t.resolves(assume(await openId('boss'), 'admin'))
  const guest = (await sdk.getOpenIdToken({ IdentityId: await getId() })).Token ?? ''
  await t.resolves(assume(guest, 'dev-guest'))

  const denied = refused(/Not authorized/, 'AccessDenied')
  await t.rejects(assume(token, 'admin'), denied, "a group's role is for its members")
  await t.rejects(assume(token, 'dev-guest'), denied)
  await t.rejects(assume(guest, 'dev-user'), denied)
  const idToken = await pool.mint('alice', { use: 'id' })
  await t.rejects(assume(idToken), { name: 'InvalidIdentityToken' }, 'ID tokens are not for STS')
  await t.rejects(getId({ [pool.identityPool.loginKey]: token }), refused(/parse/), 'nor back')
  const wrong = { name: 'ValidationError' }
  await t.rejects(assume(token, 'a b'), wrong)
  await t.rejects(assume(token, 'dev-user', { RoleSessionName: 'a' }), wrong)
  for (const DurationSeconds of [899, 43_201]) {
    await t.rejects(assume(token, 'dev-user', { DurationSeconds }), wrong)
  }
  await t.rejects(sts.getCallerIdentity(), { name: 'InvalidAction' })
  await clock.advance(599_000)
  await t.resolves(assume(token))
  await clock.advance(1_000)
  await t.rejects(assume(token), { name: 'ExpiredTokenException' })
})
