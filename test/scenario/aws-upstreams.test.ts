// Three users with a role each call AWS through Poolgate, by plain curl and by the AWS SDK, and AWS sees each user's own role. AWS is
// moto, with its IAM checks on: what it does is nothing that was written here.
import { DynamoDB } from '@aws-sdk/client-dynamodb'
import { Lambda } from '@aws-sdk/client-lambda'
import { S3 } from '@aws-sdk/client-s3'
import { STS } from '@aws-sdk/client-sts'
import t, { type Test } from 'tap'
import { type AwsStage, createAwsStage, startAwsGateway } from '../support/aws-stage.ts'
import { bearerSdk } from '../support/bearer-sdk.ts'
import { curl, hasCurl } from '../support/curl.ts'
import { type Moto, motoProgram, NO_MOTO, startMoto } from '../support/moto.ts'

type User = 'reader' | 'writer' | 'nobody'

const UPSTREAMS = (origin: string) => `
  files: {aws: {service: s3, identityPool: main, bucket: files, pathStyle: true, endpoint: '${origin}'}}
  table: {aws: {service: dynamodb, identityPool: main, endpoint: '${origin}'}}
  hello: {aws: {service: lambda, identityPool: main, function: hello, endpoint: '${origin}'}}
  lambda: {aws: {service: lambda, identityPool: main, endpoint: '${origin}'}}
  sts: {aws: {service: sts, identityPool: main, endpoint: '${origin}'}}`

const toRoute = (name: string, path: string) => `
  - name: ${name}
    match: {path: ${path}/*}
    access: {tokenUse: any}
    rewrite: {stripPrefix: ${path}}
    upstream: ${name}`

const ROUTES = ['table', 'hello', 'lambda', 'sts']
  .map((name) => toRoute(name, `/${name}`))
  .concat(toRoute('files', '/s3/files'))
  .join('')

async function setUp(moto: Moto): Promise<Record<User, string>> {
  const place = { endpoint: moto.origin, region: moto.region, credentials: moto.administrator }
  await new S3({ ...place, forcePathStyle: true }).createBucket({ Bucket: 'files' })
  await new DynamoDB(place).createTable({
    TableName: 'notes',
    KeySchema: [
      { AttributeName: 'owner', KeyType: 'HASH' },
      { AttributeName: 'at', KeyType: 'RANGE' },
    ],
    AttributeDefinitions: [
      { AttributeName: 'owner', AttributeType: 'S' },
      { AttributeName: 'at', AttributeType: 'N' },
    ],
    BillingMode: 'PAY_PER_REQUEST',
  })
  const reads = ['s3:GetObject', 's3:ListBucket', 'dynamodb:GetItem', 'dynamodb:Query']
  const writes = ['s3:PutObject', 's3:DeleteObject', 'dynamodb:PutItem', 'lambda:Invoke*']
  const roles = {
    reader: await moto.createRole('reader', [{ Action: reads }]),
    writer: await moto.createRole('writer', [{ Action: [...reads, ...writes] }]),
    nobody: await moto.createRole('nobody', []),
  }
  await new Lambda(place).createFunction({
    FunctionName: 'hello',
    Role: roles.writer,
    Runtime: 'nodejs22.x',
    Handler: 'index.handler',
    Code: { ZipFile: Buffer.from('never unpacked') },
  })
  await moto.checkSignatures()
  return roles
}

interface Parts {
  readonly origin: string
  readonly moto: Moto
  readonly users: AwsStage<User>['users']
}

t.test('AWS upstreams', { skip: whyNot() }, async (t) => {
  const moto = await startMoto(t)
  const roles = await setUp(moto)
  const stage = await createAwsStage<User>(t, {
    roles,
    assume: moto.assume,
    upstreams: UPSTREAMS(moto.origin),
    routes: ROUTES,
  })
  const { origin, logged } = await startAwsGateway(t, stage)
  const parts = { origin, moto, users: stage.users }

  await t.test('S3 by curl', (t) => s3ByCurl(t, parts))
  await t.test('S3 by the SDK', (t) => s3BySdk(t, parts))
  await t.test('DynamoDB by curl and by the SDK', (t) => dynamo(t, parts))
  await t.test('Lambda by curl and by the SDK', (t) => lambda(t, parts))
  await t.test('who one is', (t) => callers(t, parts))

  t.equal(stage.identity.count('GetId'), 3, 'one exchange for each user')
  t.equal(stage.identity.count('GetCredentialsForIdentity'), 3)
  const secrets = stage.given.flatMap((given) => [
    given.AccessKeyId,
    given.SecretKey,
    given.SessionToken,
  ])
  const tokens = Object.values(stage.users).flatMap((user) => [user.idToken, user.accessToken])
  t.equal(secrets.length, 9)
  for (const secret of [...secrets, ...tokens]) t.notOk(logged().includes(secret))
})

function whyNot(): string | false {
  if (!motoProgram()) return NO_MOTO
  return hasCurl() ? false : 'no curl here'
}

/** What is given beside it, as it is. */
const PUT = ['-X', 'PUT', '-H', 'content-type: text/plain', '--data-binary', '@-']

const asUser = (token: string) => ['-H', `authorization: Bearer ${token}`]

async function s3ByCurl(t: Test, { origin, users }: Parts) {
  const url = `${origin}/s3/files`
  const ask = (user: User, args: string[], input?: string) =>
    curl([...asUser(users[user].idToken), ...args], input)
  const put = (user: User) => ask(user, [...PUT, `${url}/a`], TEN)
  t.equal((await put('reader')).status, 403, 'by AWS')
  t.match((await put('reader')).body.toString(), /<Code>AccessDenied</)
  t.equal((await put('nobody')).status, 403)
  const stored = await put('writer')
  t.equal(stored.status, 200)
  const { etag = '' } = stored.headers

  const got = await ask('reader', [`${url}/a`])
  t.equal(got.body.toString(), TEN)
  t.equal(got.headers.etag, etag)
  t.equal((await ask('nobody', [`${url}/a`])).status, 403)
  const part = await ask('reader', ['-r', '2-4', `${url}/a`])
  t.equal(part.status, 206)
  t.equal(part.headers['content-range'], 'bytes 2-4/10')
  t.equal(part.body.toString(), '234')
  const head = await ask('reader', ['-I', `${url}/a`])
  t.equal(head.status, 200)
  t.equal(head.headers['content-length'], '10')
  const unchanged = await ask('reader', ['-H', `if-none-match: ${etag}`, `${url}/a`])
  t.equal(unchanged.status, 304)
  const other = await ask('reader', ['-H', 'if-match: "other"', `${url}/a`])
  t.equal(other.status, 412)

  const list = await ask('reader', [`${url}/?list-type=2&prefix=a`])
  t.match(list.body.toString(), /<Key>a<\/Key>/)
  t.equal((await ask('nobody', [`${url}/?list-type=2`])).status, 403)
  t.equal((await ask('reader', ['-X', 'DELETE', `${url}/a`])).status, 403)
  t.equal((await ask('writer', ['-X', 'DELETE', `${url}/a`])).status, 204)
  t.equal((await ask('reader', [`${url}/a`])).status, 404)

  const { status, body } = await curl([...asUser(users.writer.accessToken), `${url}/a`])
  t.equal(status, 401, 'an access token alone is nothing to an identity pool')
  t.match(body.toString(), /"id_token_required"/)
  const both = ['-H', `x-poolgate-id-token: ${users.reader.idToken}`, `${url}/?list-type=2`]
  t.equal((await curl([...asUser(users.reader.accessToken), ...both])).status, 200)
  t.equal((await curl([...asUser(users.nobody.accessToken), ...both])).status, 401, "another's")
}

const TEN = '0123456789'

async function s3BySdk(t: Test, { origin, moto, users }: Parts) {
  const of = (user: User) =>
    new S3({
      // The last segment of the route's path is the bucket's name, as the SDK writes it.
      ...bearerSdk(`${origin}/s3`, moto.region, users[user].idToken),
      forcePathStyle: true,
    })
  const at = { Bucket: 'files', Key: 'sdk/ü 1.txt' }
  await t.rejects(of('reader').putObject({ ...at, Body: TEN }), { name: 'AccessDenied' })
  const { ETag } = await of('writer').putObject({ ...at, Body: TEN, Metadata: { by: 'sdk' } })
  const got = await of('reader').getObject({ ...at, Range: 'bytes=0-1' })
  t.equal(await got.Body?.transformToString(), '01')
  t.strictSame([got.ETag, got.Metadata], [ETag, { by: 'sdk' }])
  const list = await of('reader').listObjectsV2({ Bucket: 'files' })
  t.strictSame(
    list.Contents?.map(({ Key }) => Key),
    [at.Key],
  )
  t.equal((await of('reader').headObject(at)).ContentLength, 10)
  await t.rejects(of('nobody').getObject(at), { name: 'AccessDenied' })
  await of('writer').deleteObject(at)
  await t.rejects(of('reader').getObject(at), { name: 'NoSuchKey' })
}

async function dynamo(t: Test, { origin, moto, users }: Parts) {
  const of = (user: User) =>
    new DynamoDB(bearerSdk(`${origin}/table`, moto.region, users[user].idToken))
  const note = (at: number) => ({ owner: { S: 'jane' }, at: { N: String(at) }, text: { S: 'é' } })
  const TableName = 'notes'
  for (const at of [1, 2, 3]) await of('writer').putItem({ TableName, Item: note(at) })
  await t.rejects(of('reader').putItem({ TableName, Item: note(4) }))
  const Key = { owner: { S: 'jane' }, at: { N: '2' } }
  t.strictSame((await of('reader').getItem({ TableName, Key })).Item, note(2))
  const query = {
    TableName,
    KeyConditionExpression: '#o = :o AND #a > :a',
    ExpressionAttributeNames: { '#o': 'owner', '#a': 'at' },
    ExpressionAttributeValues: { ':o': { S: 'jane' }, ':a': { N: '1' } },
  }
  t.strictSame((await of('reader').query(query)).Items, [note(2), note(3)])
  await t.rejects(of('nobody').query(query))

  const byCurl = (user: User, action: string, body: object) =>
    curl([
      ...asUser(users[user].idToken),
      ...['-H', `x-amz-target: DynamoDB_20120810.${action}`],
      ...['-H', 'content-type: application/x-amz-json-1.0'],
      ...['-d', JSON.stringify(body), `${origin}/table/`],
    ])
  const got = await byCurl('reader', 'GetItem', { TableName, Key })
  t.strictSame(JSON.parse(got.body.toString()), { Item: note(2) })
  t.equal((await byCurl('reader', 'PutItem', { TableName, Item: note(5) })).status, 403)
}

async function lambda(t: Test, { origin, moto, users }: Parts) {
  const writer = asUser(users.writer.idToken)
  await moto.answerLambdas([
    JSON.stringify({
      statusCode: 201,
      headers: { 'content-type': 'text/plain', 'x-made-by': 'hello' },
      cookies: ['a=1'],
      body: Buffer.from('made').toString('base64'),
      isBase64Encoded: true,
    }),
  ])
  const made = await curl([...writer, '-d', 'body', `${origin}/hello/things/1?x=y&x=z`])
  t.equal(made.status, 201)
  t.equal(made.body.toString(), 'made')
  t.match(made.headers, {
    'content-type': 'text/plain',
    'x-made-by': 'hello',
    'set-cookie': 'a=1',
  })
  const echo = await curl([...writer, '-d', 'body', `${origin}/hello/things/1?x=y&x=z`])
  t.equal(echo.status, 200, 'without an answer of its own a function here says what it was told')
  t.match(JSON.parse(echo.body.toString()), {
    version: '2.0',
    rawPath: '/things/1',
    rawQueryString: 'x=y&x=z',
    requestContext: { http: { method: 'POST', path: '/things/1' } },
    isBase64Encoded: Boolean,
  })
  const refused = await curl([...asUser(users.reader.idToken), `${origin}/hello/things/1`])
  t.equal(refused.status, 403, 'whose role may not invoke')

  const sdk = (user: User) =>
    new Lambda(bearerSdk(`${origin}/lambda`, moto.region, users[user].idToken))
  const { Payload } = await sdk('writer').invoke({ FunctionName: 'hello', Payload: '{"a":1}' })
  t.equal(Payload?.transformToString(), '{"a":1}')
  await t.rejects(sdk('reader').invoke({ FunctionName: 'hello', Payload: '{}' }))
}

async function callers(t: Test, { origin, moto, users }: Parts) {
  for (const user of ['reader', 'writer', 'nobody'] as const) {
    const { sub, idToken } = users[user]
    const arn = `arn:aws:sts::123456789012:assumed-role/${user}/${sub}`
    const sts = new STS(bearerSdk(`${origin}/sts`, moto.region, idToken))
    t.equal((await sts.getCallerIdentity()).Arn, arn)
    const form = 'Action=GetCallerIdentity&Version=2011-06-15'
    const { body } = await curl([...asUser(idToken), '-d', form, `${origin}/sts/`])
    t.ok(body.includes(`<Arn>${arn}</Arn>`))
  }
}
