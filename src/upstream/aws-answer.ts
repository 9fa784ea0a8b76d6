// What AWS's answers tell beside what they answer: of the bucket, which clients need not see, and why it said no, which operators need.
import { readAwsError } from '../aws/aws-error.ts'
import { firstValue, type RawHeaders } from '../http/headers.ts'

/** Header fields of S3's answers that tell of the bucket, and not of the object. */
const INTERNALS: ReadonlySet<string> = new Set([
  'x-amz-id-2',
  'x-amz-request-id',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-replication-status',
  'x-amz-expiration',
  'x-amz-bucket-region',
  'server',
])

export function withoutInternals(headers: RawHeaders): RawHeaders {
  return headers.filter((_, i) => !INTERNALS.has((headers[i - (i % 2)] as string).toLowerCase()))
}

/** Bytes of an error that are looked at. */
const SEEN_BYTES = 2_048

/** A class because it is one of a call's: its methods are shared, where closures would be made anew. */
export class AwsRefusal {
  private readonly about: string
  private readonly type: string
  private text = ''

  /** @param asked method and place, without a query */
  constructor(status: number, headers: RawHeaders, asked: string) {
    const region = firstValue(headers, 'x-amz-bucket-region')
    this.about = `AWS says ${status} to ${asked}${region === undefined ? '' : ` (bucket in ${region})`}`
    this.type = firstValue(headers, 'x-amzn-errortype') ?? ''
  }

  add(chunk: Buffer): void {
    if (this.text.length < SEEN_BYTES) this.text += chunk.toString('latin1', 0, SEEN_BYTES)
  }

  toText(): string {
    const { code, words } = readAwsError(this.text)
    const type = /^\w{1,64}/.exec(this.type)?.[0] ?? ''
    return [this.about, code || type, words].filter(Boolean).join(': ')
  }
}
