// The AWS peers hold what scenarios rely on: moto refuses a wrong signature and what a role may not do, the identity endpoint counts.
import { CognitoIdentity } from '@aws-sdk/client-cognito-identity'
import { DynamoDB } from '@aws-sdk/client-dynamodb'
import { S3 } from '@aws-sdk/client-s3'
import { STS } from '@aws-sdk/client-sts'
import t from 'tap'
import { eventually } from './eventually.ts'
import { startIdentityEndpoint, unverifiedClaims } from './identity-endpoint.ts'
import { createIssuer } from './issuer.ts'
import { motoProgram, NO_MOTO, startMoto } from './moto.ts'

t.test('moto with its IAM checks on', { skip: motoProgram() ? false : NO_MOTO }, async (t) => {
  const moto = await startMoto(t)
  const place = { endpoint: moto.origin, region: moto.region }
  const reader = await moto.createRole('reader', [{ Action: ['s3:GetObject', 's3:ListBucket'] }])
  const admin = new S3({ ...place, credentials: moto.administrator, forcePathStyle: true })
  await admin.createBucket({ Bucket: 'files' })
  await moto.checkSignatures()
  await admin.putObject({ Bucket: 'files', Key: 'a', Body: 'text' })

  const given = await moto.assume(reader, 'jane')
  const credentials = {
    accessKeyId: given.AccessKeyId,
    secretAccessKey: given.SecretKey,
    sessionToken: given.SessionToken,
  }
  const s3 = new S3({ ...place, credentials, forcePathStyle: true })
  const { Body } = await s3.getObject({ Bucket: 'files', Key: 'a' })
  t.equal(await Body?.transformToString(), 'text', 'what the role may do is done')
  await t.rejects(
    s3.putObject({ Bucket: 'files', Key: 'b', Body: '' }),
    { name: 'AccessDenied' },
    'what it may not is not',
  )
  const dynamo = new DynamoDB({ ...place, credentials })
  await t.rejects(dynamo.listTables(), 'in no other service either')
  const { Arn } = await new STS({ ...place, credentials }).getCallerIdentity()
  t.match(Arn, /assumed-role\/reader\/jane$/)

  const forged = { ...credentials, secretAccessKey: 'x'.repeat(40) }
  await t.rejects(
    new S3({ ...place, credentials: forged, forcePathStyle: true }).getObject({
      Bucket: 'files',
      Key: 'a',
    }),
    { name: 'SignatureDoesNotMatch' },
  )
  t.ok(given.Expiration > Date.now() / 1000, 'they expire later, in seconds')
})

t.test('the identity endpoint', async (t) => {
  const identityPoolId = 'eu-west-1:01234567-89ab-cdef-0123-456789abcdef'
  const endpoint = await startIdentityEndpoint({
    identityPoolId,
    credentialsFor: async (logins, role = 'default') => ({
      AccessKeyId: `ASIA-${unverifiedClaims(Object.values(logins)[0] ?? '').sub ?? 'guest'}-${role}`,
      SecretKey: 'secret',
      SessionToken: 'session',
      Expiration: Math.floor(Date.now() / 1000) + 3600,
    }),
  })
  t.teardown(() => endpoint.close())
  const sdk = new CognitoIdentity({
    endpoint: endpoint.origin,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    maxAttempts: 1,
  })
  t.teardown(() => sdk.destroy())
  const issuer = createIssuer()
  const login = (sub: string) => ({ 'cognito-idp/pool': issuer.id({ sub }) })

  const { IdentityId } = await sdk.getId({ IdentityPoolId: identityPoolId, Logins: login('a') })
  const again = await sdk.getId({ IdentityPoolId: identityPoolId, Logins: login('a') })
  t.equal(again.IdentityId, IdentityId, 'one identity for a user, whichever token')
  const got = await sdk.getCredentialsForIdentity({ IdentityId, Logins: login('a') })
  t.equal(got.Credentials?.AccessKeyId, 'ASIA-a-default')
  await t.rejects(
    sdk.getCredentialsForIdentity({ IdentityId, Logins: login('b') }),
    { name: 'NotAuthorizedException' },
    "nobody gets another's",
  )
  await t.rejects(sdk.getId({ IdentityPoolId: `${identityPoolId}0` }), {
    name: 'ResourceNotFoundException',
  })
  t.match((await sdk.getOpenIdToken({ IdentityId, Logins: login('a') })).Token, /^open-id-token\./)
  t.equal(endpoint.count('GetId'), 3)
  t.equal(endpoint.count('GetCredentialsForIdentity'), 2)

  endpoint.skew(600_000)
  const { Credentials } = await sdk.getCredentialsForIdentity({ IdentityId, Logins: login('a') })
  t.ok(Number(Credentials?.Expiration) > Date.now() + 4_100_000, 'its clock may be ahead')

  endpoint.behave('throttle', 'GetId')
  const ask = { IdentityPoolId: identityPoolId, Logins: login('a') }
  await t.rejects(sdk.getId(ask), { name: 'TooManyRequestsException' })
  await t.resolves(sdk.getOpenIdToken({ IdentityId, Logins: login('a') }), 'the others answer')
  endpoint.behave('deny')
  await t.rejects(sdk.getId(ask), { name: 'NotAuthorizedException' })
  endpoint.behave('fail')
  await t.rejects(sdk.getId(ask), { name: 'InternalErrorException' })
  endpoint.behave('hang')
  const before = endpoint.count('GetId')
  const asked = sdk.getId(ask)
  await eventually('a call that hangs', () => endpoint.count('GetId') > before)
  endpoint.behave('answer')
  await sdk.getId(ask)
  endpoint.release()
  t.equal((await asked).IdentityId, IdentityId, 'a call that hung goes on when released')
})
