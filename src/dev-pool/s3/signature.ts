// Verifies AWS Signature Version 4 in the Authorization header, with node:crypto alone. Whatever is not signed as S3 wants it is refused.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Issued } from '../identity/issued-credentials.ts'
import { type SignedRequest, toCanonicalRequest } from './canonical-request.ts'
import { type S3Error, toS3Error } from './s3-error.ts'

export interface SignatureRules {
  readonly region: string
  find(accessKeyId: string): Issued | undefined
}

export interface Verified {
  readonly issued: Issued
  /** What the request says of its body; signed, and yet to be checked. */
  readonly payloadHash: string
}

const ALGORITHM = 'AWS4-HMAC-SHA256'
const MAX_SKEW_MS = 15 * 60_000
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 +Credential=([^/, ]+)\/(\d{8})\/([^/, ]+)\/([^/, ]+)\/aws4_request, *SignedHeaders=([a-z0-9;-]+), *Signature=([0-9a-f]{64})$/

export function verifySignature(
  request: SignedRequest,
  { region, find }: SignatureRules,
  nowMs: number,
): Verified | S3Error {
  const { headers } = request
  const authorization = headers.get('authorization')
  if (authorization === undefined) return toS3Error('AccessDenied', 'Access Denied')
  const [, keyId = '', day = '', place, service, names = '', signature = ''] =
    AUTHORIZATION.exec(authorization) ?? []
  if (place !== region || service !== 's3') {
    const message = `The authorization header is malformed; expecting ${ALGORITHM}, '${region}' and 's3'`
    return toS3Error('AuthorizationHeaderMalformed', message)
  }
  const issued = find(keyId)
  if (issued === undefined) return toUnknownKey(keyId)
  const date = headers.get('x-amz-date') ?? ''
  const refused = checkTimes(issued, date, day, nowMs) ?? checkToken(issued, headers)
  if (refused !== undefined) return refused
  const payloadHash = headers.get('x-amz-content-sha256')
  if (payloadHash === undefined) {
    return toS3Error('InvalidRequest', 'Missing required header: x-amz-content-sha256')
  }
  const signed = names.split(';')
  const unsigned = findUnsigned(headers, signed)
  if (unsigned.length > 0) {
    const message = 'There were headers present in the request which were not signed'
    return toS3Error('AccessDenied', message, { HeadersNotSigned: unsigned.join(', ') })
  }
  const canonical = toCanonicalRequest(request, signed, payloadHash)
  if (canonical === undefined) return toS3Error('InvalidURI', "Couldn't parse the specified URI.")
  const scope = `${day}/${region}/s3/aws4_request`
  const toSign = [ALGORITHM, date, scope, sha256(canonical)].join('\n')
  const expected = sign(issued.secretAccessKey, [day, region, 's3', 'aws4_request'], toSign)
  if (timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return { issued, payloadHash }
  return toMismatch(keyId, signature, toSign, canonical)
}

function checkTimes(
  { expiresAtMs }: Issued,
  date: string,
  day: string,
  nowMs: number,
): S3Error | undefined {
  const atMs = parseAmzDate(date)
  if (atMs === undefined || !date.startsWith(day)) {
    return toS3Error(
      'AccessDenied',
      'AWS authentication requires a valid x-amz-date, of the day of the credential',
    )
  }
  if (Math.abs(nowMs - atMs) > MAX_SKEW_MS) {
    const message = 'The difference between the request time and the current time is too large.'
    return toS3Error('RequestTimeTooSkewed', message, {
      RequestTime: date,
      ServerTime: new Date(nowMs).toISOString(),
      MaxAllowedSkewMilliseconds: MAX_SKEW_MS,
    })
  }
  return nowMs < expiresAtMs
    ? undefined
    : toS3Error('ExpiredToken', 'The provided token has expired.')
}

function checkToken({ sessionToken }: Issued, headers: SignedRequest['headers']) {
  return headers.get('x-amz-security-token') === sessionToken
    ? undefined
    : toS3Error('InvalidToken', 'The provided token is malformed or otherwise invalid.')
}

function parseAmzDate(text: string): number | undefined {
  if (!/^\d{8}T\d{6}Z$/.test(text)) return undefined
  const ms = Date.parse(text.replace(/^(....)(..)(..T)(..)(..)(..Z)$/, '$1-$2-$3$4:$5:$6'))
  return Number.isNaN(ms) ? undefined : ms
}

/** What changes the meaning of a request has to be signed. */
function findUnsigned(headers: SignedRequest['headers'], signed: readonly string[]): string[] {
  return [...headers.keys()].filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !signed.includes(name),
  )
}

function sign(secret: string, scope: readonly string[], text: string): Buffer {
  const key = scope.reduce<string | Buffer>((before, part) => hmac(before, part), `AWS4${secret}`)
  return hmac(key, text)
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** Header fields come as one character for each of their bytes, and everything else is ASCII. */
function sha256(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex')
}

function toUnknownKey(keyId: string): S3Error {
  const message = 'The AWS Access Key Id you provided does not exist in our records.'
  return toS3Error('InvalidAccessKeyId', message, { AWSAccessKeyId: keyId })
}

function toMismatch(keyId: string, signature: string, toSign: string, canonical: string): S3Error {
  const message =
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.'
  return toS3Error('SignatureDoesNotMatch', message, {
    AWSAccessKeyId: keyId,
    StringToSign: toSign,
    SignatureProvided: signature,
    CanonicalRequest: canonical,
  })
}
