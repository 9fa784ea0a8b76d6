// What AWS gets of a request's fields, and what no request to AWS may ask for. Whatever could make it somebody else's request is dropped, or
// refused where it would then mean something else.
import { firstValue, type RawHeaders, valuesOf } from '../http/headers.ts'
import type { CanonicalTarget } from './canonical-target.ts'

export interface FieldRules {
  readonly isS3: boolean
  /** Whether the service is an application of one's own, which is told who asks. */
  readonly isApplication: boolean
  /** Whether an S3 request may name keys beside its path. */
  readonly otherKeys: boolean
  /** Values of X-Amz-Target that are let through; undefined for all. */
  readonly actions: readonly string[] | undefined
}

export interface AwsFields {
  /** Sent and signed: in lower case, lines of one name together. */
  readonly signed: Readonly<Record<string, string>>
  /** Sent only. */
  readonly lines: RawHeaders
}

/** What says who asks, when, and for how much: Poolgate says it anew. `host` is the service's own. */
const OWN = new Set([
  'host',
  'authorization',
  'cookie',
  'date',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
  'x-amz-user-agent',
  'x-amz-s3session-token',
  'x-amzn-authorization',
  'x-apigw-api-id',
])

/** Of a caller's context nothing is AWS's to know, but where the service is an application. */
const CONTEXT = ['x-auth-', 'x-forwarded-', 'x-poolgate-', 'amz-sdk-']
const CONTEXT_NAMES = ['forwarded', 'via', 'x-request-id', 'x-real-ip', 'origin', 'referer']

/** They name another object than the path does, or make the body one of many. */
const OTHER_KEYS = ['x-amz-copy-source', 'x-amz-rename-source', 'x-amz-meta-snowball-auto-extract']

/** Names of query parameters that are a signature (presigned URLs), in lower case. */
const PRESIGNED = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-signature',
  'x-amz-security-token',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-signedheaders',
  'awsaccesskeyid',
  'signature',
])

const TRAILED = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'

/**
 * @param headers as any upstream would get them
 * @param hidden names, in lower case, of fields that AWS is not to see
 */
export function toAwsFields(
  headers: RawHeaders,
  { isS3, isApplication }: FieldRules,
  hidden: ReadonlySet<string>,
): AwsFields {
  const signed: Record<string, string> = {}
  const lines: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    const value = headers[i + 1] as string
    if (OWN.has(name) || hidden.has(name) || (!isApplication && isContext(name))) continue
    if (isSigned(name, isS3)) {
      signed[name] = Object.hasOwn(signed, name) ? `${signed[name]},${value}` : value
    } else lines.push(name, value)
  }
  return { signed, lines }
}

/** Undefined for a request that can be signed, or why it is refused. */
export function findRefusal(
  method: string,
  target: CanonicalTarget,
  headers: RawHeaders,
  rules: FieldRules,
): string | undefined {
  const names = target.parameters.map(([name]) => name.toLowerCase())
  if (names.some((name) => PRESIGNED.has(name))) return 'it is presigned: Poolgate signs it itself'
  if (rules.actions !== undefined) {
    const [action, ...more] = valuesOf(headers, 'x-amz-target')
    if (action === undefined || more.length > 0 || !rules.actions.includes(action)) {
      return 'its X-Amz-Target is none of actions'
    }
  }
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    const why = findFieldRefusal(name, headers[i + 1] as string, rules)
    if (why !== undefined) return why
  }
  if (rules.isS3 && !rules.otherKeys && method === 'POST' && names.includes('delete')) {
    return 'it deletes keys that are not in its path, and otherKeys is off'
  }
  return undefined
}

function findFieldRefusal(
  name: string,
  value: string,
  { isS3, otherKeys }: FieldRules,
): string | undefined {
  if (name === 'x-amz-content-sha256' && value.startsWith('STREAMING-')) {
    if (!isS3 || value !== TRAILED) return 'its body is signed chunk by chunk, with other keys'
  }
  // AWS has ASCII there, and others are hashed in one encoding and sent in another.
  if (name.startsWith('x-amz-') && /[^\t -~]/.test(value)) {
    return 'it has an X-Amz-* field with more than ASCII'
  }
  if (!otherKeys && OTHER_KEYS.includes(name)) {
    return 'it copies a key that is not in its path, and otherKeys is off'
  }
  return undefined
}

/** How S3 is told that a body is not hashed: as it comes, or in chunks with a checksum behind them where the client sends it so. */
export function payloadHashOf(headers: RawHeaders): string {
  const isTrailed = headers.some(
    (value, i) =>
      i % 2 === 1 && value === TRAILED && headers[i - 1]?.toLowerCase() === 'x-amz-content-sha256',
  )
  return isTrailed ? TRAILED : 'UNSIGNED-PAYLOAD'
}

/** S3 has to be told before: of what is sent or, where a checksum follows in the last chunk, of what the chunks hold (SDKs send streams so). */
export function saysLength(headers: RawHeaders): boolean {
  if (firstValue(headers, 'content-length') !== undefined) return true
  return (
    payloadHashOf(headers) === TRAILED &&
    firstValue(headers, 'x-amz-decoded-content-length') !== undefined
  )
}

function isContext(name: string): boolean {
  return CONTEXT_NAMES.includes(name) || CONTEXT.some((prefix) => name.startsWith(prefix))
}

/** All that changes what a request means there. A proxy on the way may add to anything else. */
function isSigned(name: string, isS3: boolean): boolean {
  if (name === 'content-type' || (isS3 && name === 'content-md5')) return true
  return name.startsWith('x-amz-') && !name.startsWith('x-amzn-')
}
