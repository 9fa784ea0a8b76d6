// S3 through Poolgate at MinIO, which verifies each signature over the path as it writes that path itself: every character in keys,
// large objects, uploads of the SDK.
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { type ListObjectsV2CommandOutput, S3 } from '@aws-sdk/client-s3'
import t, { type Test } from 'tap'
import { type AwsUser, createAwsStage, startAwsGateway } from '../support/aws-stage.ts'
import { bearerSdk } from '../support/bearer-sdk.ts'
import { curl, hasCurl } from '../support/curl.ts'
import { startGatewayProcess } from '../support/gateway-process.ts'
import { type Minio, minioProgram, NO_MINIO, startMinio } from '../support/minio.ts'
import { toolProgram } from '../support/tool-program.ts'

const CHARACTERS = [...' +!*\'();:@&=$,?#%[]~^`{|}<>"é漢😀ÿ']
const KEYS = [
  ...CHARACTERS.map((one) => `${one}start`),
  ...CHARACTERS.map((one) => `in${one}side/en${one}`),
  'two  spaces',
  ' both ends ',
  '%41%2B%252F',
  'a+b c%20d',
  CHARACTERS.join(''),
]
const MIB = 1024 * 1024

function whyNot(): string | false {
  if (!minioProgram()) return NO_MINIO
  return hasCurl() ? false : 'no curl here'
}

t.test('S3 at MinIO', { skip: whyNot() }, async (t) => {
  const minio = await startMinio(t)
  await directly(minio).createBucket({ Bucket: 'files' })
  const actions: Record<string, string[]> = {
    reader: ['s3:GetObject', 's3:ListBucket'],
    writer: ['s3:GetObject', 's3:ListBucket', 's3:PutObject', 's3:DeleteObject'],
  }
  const stage = await createAwsStage(t, {
    roles: {
      reader: 'arn:aws:iam::123456789012:role/reader',
      writer: 'arn:aws:iam::123456789012:role/writer',
    },
    assume: (role, sub) => minio.assume(actions[role.split('/')[1] ?? ''] ?? [], sub),
    upstreams: `
  files: {aws: {service: s3, identityPool: main, bucket: files, pathStyle: true, endpoint: '${minio.origin}'}}`,
    routes: `
  - {name: files, match: {path: /s3/files/*}, access: {tokenUse: any}, rewrite: {stripPrefix: /s3/files}, upstream: files}
  - {name: bucket, match: {path: /s3/files, methods: [GET, HEAD]}, access: {tokenUse: any}, rewrite: {stripPrefix: /s3/files}, upstream: files}`,
  })
  const { origin } = await startAwsGateway(t, stage)
  const { reader, writer } = stage.users
  await t.test('keys', (t) => keys(t, { origin, minio, reader, writer }))
  await t.test('uploads of the SDK', (t) => uploads(t, { origin, minio, reader, writer }))
  await t.test('what else S3 clients ask', (t) => others(t, { origin, minio, reader, writer }))
  const python = toolProgram('POOLGATE_MOTO_PYTHON', 'moto/bin/python')
  await t.test('boto3', { skip: python ? false : 'no boto3 here' }, (t) =>
    boto(t, origin, python ?? 'python3', writer),
  )
  await t.test('100 MiB', (t) => large(t, stage.config, writer))
})

interface Parts {
  readonly origin: string
  readonly minio: Minio
  readonly reader: AwsUser
  readonly writer: AwsUser
}

function directly({ origin, region, root }: Minio): S3 {
  return new S3({ endpoint: origin, region, credentials: root, forcePathStyle: true })
}

/** What is given beside it, as it is. */
const PUT = ['-X', 'PUT', '-H', 'content-type: text/plain', '--data-binary', '@-']

const asUser = ({ idToken }: AwsUser) => ['-H', `authorization: Bearer ${idToken}`]

/** Nothing but unreserved characters as themselves, as AWS's own SDKs write it. */
function strictly(key: string): string {
  return encodeURIComponent(key)
    .replaceAll('%2F', '/')
    .replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** As little as may be, in small letters, as people and browsers write it. */
function loosely(key: string): string {
  return encodeURI(key)
    .replace(/[?#[\]]/g, encodeURIComponent)
    .replace(/%[0-9A-F]{2}/g, (octet) => octet.toLowerCase())
}

async function keys(t: Test, { origin, minio, reader, writer }: Parts) {
  const url = `${origin}/s3/files`
  for (const [i, key] of KEYS.entries()) {
    const [one, other] = i % 2 ? [strictly, loosely] : [loosely, strictly]
    const put = await curl([...asUser(writer), ...PUT, `${url}/${one(key)}`], key)
    t.equal(put.status, 200, `${one(key)} is stored`)
    const got = await curl([...asUser(reader), `${url}/${other(key)}`])
    t.equal(got.body.toString(), key, `and comes back as ${other(key)}`)
    const prefix = encodeURIComponent(key)
    const list = await curl([
      ...asUser(reader),
      `${url}/?list-type=2&encoding-type=url&prefix=${prefix}`,
    ])
    t.equal(list.status, 200)
    t.match(list.body.toString(), /<KeyCount>1</, 'and is listed by its prefix')
  }
  const sorted = (listed: ListObjectsV2CommandOutput) =>
    listed.Contents?.map(({ Key }) => Key).sort()
  const Bucket = 'files'
  t.strictSame(sorted(await directly(minio).listObjectsV2({ Bucket })), [...KEYS].sort())
  const sdk = sdkOf({ origin, minio }, reader)
  t.strictSame(sorted(await sdk.listObjectsV2({ Bucket })), [...KEYS].sort(), 'to the SDK as well')
  for (const Key of KEYS) {
    const { Body } = await sdk.getObject({ Bucket, Key })
    t.equal(await Body?.transformToString(), Key)
  }
  const denied = await curl([
    ...asUser(reader),
    '-X',
    'DELETE',
    `${url}/${strictly('two  spaces')}`,
  ])
  t.equal(denied.status, 403, 'what the role may not do is refused by MinIO')
  const deleted = await curl([
    ...asUser(writer),
    '-X',
    'DELETE',
    `${url}/${strictly('two  spaces')}`,
  ])
  t.equal(deleted.status, 204)
  const rest = sorted(await directly(minio).listObjectsV2({ Bucket }))
  t.strictSame(rest, KEYS.filter((key) => key !== 'two  spaces').sort(), 'and nothing else is gone')
}

function sdkOf({ origin, minio }: Pick<Parts, 'origin' | 'minio'>, { idToken }: AwsUser): S3 {
  return new S3({ ...bearerSdk(`${origin}/s3`, minio.region, idToken), forcePathStyle: true })
}

async function uploads(t: Test, { origin, minio, writer }: Parts) {
  const sdk = sdkOf({ origin, minio }, writer)
  const body = randomBytes(3 * MIB)
  const at = { Bucket: 'files', Key: 'uploads/1' }
  await sdk.putObject({ ...at, Body: body })
  const whole = await sdk.getObject(at)
  t.ok(body.equals((await whole.Body?.transformToByteArray()) ?? new Uint8Array()), 'in one piece')
  const Body = Readable.from([body.subarray(0, MIB), body.subarray(MIB)])
  await sdk.putObject({ ...at, Key: 'uploads/2', Body, ContentLength: body.length })
  const streamed = await sdk.getObject({ ...at, Key: 'uploads/2' })
  t.ok(
    body.equals((await streamed.Body?.transformToByteArray()) ?? new Uint8Array()),
    'as a stream with its checksum behind it',
  )
}

async function others(t: Test, { origin, minio, reader, writer }: Parts) {
  const url = `${origin}/s3/files`
  const sdk = sdkOf({ origin, minio }, writer)
  const at = { Bucket: 'files', Key: 'in parts/é' }
  const { UploadId } = await sdk.createMultipartUpload(at)
  const sent = [randomBytes(5 * MIB), randomBytes(10)]
  const Parts = []
  for (const [i, Body] of sent.entries()) {
    const { ETag } = await sdk.uploadPart({ ...at, UploadId, PartNumber: i + 1, Body })
    Parts.push({ ETag, PartNumber: i + 1 })
  }
  await sdk.completeMultipartUpload({ ...at, UploadId, MultipartUpload: { Parts } })
  const range = ['-r', '5242870-', `${url}/${strictly(at.Key)}`]
  const end = await curl([...asUser(reader), ...range])
  t.equal(end.status, 206)
  t.ok(end.body.equals(Buffer.concat(sent).subarray(5_242_870)), 'an upload in parts')
  t.equal((await sdk.headObject(at)).ContentLength, 5 * MIB + 10)
  await t.rejects(sdk.headObject({ ...at, Key: 'none' }), { name: 'NotFound' })

  const once = { ...at, Body: 'once more', IfNoneMatch: '*' }
  await t.rejects(sdk.putObject(once), { name: 'PreconditionFailed' })
  const answers = await Promise.all([
    statusOf(sdk.copyObject({ ...at, CopySource: 'files/large' })),
    statusOf(sdk.deleteObjects({ Bucket: 'files', Delete: { Objects: [at] } })),
  ])
  t.strictSame(answers, [400, 400], 'keys that no route has matched are named by nobody')
  const refused = await curl([...asUser(reader), ...PUT, `${url}/large`], randomBytes(8 * MIB))
  t.equal(refused.status, 403, 'while it is still being sent')
  t.match(refused.body.toString(), /<Code>AccessDenied</)
  const signed = await curl([...asUser(reader), `${url}/a?X-Amz-Signature=1`])
  t.match(signed.body.toString(), /"aws_request_refused"/)
}

async function statusOf(asked: Promise<{ $metadata: { httpStatusCode?: number | undefined } }>) {
  const { $metadata } = await asked.catch((error) => error as Awaited<typeof asked>)
  return $metadata.httpStatusCode
}

/** boto3 has no signer to replace: its requests are unsigned, and the token is put on them last. It lists a bucket without a slash behind it. */
const BOTO = `
import boto3, io, json, os
from botocore import UNSIGNED
from botocore.config import Config

config = Config(signature_version=UNSIGNED, s3={'addressing_style': 'path'})
s3 = boto3.client('s3', endpoint_url=os.environ['ENDPOINT'], region_name='eu-west-1', config=config)

def show_token(request, **_):
    request.headers['authorization'] = 'Bearer ' + os.environ['TOKEN']

s3.meta.events.register('before-send.s3', show_token)
s3.upload_fileobj(io.BytesIO(b'x' * (20 << 20)), 'files', 'boto/large')
s3.put_object(Bucket='files', Key='boto/a b+\u00fc', Body=b'text')
listed = s3.list_objects_v2(Bucket='files', Prefix='boto/')['Contents']
got = s3.get_object(Bucket='files', Key='boto/a b+\u00fc')['Body'].read().decode()
print(json.dumps({'sizes': {one['Key']: one['Size'] for one in listed}, 'got': got}))
`

async function boto(t: Test, origin: string, python: string, { idToken }: AwsUser) {
  const env = { ...process.env, ENDPOINT: `${origin}/s3`, TOKEN: idToken }
  const child = spawn(python, ['-c', BOTO], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.strictSame(JSON.parse((await text(child.stdout)) || '{}'), {
    sizes: { 'boto/a b+ü': 4, 'boto/large': 20 * MIB },
    got: 'text',
  })
}

async function large(t: Test, config: string, writer: AwsUser) {
  const gate = await startGatewayProcess(t, config)
  const url = `${gate.origin}/s3/files/large`
  const dir = t.testdir({})
  const file = join(dir, 'sent')
  writeFileSync(file, randomBytes(100 * MIB))
  const sent = await sha256(file)
  // The exchange, and what any stream takes, come before memory is measured.
  const warm = randomBytes(16 * MIB)
  t.equal((await curl([...asUser(writer), ...PUT, url], warm)).status, 200)
  t.ok(warm.equals((await curl([...asUser(writer), url])).body))
  const before = gate.peakMemory()
  const startedMs = performance.now()
  t.equal((await curl([...asUser(writer), '-T', file, url])).status, 200)
  const putMs = performance.now() - startedMs
  const copy = join(dir, 'got')
  t.equal((await curl([...asUser(writer), '-o', copy, url])).status, 200)
  const getMs = performance.now() - startedMs - putMs
  t.equal(statSync(copy).size, 100 * MIB)
  t.equal(await sha256(copy), sent, 'every byte there and back')
  const end = await curl([...asUser(writer), '-r', `-${MIB}`, url])
  t.equal(end.headers['content-range'], `bytes ${99 * MIB}-${100 * MIB - 1}/${100 * MIB}`)
  t.equal((await curl([...asUser(writer), '-X', 'DELETE', url])).status, 204)
  const grown = (gate.peakMemory() - before) / MIB
  t.comment(
    `put ${Math.round(putMs)} ms, get ${Math.round(getMs)} ms, ${grown.toFixed(1)} MiB more`,
  )
  t.ok(grown <= 64, `memory grew by ${grown.toFixed(1)} MiB`)
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}
