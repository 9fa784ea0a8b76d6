// The stand-in over HTTP: who asks, what for, and whether they may. Nothing is read or kept before the signature was found good.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../base/clock.ts'
import type { Issued } from '../identity/issued-credentials.ts'
import { isForLoopback } from '../local-request.ts'
import { toXmlText, type XmlElements } from '../xml-text.ts'
import { isAllowed, type S3Action } from './access.ts'
import type { SignedRequest } from './canonical-request.ts'
import { listObjects } from './list-objects.ts'
import type { Objects } from './objects.ts'
import { lengthOf, readPayload } from './payload.ts'
import { names, PRECONDITION, readObject } from './read-object.ts'
import { isS3Error, type S3Error, toS3Error } from './s3-error.ts'
import { type SignatureRules, verifySignature } from './signature.ts'

export interface S3Parts extends SignatureRules {
  readonly clock: Clock
  readonly bucket: string
  readonly objects: Objects
  /** Whose role may do everything; undefined: nobody's. */
  adminRole(): string | undefined
}

interface S3Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | string
}

/** A request whose signature is good. */
interface S3Request extends SignedRequest {
  readonly issued: Issued
  readonly payloadHash: string
  readonly key: string
  readonly parameters: URLSearchParams
  readonly incoming: IncomingMessage
}

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'
const MAX_KEY_BYTES = 1024
/** Of a PUT; they come back with the object. `x-amz-meta-*` do too. */
const KEPT = [
  ...['content-type', 'content-disposition', 'content-language', 'cache-control', 'expires'],
]
/** Parameters that ask for nothing else; `x-id` is an SDK's remark. */
const PLAIN = new Set(['x-id'])
const LISTING = new Set([
  ...['x-id', 'list-type', 'prefix', 'delimiter', 'max-keys', 'start-after'],
  ...['continuation-token', 'encoding-type', 'fetch-owner'],
])

/** @param report what to do with a defect of the stand-in itself; the client gets a 500 */
export function createS3Handler(parts: S3Parts, report: (error: unknown) => void) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    answer(parts, request).then(
      (made) => respond(parts, request, response, made),
      (error) => {
        // A client that breaks off in the middle of its body is no defect.
        if (request.destroyed && !request.complete) return
        report(error)
        respond(parts, request, response, toS3Error('InternalError', 'Something went wrong here'))
      },
    )
  }
}

async function answer(parts: S3Parts, incoming: IncomingMessage): Promise<S3Answer | S3Error> {
  if (!isForLoopback(incoming)) return toS3Error('AccessDenied', 'not meant for loopback')
  const { method = '', url = '', rawHeaders } = incoming
  const [path = '', ...rest] = url.split('?')
  const signed = { method, path, query: rest.join('?'), headers: toMap(rawHeaders) }
  const verified = verifySignature(signed, parts, parts.clock.now())
  if (isS3Error(verified)) return verified
  // The signature says that it can be decoded.
  const [, bucket = '', ...segments] = path.split('/').map(decodeURIComponent)
  if (bucket === '') return toS3Error('NotImplemented', 'The stand-in does not list buckets')
  if (bucket !== parts.bucket) {
    const message = 'The specified bucket does not exist'
    return toS3Error('NoSuchBucket', message, { BucketName: bucket })
  }
  const parameters = new URLSearchParams(signed.query.replaceAll('+', '%2B'))
  const request = { ...signed, ...verified, key: segments.join('/'), parameters, incoming }
  return request.key === '' ? answerBucket(parts, request) : answerObject(parts, request)
}

function answerBucket(parts: S3Parts, request: S3Request): S3Answer | S3Error {
  const { method, parameters } = request
  if (method === 'HEAD' && parameters.size === 0) {
    return deny(parts, request, 's3:ListBucket', '') ?? toDone(200)
  }
  const isList = method === 'GET' && parameters.get('list-type') === '2'
  if (!isList || ![...parameters.keys()].every((name) => LISTING.has(name))) return NOT_HERE
  const denied = deny(parts, request, 's3:ListBucket', parameters.get('prefix') ?? '')
  if (denied !== undefined) return denied
  const found = listObjects(parts.objects, parts.bucket, parameters)
  if (isS3Error(found)) return found
  return toXml(200, `<ListBucketResult xmlns="${NAMESPACE}">${toXmlText(found)}</ListBucketResult>`)
}

function answerObject(parts: S3Parts, request: S3Request): Awaitable<S3Answer | S3Error> {
  const { method, key, headers, parameters } = request
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    return toS3Error('KeyTooLongError', 'Your key is too long')
  }
  if (![...parameters.keys()].every((name) => PLAIN.has(name))) return NOT_HERE
  if (method === 'GET' || method === 'HEAD') {
    const denied = deny(parts, request, 's3:GetObject', key)
    if (denied !== undefined) return denied
    const object = parts.objects.get(key)
    return object === undefined ? toNoSuchKey(key) : readObject(object, headers)
  }
  if (method === 'PUT') {
    if (headers.has('x-amz-copy-source')) return NOT_HERE
    return deny(parts, request, 's3:PutObject', key) ?? putObject(parts, request)
  }
  if (method !== 'DELETE') return toS3Error('MethodNotAllowed', 'The method is not allowed')
  const denied = deny(parts, request, 's3:DeleteObject', key)
  if (denied === undefined) parts.objects.delete(key)
  return denied ?? toDone(204)
}

async function putObject({ objects }: S3Parts, request: S3Request): Promise<S3Answer | S3Error> {
  const { key, headers, payloadHash, incoming } = request
  const length = lengthOf(headers)
  if (typeof length !== 'number') return length
  if (!objects.reserve(key, length)) {
    return toS3Error('EntityTooLarge', 'The stand-in has no room for it: it keeps all in memory')
  }
  try {
    const body = await readPayload(incoming, headers, length, payloadHash)
    if (isS3Error(body)) return body
    const former = objects.get(key)
    if (!holds(headers, former?.etag)) return PRECONDITION
    const { etag } = objects.put(key, body, toKept(headers))
    return toDone(200, { etag })
  } finally {
    objects.release(key, length)
  }
}

/** Conditions of a PUT: that there is no such object yet, or this one still. */
function holds(headers: SignedRequest['headers'], etag: string | undefined): boolean {
  const expected = headers.get('if-match')
  if (headers.get('if-none-match') === '*' && etag !== undefined) return false
  return expected === undefined || (etag !== undefined && names(expected, etag))
}

function toKept(headers: SignedRequest['headers']): Record<string, string> {
  const kept = [...headers].filter(
    ([name]) => KEPT.includes(name) || name.startsWith('x-amz-meta-'),
  )
  const coding = (headers.get('content-encoding') ?? '').replace(/\baws-chunked\b,? */, '')
  return {
    'content-type': 'binary/octet-stream',
    ...Object.fromEntries(kept),
    ...(coding !== '' && { 'content-encoding': coding }),
  }
}

function deny(
  { adminRole, bucket }: S3Parts,
  { issued }: S3Request,
  action: S3Action,
  key: string,
): S3Error | undefined {
  if (isAllowed(issued, action, key, adminRole())) return undefined
  const resource = action === 's3:ListBucket' ? bucket : `${bucket}/${key}`
  const message = `${issued.roleArn} is not authorized to perform: ${action} on resource: "arn:aws:s3:::${resource}" because no identity-based policy allows the ${action} action`
  return toS3Error('AccessDenied', message)
}

function toNoSuchKey(key: string): S3Error {
  return toS3Error('NoSuchKey', 'The specified key does not exist.', { Key: key })
}

const NOT_HERE = toS3Error('NotImplemented', 'The stand-in does not do this: docs/dev-pool.md')

function toMap(rawHeaders: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    const former = headers.get(name)
    const value = rawHeaders[i + 1] ?? ''
    headers.set(name, former === undefined ? value : `${former},${value}`)
  }
  return headers
}

function toDone(status: number, headers = {}): S3Answer {
  return { status, headers, body: '' }
}

function toXml(status: number, text: string): S3Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n${text}`
  return { status, headers: { 'content-type': 'application/xml' }, body }
}

function respond(
  { clock }: S3Parts,
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  made: S3Answer | S3Error,
): void {
  const requestId = randomUUID()
  const { status, headers, body } = isS3Error(made) ? toErrorAnswer(made, url, requestId) : made
  const hasLength = status !== 204 && status !== 304
  response.writeHead(status, {
    ...headers,
    ...(hasLength && { 'content-length': Buffer.byteLength(body) }),
    date: new Date(clock.now()).toUTCString(),
    'x-amz-request-id': requestId,
    server: 'AmazonS3',
  })
  response.end(method === 'HEAD' || !hasLength ? undefined : body)
}

function toErrorAnswer({ status, code, message, details }: S3Error, url: string, id: string) {
  const resource = url.split('?', 1)[0] ?? ''
  const error: XmlElements = {
    Code: code,
    Message: message,
    ...details,
    Resource: resource,
    RequestId: id,
  }
  return toXml(status, toXmlText({ Error: error }))
}

type Awaitable<T> = T | Promise<T>
