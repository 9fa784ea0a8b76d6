// What goes to AWS of a request's fields, and what makes a request one that is not signed: each rule from both sides.
import t from 'tap'
import { type CanonicalTarget, toCanonicalTarget } from '../../src/aws/canonical-target.ts'
import {
  type FieldRules,
  findRefusal,
  payloadHashOf,
  saysLength,
  toAwsFields,
} from '../../src/aws/request-fields.ts'

const S3: FieldRules = { isS3: true, isApplication: false, otherKeys: false, actions: undefined }
const TABLE: FieldRules = { ...S3, isS3: false }
const API: FieldRules = { ...TABLE, isApplication: true }
const TRAILED = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'

/** Where a field went: signed, sent, or dropped. */
function fateOf(name: string, rules: FieldRules, hidden: readonly string[] = []): string {
  const { signed, lines } = toAwsFields([name, 'v'], rules, new Set(hidden))
  if (Object.keys(signed).length > 0) return lines.length > 0 ? 'both' : 'signed'
  return lines.length > 0 ? 'sent' : 'dropped'
}

t.test('whatever says who asks and when is dropped, in any case, for every service', async (t) => {
  for (const name of [
    'Host',
    'Authorization',
    'COOKIE',
    'Date',
    'X-Amz-Date',
    'X-Amz-Security-Token',
    'X-Amz-Content-Sha256',
    'X-Amz-User-Agent',
    'X-Amz-S3session-Token',
  ])
    for (const rules of [S3, TABLE, API]) t.equal(fateOf(name, rules), 'dropped', name)
})

t.test('the caller’s context goes to an application, and to nothing of AWS’s own', async (t) => {
  for (const name of [
    'X-Auth-Subject',
    'x-forwarded-for',
    'X-Poolgate-Id-Token',
    'Amz-Sdk-Request',
    'forwarded',
    'via',
    'x-request-id',
    'x-real-ip',
    'origin',
    'referer',
  ]) {
    t.equal(fateOf(name, S3), 'dropped', name)
    t.equal(fateOf(name, TABLE), 'dropped', name)
    t.equal(fateOf(name, API), 'sent', name)
  }
  for (const name of ['x-authority', 'accept', 'origins', 'if-match', 'range', 'user-agent'])
    t.equal(fateOf(name, S3), 'sent', name)
  t.equal(fateOf('X-Google-Token', API, ['x-google-token']), 'dropped', 'what was exchanged')
  t.equal(fateOf('x-amz-meta-me', S3, ['x-amz-meta-me']), 'dropped', 'even where it is signed')
})

t.test('what changes a request’s meaning is signed, the rest only sent', async (t) => {
  for (const [name, ofS3, ofOthers] of [
    ['content-type', 'signed', 'signed'],
    ['content-md5', 'signed', 'sent'],
    ['X-Amz-Target', 'signed', 'signed'],
    ['x-amz-meta-a', 'signed', 'signed'],
    ['x-amz-acl', 'signed', 'signed'],
    ['x-amzn-trace-id', 'sent', 'sent'],
    ['content-encoding', 'sent', 'sent'],
    ['content-length', 'sent', 'sent'],
  ] as const)
    t.same([fateOf(name, S3), fateOf(name, TABLE)], [ofS3, ofOthers], name)
  const { signed, lines } = toAwsFields(
    ['X-Amz-Meta-A', '1', 'Accept', 'a', 'x-amz-meta-a', '2', 'Accept', 'b', 'x-amz-x', ''],
    S3,
    new Set(),
  )
  t.same(signed, { 'x-amz-meta-a': '1,2', 'x-amz-x': '' }, 'lines of one name become one')
  t.same(lines, ['accept', 'a', 'accept', 'b'])
  const odd = toAwsFields(['x-amz-__proto__', 'a', 'x-amz-constructor', 'b'], S3, new Set())
  t.same(Object.keys(odd.signed), ['x-amz-__proto__', 'x-amz-constructor'])
})

t.test('another key than the path’s is named only where that is on', async (t) => {
  for (const name of ['x-amz-copy-source', 'x-amz-rename-source']) {
    t.equal(fateOf(name, { ...S3, otherKeys: true }), 'signed')
    t.match(refusalOf({ headers: [name.toUpperCase(), '/b/k'] }), /copies a key/)
    t.equal(refusalOf({ headers: [name, '/b/k'], rules: { ...S3, otherKeys: true } }), undefined)
  }
  const deleted = { method: 'POST', target: '/?delete' }
  t.match(refusalOf(deleted), /deletes keys/)
  t.match(refusalOf({ ...deleted, target: '/?x=1&DELETE=' }), /deletes keys/)
  t.match(refusalOf({ ...deleted, target: '/?d%65lete' }), /deletes keys/)
  t.equal(refusalOf({ ...deleted, rules: { ...S3, otherKeys: true } }), undefined)
  t.equal(refusalOf({ ...deleted, rules: TABLE }), undefined, 'S3 alone')
  t.equal(refusalOf({ ...deleted, method: 'GET' }), undefined)
  t.equal(refusalOf({ ...deleted, target: '/?deleted' }), undefined)
})

interface Request {
  readonly method?: string
  readonly target?: string
  readonly headers?: readonly string[]
  readonly rules?: FieldRules
}

function refusalOf({ method = 'GET', target = '/k', headers = [], rules = S3 }: Request) {
  return findRefusal(method, toCanonicalTarget(target) as CanonicalTarget, headers, rules)
}

t.test('what is signed already is not signed over', async (t) => {
  for (const name of [
    'X-Amz-Algorithm',
    'x-amz-credential',
    'X-AMZ-SIGNATURE',
    'X-Amz-Security-Token',
    'X-Amz-Date',
    'X-Amz-Expires',
    'X-Amz-SignedHeaders',
    'AWSAccessKeyId',
    'Signature',
    'X-Amz-Signatur%65',
  ])
    t.match(refusalOf({ target: `/k?a=1&${name}=x`, rules: API }), /presigned/, name)
  for (const name of ['x-amz-signatures', 'credential', 'partNumber', 'x-id', 'expires'])
    t.equal(refusalOf({ target: `/k?${name}=x` }), undefined, name)
  const hash = (value: string, rules: FieldRules) =>
    refusalOf({ headers: ['X-Amz-Content-Sha256', value], rules })
  t.match(hash('STREAMING-AWS4-HMAC-SHA256-PAYLOAD', S3), /chunk by chunk/)
  t.match(hash('STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', S3), /chunk by chunk/)
  t.match(hash('STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD', TABLE), /chunk by chunk/)
  t.equal(hash(TRAILED, S3), undefined)
  t.match(hash(TRAILED, TABLE), /chunk by chunk/)
  for (const value of ['UNSIGNED-PAYLOAD', 'a'.repeat(64)]) t.equal(hash(value, S3), undefined)
})

t.test('a field that is signed is ASCII, others are the service’s matter', async (t) => {
  const of = (name: string, value: string) => refusalOf({ headers: [name, value] })
  t.match(of('X-Amz-Meta-A', 'é'), /more than ASCII/)
  t.match(of('x-amz-meta-a', 'a\u0001'), /more than ASCII/)
  t.match(of('x-amz-meta-a', '\u007f'), /more than ASCII/)
  t.equal(of('x-amz-meta-a', ' ~\t'), undefined)
  t.equal(of('x-other', 'é'), undefined)
})

t.test('actions are those that are listed, all of them where none is', async (t) => {
  const rules = { ...TABLE, actions: ['DynamoDB_20120810.GetItem'] }
  const of = (value: string, all: FieldRules = rules) =>
    refusalOf({ method: 'POST', headers: ['X-AMZ-Target', value], rules: all })
  t.equal(of('DynamoDB_20120810.GetItem'), undefined)
  for (const value of ['DynamoDB_20120810.PutItem', 'dynamodb_20120810.getitem', '', ' '])
    t.match(of(value), /none of actions/, value)
  t.equal(of('DynamoDB_20120810.PutItem', TABLE), undefined)
  t.match(of('DynamoDB_20120810.GetItem', { ...TABLE, actions: [] }), /none of actions/)
  const two = ['x-amz-target', 'DynamoDB_20120810.GetItem', 'x-amz-target', 'other']
  t.match(refusalOf({ headers: two, rules }), /none of actions/)
})

t.test('how long and how hashed a body is, as the client says it', async (t) => {
  const trailed = ['X-Amz-Content-Sha256', TRAILED]
  t.equal(payloadHashOf([]), 'UNSIGNED-PAYLOAD')
  t.equal(payloadHashOf(['x-amz-content-sha256', 'a'.repeat(64)]), 'UNSIGNED-PAYLOAD')
  t.equal(payloadHashOf(['x-other', TRAILED]), 'UNSIGNED-PAYLOAD')
  t.equal(payloadHashOf([TRAILED, 'x-amz-content-sha256']), 'UNSIGNED-PAYLOAD')
  t.equal(payloadHashOf(['a', 'b', ...trailed]), TRAILED)
  t.equal(saysLength([]), false)
  t.equal(saysLength(['Content-Length', '0']), true)
  t.equal(saysLength(['x-amz-decoded-content-length', '5']), false)
  t.equal(saysLength(trailed), false)
  t.equal(saysLength([...trailed, 'X-Amz-Decoded-Content-Length', '5']), true)
})
