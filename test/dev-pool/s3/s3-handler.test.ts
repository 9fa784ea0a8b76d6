// The stand-in for S3: only what is signed with credentials that were given, and only what their role may. By AWS's own client, and by requests
// that are signed here and then bent.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { S3 } from '@aws-sdk/client-s3'
import t, { type Test } from 'tap'
import { toCanonicalTarget } from '../../../src/aws/canonical-target.ts'
import { createSigner } from '../../../src/aws/sigv4.ts'
import { startDevPool } from '../../../src/dev-pool/dev-pool.ts'
import {
  createIssuedCredentials,
  type Issued,
} from '../../../src/dev-pool/identity/issued-credentials.ts'
import { startS3StandIn } from '../../../src/dev-pool/s3/s3-stand-in.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { realClock } from '../../support/real-clock.ts'
import { sendRaw } from '../../support/raw-client.ts'

const ADMIN = 'arn:aws:iam::123456789012:role/admin'
const USER = 'arn:aws:iam::123456789012:role/user'
const UNSIGNED = 'UNSIGNED-PAYLOAD'
const TRAILED = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'

async function start(
  t: Test,
  {
    maxBytes,
    clock = createFakeClock(),
  }: { maxBytes?: number; clock?: ReturnType<typeof createFakeClock> } = {},
) {
  const credentials = createIssuedCredentials(clock)
  const s3 = await startS3StandIn({
    clock,
    port: 0,
    find: credentials.find,
    adminRole: () => ADMIN,
    maxBytes,
    onFault: (error) => t.fail(String(error)),
  })
  t.teardown(s3.stop)
  const give = (roleArn: string, tags = {}) =>
    credentials.issue({ identityId: 'eu-west-1:x', roleArn, tags })
  return {
    clock,
    s3,
    admin: give(ADMIN),
    alice: give(USER, { username: 'alice' }),
    bob: give(USER, { username: 'bob' }),
    guest: give(USER),
    give,
    ...createSender(s3, clock),
  }
}

interface Sent {
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
  readonly payloadHash?: string
  /** Signed at another time. */
  readonly atMs?: number
  /** Bends what was signed. */
  readonly bend?: (headers: Record<string, string>) => Record<string, string>
  /** Is sent in place of what was signed. */
  readonly sentTarget?: string
  readonly region?: string
}

function createSender({ origin }: { origin: string }, clock: { now(): number }) {
  const send = async (who: Issued, method: string, target: string, sent: Sent = {}) => {
    const { body, payloadHash = UNSIGNED, atMs = clock.now(), bend = (same) => same } = sent
    const { path = '', parameters = [] } = toCanonicalTarget(target) ?? {}
    const { host } = new URL(origin)
    const sign = createSigner({ service: 's3', region: sent.region ?? 'eu-west-1' })
    const signed = await sign(
      {
        method,
        path,
        parameters,
        headers: { host, ...sent.headers },
        body: undefined,
        payloadHash,
      },
      who,
      atMs,
    )
    const { host: _, ...headers } = bend({ ...signed })
    return fetch(origin + (sent.sentTarget ?? target), { method, headers, ...(body && { body }) })
  }
  const statusOf = async (...given: Parameters<typeof send>) => {
    const answer = await send(...given)
    const code = /<Code>(\w+)<\/Code>/.exec(await answer.text())?.[1]
    return code === undefined ? answer.status : `${answer.status} ${code}`
  }
  return { send, statusOf }
}

const hex = (text: string | Buffer) => createHash('sha256').update(text).digest('hex')

t.test(
  "AWS's own client works with credentials of the identity pool, through the policies",
  async (t) => {
    const pool = await startDevPool({ clock: realClock, port: 0 })
    const { find, roleOf, loginKey, id } = pool.identityPool
    const adminRole = () => roleOf('admins')
    const standIn = await startS3StandIn({ clock: realClock, port: 0, find, adminRole })
    t.teardown(() => Promise.all([pool.stop(), standIn.stop()]))
    const { CognitoIdentity } = await import('@aws-sdk/client-cognito-identity')
    const identity = new CognitoIdentity({ endpoint: pool.origin, region: 'eu-west-1' })
    const clientOf = async (username: string) => {
      const Logins = { [loginKey]: await pool.mint(username, { use: 'id' }) }
      const { IdentityId } = await identity.getId({ IdentityPoolId: id, Logins })
      const { Credentials } = await identity.getCredentialsForIdentity({ IdentityId, Logins })
      const { AccessKeyId = '', SecretKey = '', SessionToken = '' } = Credentials ?? {}
      const s3 = new S3({
        endpoint: standIn.origin,
        region: standIn.region,
        forcePathStyle: true,
        maxAttempts: 1,
        credentials: {
          accessKeyId: AccessKeyId,
          secretAccessKey: SecretKey,
          sessionToken: SessionToken,
        },
      })
      t.teardown(() => s3.destroy())
      return s3
    }
    const sub = pool.users().find(({ username }) => username === 'reader')?.sub
    const Bucket = standIn.bucket
    const mine = { Bucket, Key: `users/${sub}/über (1)+a&b=c.txt` }
    const reader = await clientOf('reader')
    const put = await reader.putObject({
      ...mine,
      Body: 'text',
      ContentType: 'text/plain',
      Metadata: { a: 'b' },
    })
    t.equal(put.ETag, `"${createHash('md5').update('text').digest('hex')}"`)
    const got = await reader.getObject(mine)
    t.equal(await got.Body?.transformToString(), 'text')
    t.match(got, {
      ContentType: 'text/plain',
      Metadata: { a: 'b' },
      ETag: put.ETag,
      ContentLength: 4,
    })
    t.match(await reader.headObject(mine), { ContentLength: 4, ETag: put.ETag })
    const list = await reader.listObjectsV2({ Bucket, Prefix: `users/${sub}/` })
    t.match(list.Contents, [{ Key: mine.Key, Size: 4, ETag: put.ETag }])
    const stream = Readable.from([Buffer.alloc(70_000, 'a'), Buffer.alloc(70_000, 'b')])
    await reader.putObject({ ...mine, Body: stream, ContentLength: 140_000 })
    t.equal((await reader.headObject(mine)).ContentLength, 140_000, 'in chunks, too')

    const guest = await clientOf('guest')
    await t.rejects(guest.getObject(mine), { name: 'AccessDenied' }, "nobody else's")
    await t.rejects(guest.putObject({ ...mine, Body: '' }), { name: 'AccessDenied' })
    await t.rejects(guest.listObjectsV2({ Bucket, Prefix: 'users/' }), { name: 'AccessDenied' })
    const admin = await clientOf('admin')
    t.equal((await admin.getObject(mine)).ContentLength, 140_000)
    await t.resolves(admin.headBucket({ Bucket }))
    await reader.deleteObject(mine)
    await t.rejects(reader.getObject(mine), { name: 'NoSuchKey' })
    await t.rejects(reader.getObject({ Bucket: 'others', Key: 'a' }), { name: 'NoSuchBucket' })
  },
)

t.test('a role decides what may be done, and where', async (t) => {
  const { statusOf, alice, admin, guest, give } = await start(t)
  const cases: [Issued, string, string, number | string][] = [
    [alice, 'PUT', 'users/alice/a', 200],
    [alice, 'GET', 'users/alice/a', 200],
    [alice, 'GET', 'users/alice/missing', '404 NoSuchKey'],
    [alice, 'PUT', 'users/alice', '403 AccessDenied'],
    [alice, 'PUT', 'users/alicea/a', '403 AccessDenied'],
    [alice, 'PUT', 'users/bob/a', '403 AccessDenied'],
    [alice, 'GET', 'users/bob/a', '403 AccessDenied'],
    [alice, 'DELETE', 'users/bob/a', '403 AccessDenied'],
    [alice, 'PUT', 'Users/alice/a', '403 AccessDenied'],
    [alice, 'PUT', 'a', '403 AccessDenied'],
    [alice, 'GET', 'public/welcome.txt', 200],
    [alice, 'PUT', 'public/a', '403 AccessDenied'],
    [alice, 'DELETE', 'public/welcome.txt', '403 AccessDenied'],
    [alice, 'GET', '?list-type=2', '403 AccessDenied'],
    [alice, 'GET', '?list-type=2&prefix=users/', '403 AccessDenied'],
    [alice, 'GET', '?list-type=2&prefix=users/alice/', 200],
    [alice, 'GET', '?list-type=2&prefix=public/', 200],
    [guest, 'GET', 'public/welcome.txt', 200],
    [guest, 'HEAD', 'public/welcome.txt', 200],
    [guest, 'PUT', 'public/welcome.txt', '403 AccessDenied'],
    [guest, 'PUT', 'users/undefined/a', '403 AccessDenied'],
    [guest, 'PUT', 'users//a', '403 AccessDenied'],
    [give(USER, { username: 'a/b' }), 'PUT', 'users/a/b/c', '403 AccessDenied'],
    [give(USER, { username: '' }), 'PUT', 'users//a', '403 AccessDenied'],
    [admin, 'PUT', 'anywhere', 200],
    [admin, 'GET', 'users/alice/a', 200],
    [admin, 'GET', '?list-type=2', 200],
    [admin, 'HEAD', '', 200],
    [alice, 'DELETE', 'users/alice/a', 204],
    [alice, 'DELETE', 'users/alice/a', 204],
    [alice, 'GET', 'users/alice/a', '404 NoSuchKey'],
  ]
  for (const [who, method, key, expected] of cases) {
    const sent = method === 'PUT' ? { body: 'x' } : {}
    t.equal(await statusOf(who, method, `/dev-files/${key}`, sent), expected, `${method} ${key}`)
  }
})

t.test('a signature is of this request, this time and these credentials', async (t) => {
  const { statusOf, send, alice, bob, clock } = await start(t)
  const target = '/dev-files/users/alice/a'
  const put = (sent: Sent) => statusOf(alice, 'PUT', target, { body: 'x', ...sent })
  t.equal(await put({}), 200)
  const with_ = (changes: Record<string, string>) => (headers: Record<string, string>) => ({
    ...headers,
    ...changes,
  })
  const bent = (from: string | RegExp, to: string) => (headers: Record<string, string>) => ({
    ...headers,
    authorization: (headers.authorization ?? '').replace(from, to),
  })
  const without = (name: string) => (headers: Record<string, string>) => {
    const { [name]: _, ...rest } = headers
    return rest
  }
  const cases: [string, Sent, string | number][] = [
    ['another path', { sentTarget: '/dev-files/users/alice/b' }, '403 SignatureDoesNotMatch'],
    ['another query', { sentTarget: `${target}?x-id=PutObject` }, '403 SignatureDoesNotMatch'],
    [
      'a signed field',
      { headers: { 'x-amz-meta-a': 'b' }, bend: with_({ 'x-amz-meta-a': 'c' }) },
      '403 SignatureDoesNotMatch',
    ],
    ['an unsigned one', { headers: { 'x-amz-meta-a': 'b' }, bend: with_({ accept: 'c' }) }, 200],
    ['an unsigned one of AWS', { bend: with_({ 'x-amz-acl': 'public-read' }) }, '403 AccessDenied'],
    ['a digit', { bend: bent(/.$/, 'z') }, '400 AuthorizationHeaderMalformed'],
    [
      'the signature',
      { bend: bent(/Signature=.*/, `Signature=${'0'.repeat(64)}`) },
      '403 SignatureDoesNotMatch',
    ],
    ['host left out', { bend: bent('host;', '') }, '403 AccessDenied'],
    ['another day', { bend: bent(/\/\d{8}\//, '/20200101/') }, '403 AccessDenied'],
    ['another region', { region: 'us-east-1' }, '400 AuthorizationHeaderMalformed'],
    ['nobody knows the key', { bend: bent(/ASIA\w{4}/, 'ASIA0000') }, '403 InvalidAccessKeyId'],
    ["another's key", { bend: bent(alice.accessKeyId, bob.accessKeyId) }, '400 InvalidToken'],
    [
      "another's token",
      { bend: with_({ 'x-amz-security-token': bob.sessionToken }) },
      '400 InvalidToken',
    ],
    ['no token', { bend: without('x-amz-security-token') }, '400 InvalidToken'],
    ['no date', { bend: without('x-amz-date') }, '403 AccessDenied'],
    ['no date that is one', { bend: with_({ 'x-amz-date': 'now' }) }, '403 AccessDenied'],
    ['no hash', { bend: without('x-amz-content-sha256') }, '400 InvalidRequest'],
    ['no signature at all', { bend: without('authorization') }, '403 AccessDenied'],
    [
      'a bearer',
      { bend: with_({ authorization: 'Bearer x' }) },
      '400 AuthorizationHeaderMalformed',
    ],
    ['15 minutes ago', { atMs: clock.now() - 900_000 }, 200],
    ['longer ago', { atMs: clock.now() - 901_000 }, '403 RequestTimeTooSkewed'],
    ['in 15 minutes', { atMs: clock.now() + 900_000 }, 200],
    ['later', { atMs: clock.now() + 901_000 }, '403 RequestTimeTooSkewed'],
  ]
  for (const [about, sent, expected] of cases) t.equal(await put(sent), expected, about)
  for (const odd of ['a%2Fb', 'a%2520b', '~!()*', "'", 'a+b', '%F0%9F%8D%B5', 'a//b', '..b']) {
    t.equal(await statusOf(alice, 'PUT', `/dev-files/users/alice/${odd}`, { body: 'x' }), 200, odd)
  }
  const refusal = await send(alice, 'PUT', target, { sentTarget: `${target}&`, body: 'x' })
  const text = await refusal.text()
  t.match(text, /^<\?xml version="1.0" encoding="UTF-8"\?>\n<Error><Code>SignatureDoesNotMatch</)
  t.match(
    text,
    /<CanonicalRequest>PUT\n\/dev-files\/users\/alice\/a%26\n\nhost:127/,
    'it tells why',
  )
  t.match(text, `<AWSAccessKeyId>${alice.accessKeyId}<`)
  t.notMatch(text, alice.secretAccessKey)
  const raw = await sendRaw(
    new URL(refusal.url).origin,
    'GET /dev-files/public/welcome.txt HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n',
  )
  t.match(raw.text, /^HTTP\/1\.1 403 [\s\S]*not meant for loopback/)

  await clock.advance(3_599_000)
  t.equal(await put({}), 200)
  await clock.advance(1_000)
  t.equal(await put({}), '400 ExpiredToken')
})

t.test('a body is what its sender said', async (t) => {
  const { statusOf, send, alice } = await start(t)
  const target = '/dev-files/users/alice/a'
  const put = (body: string, payloadHash: string, headers: Record<string, string> = {}) =>
    statusOf(alice, 'PUT', target, { body, payloadHash, headers })
  t.equal(await put('text', hex('text')), 200)
  t.equal(await put('text', hex('test')), '400 XAmzContentSHA256Mismatch')
  t.equal(await put('text', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'), '501 NotImplemented')
  const md5 = (text: string) => createHash('md5').update(text).digest('base64')
  t.equal(await put('text', UNSIGNED, { 'content-md5': md5('text') }), 200)
  t.equal(await put('text', UNSIGNED, { 'content-md5': md5('test') }), '400 BadDigest')
  const sums = {
    crc32: 'O4unxw==',
    sha256: Buffer.from(hex('text'), 'hex').toString('base64'),
    sha1: createHash('sha1').update('text').digest('base64'),
  }
  for (const [name, sum] of Object.entries(sums)) {
    const field = `x-amz-checksum-${name}`
    t.equal(await put('text', UNSIGNED, { [field]: sum }), 200, name)
    t.equal(await put('test', UNSIGNED, { [field]: sum }), '400 BadDigest', name)
  }
  const trailed = (raw: string, length: number, headers: Record<string, string> = {}) =>
    put(raw, TRAILED, { 'x-amz-decoded-content-length': String(length), ...headers })
  const announced = { 'x-amz-trailer': 'x-amz-checksum-crc32' }
  const coded = { ...announced, 'content-encoding': 'aws-chunked' }
  const trailer = `x-amz-checksum-crc32:${sums.crc32}\r\n\r\n`
  t.equal(await trailed(`2\r\nte\r\n2\r\nxt\r\n0\r\n${trailer}`, 4, coded), 200)
  const got = await send(alice, 'GET', target)
  t.equal(await got.text(), 'text')
  t.equal(got.headers.get('content-encoding'), null)
  t.equal(await trailed('4\r\ntext\r\n0\r\n\r\n', 4), 200)
  t.equal(await trailed(`4\r\ntest\r\n0\r\n${trailer}`, 4, coded), '400 BadDigest')
  t.equal(await trailed('4\r\ntext\r\n0\r\n\r\n', 4, coded), '400 BadDigest', 'announced, missing')
  for (const raw of [
    '',
    'text',
    '4\r\ntext\r\n',
    '5\r\ntext\r\n0\r\n\r\n',
    '4\r\ntext\r\n0\r\n',
    '4;x=y\r\ntext\r\n0\r\n\r\n',
    '-4\r\ntext\r\n0\r\n\r\n',
    '4\r\ntext\r\n0\r\nx\r\n\r\n',
  ]) {
    t.equal(await trailed(raw, 4), '400 IncompleteBody', JSON.stringify(raw))
  }
  t.equal(await trailed('4\r\ntext\r\n0\r\n\r\n', 3), '400 IncompleteBody')
  t.equal(await trailed('4\r\ntext\r\n0\r\n\r\n', 5), '400 IncompleteBody')
  t.equal(await put('4\r\ntext\r\n0\r\n\r\n', TRAILED), '411 MissingContentLength')
})

t.test('an object is read whole, in part, or not at all', async (t) => {
  const { send, statusOf, alice, clock } = await start(t)
  const target = '/dev-files/users/alice/a'
  const headers = { 'content-type': 'text/plain', 'x-amz-meta-a': 'b' }
  const stored = await send(alice, 'PUT', target, { body: '0123456789', headers })
  const etag = stored.headers.get('etag') ?? ''
  const get = (headers: Record<string, string>, method = 'GET') =>
    send(alice, method, target, { bend: (signed) => ({ ...signed, ...headers }) })
  for (const [range, status, body, part] of [
    ['bytes=0-3', 206, '0123', '0-3'],
    ['bytes=9-', 206, '9', '9-9'],
    ['bytes=8-99', 206, '89', '8-9'],
    ['bytes=-3', 206, '789', '7-9'],
    ['bytes=-99', 206, '0123456789', '0-9'],
    ['bytes=3-2', 200, '0123456789', undefined],
    ['bytes=0-1,3-4', 200, '0123456789', undefined],
    ['lines=1-2', 200, '0123456789', undefined],
    ['bytes=-', 200, '0123456789', undefined],
  ] as const) {
    const answer = await get({ range })
    t.equal(answer.status, status, range)
    t.equal(await answer.text(), body, range)
    t.equal(answer.headers.get('content-range'), part ? `bytes ${part}/10` : null)
  }
  for (const range of ['bytes=10-', 'bytes=-0']) {
    const answer = await get({ range })
    t.equal(answer.status, 416, range)
    t.match(await answer.text(), /<Code>InvalidRange<.*<ActualObjectSize>10</)
  }
  for (const [condition, status] of [
    [{ 'if-none-match': etag }, 304],
    [{ 'if-none-match': `"x", ${etag}` }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"x"' }, 200],
    [{ 'if-match': etag }, 200],
    [{ 'if-match': '"x"' }, 412],
  ] as const) {
    const answer = await get(condition)
    t.equal(answer.status, status, JSON.stringify(condition))
    await answer.text()
  }
  const head = await get({}, 'HEAD')
  t.equal(head.headers.get('content-length'), '10')
  t.equal(head.headers.get('content-type'), 'text/plain')
  t.equal(head.headers.get('x-amz-meta-a'), 'b')
  t.equal(head.headers.get('etag'), etag)
  t.equal(head.headers.get('last-modified'), new Date(clock.now()).toUTCString())
  t.equal(await head.text(), '')
  const missing = await send(alice, 'HEAD', `${target}b`)
  t.equal(missing.status, 404)
  t.equal(await missing.text(), '')
  const putIf = (headers: Record<string, string>) =>
    statusOf(alice, 'PUT', target, { body: 'new', bend: (signed) => ({ ...signed, ...headers }) })
  t.equal(await putIf({ 'if-none-match': '*' }), '412 PreconditionFailed')
  t.equal(await putIf({ 'if-match': '"x"' }), '412 PreconditionFailed')
  t.equal(await putIf({ 'if-match': etag }), 200)
  t.equal(await putIf({ 'if-match': etag }), '412 PreconditionFailed')
})

t.test('a list has keys in order, folders as one, page by page', async (t) => {
  const { send, statusOf, admin } = await start(t)
  for (const key of ['b/1', 'b/2', 'a', 'b.txt', 'é', 'z/', 'x & <y>', '\u{1F375}', '\uFF5E']) {
    t.equal(
      await statusOf(admin, 'PUT', `/dev-files/l/${encodeURIComponent(key)}`, { body: 'x' }),
      200,
    )
  }
  const list = async (query: string) => {
    const text = await (await send(admin, 'GET', `/dev-files?list-type=2&${query}`)).text()
    const all = (name: string) =>
      [...text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map((m) => m[1])
    return {
      keys: all('Key'),
      prefixes: all('Prefix'),
      next: all('NextContinuationToken')[0],
      count: all('KeyCount')[0],
      isTruncated: all('IsTruncated')[0],
      text,
    }
  }
  const whole = await list('prefix=l/')
  t.same(whole.keys, [
    'l/a',
    'l/b.txt',
    'l/b/1',
    'l/b/2',
    'l/x &amp; &lt;y&gt;',
    'l/z/',
    'l/é',
    'l/\uFF5E',
    'l/\u{1F375}',
  ])
  t.match(whole, { count: '9', isTruncated: 'false', next: undefined })
  t.match(
    whole.text,
    '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>dev-files<',
  )
  const folders = await list('prefix=l/&delimiter=/')
  t.same(folders.prefixes, ['l/', 'l/b/', 'l/z/'])
  t.equal(folders.keys.length, 6)
  t.equal((await list('prefix=l/b&delimiter=/')).count, '2')
  const encoded = await list('prefix=l/x&encoding-type=url')
  t.same(encoded.keys, ['l%2Fx%20%26%20%3Cy%3E'])
  t.same((await list('prefix=l/&start-after=l/z/')).keys, ['l/é', 'l/\uFF5E', 'l/\u{1F375}'])
  t.same((await list('prefix=l/&delimiter=/&start-after=l/b/1')).prefixes, ['l/', 'l/b/', 'l/z/'])
  const seen: (string | undefined)[] = []
  let token: string | undefined
  let pages = 0
  do {
    const page = await list(
      `prefix=l/&delimiter=/&max-keys=3${token ? `&continuation-token=${token}` : ''}`,
    )
    seen.push(...page.keys, ...page.prefixes.slice(1))
    token = page.next
    t.equal(page.isTruncated, String(token !== undefined))
    pages += 1
  } while (token !== undefined)
  t.equal(pages, 3)
  t.same([...seen].sort(), [...folders.keys, 'l/b/', 'l/z/'].sort())
  t.match(await list('max-keys=0'), { count: '0', isTruncated: 'false' })
  for (const wrong of ['max-keys=x', 'max-keys=-1', 'continuation-token=x']) {
    t.match((await list(wrong)).text, /<Code>InvalidArgument</, wrong)
  }
})

t.test('there is room for so much, counted with its names, and given back', async (t) => {
  const { statusOf, admin } = await start(t, { maxBytes: 8192 })
  const put = (key: string, bytes: number) =>
    statusOf(admin, 'PUT', `/dev-files/${key}`, {
      body: Buffer.alloc(bytes, 'x'),
    })
  const full = '400 EntityTooLarge'
  t.equal(await put('a', 8192), full)
  t.equal(await put('a', 5000), 200)
  t.equal(await put('b', 5000), full)
  t.equal(await put('b', 76), full)
  t.equal(await put('b', 75), 200, 'to the last byte')
  t.equal(await statusOf(admin, 'DELETE', '/dev-files/a'), 204)
  t.equal(await put('b', 5000), 200)
  t.equal(await statusOf(admin, 'DELETE', '/dev-files/b'), 204)
  for (let i = 0; i < 20; i++)
    t.equal(
      await statusOf(admin, 'PUT', '/dev-files/c', { body: 'x', payloadHash: hex('y') }),
      '400 XAmzContentSHA256Mismatch',
    )
  t.equal(await put('c', 5000), 200, 'what was refused takes no room')
  t.equal(await put('k'.repeat(1025), 1), '400 KeyTooLongError')
})

t.test('what it does not do it says', async (t) => {
  const { statusOf, admin } = await start(t)
  for (const [method, target, expected] of [
    ['GET', '/', '501 NotImplemented'],
    ['GET', '/dev-files', '501 NotImplemented'],
    ['PUT', '/dev-files', '501 NotImplemented'],
    ['GET', '/dev-files?list-type=2&versions', '501 NotImplemented'],
    ['GET', '/dev-files?acl', '501 NotImplemented'],
    ['GET', '/dev-files/a?tagging', '501 NotImplemented'],
    ['POST', '/dev-files/a?uploads', '501 NotImplemented'],
    ['POST', '/dev-files/a', '405 MethodNotAllowed'],
    ['PATCH', '/dev-files/a', '405 MethodNotAllowed'],
    ['GET', '/other/a', '404 NoSuchBucket'],
  ] as const) {
    t.equal(await statusOf(admin, method, target), expected, `${method} ${target}`)
  }
  const headers = { 'x-amz-copy-source': '/dev-files/public/welcome.txt' }
  t.equal(
    await statusOf(admin, 'PUT', '/dev-files/a', { headers, body: 'x' }),
    '501 NotImplemented',
  )
})
