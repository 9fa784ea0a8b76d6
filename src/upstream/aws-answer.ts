// What AWS's answers tell beside what they answer: of the bucket, which clients need not see, and why it said no, which operators need.
import { readAwsError } from '../aws/aws-error.ts'
import { firstValue, type RawHeaders } from '../http/headers.ts'
import { isAboutTime } from './clock-offset.ts'

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

const NOTHING_SAID = { shown: '', words: '' }

/** Bytes of an error that are looked at. */
const SEEN_BYTES = 2_048

/** A class because it is one of a call's: its methods are shared, where closures would be made anew. */
export class AwsRefusal {
  private readonly about: string
  private readonly type: string
  private readonly isApplication: boolean
  private text = ''

  /** @param asked method and place, without a query @param isApplication whether its words are an application's, which no log is for */
  constructor(status: number, headers: RawHeaders, asked: string, isApplication: boolean) {
    this.isApplication = isApplication
    const region = firstValue(headers, 'x-amz-bucket-region')
    this.about = `AWS says ${status} to ${asked}${region === undefined ? '' : ` (bucket in ${region})`}`
    this.type = firstValue(headers, 'x-amzn-errortype') ?? ''
  }

  add(chunk: Buffer): void {
    if (this.text.length < SEEN_BYTES) this.text += chunk.toString('latin1', 0, SEEN_BYTES)
  }

  toText(): string {
    const type = /^\w{1,64}/.exec(this.type)?.[0] ?? ''
    const { shown, words } = this.isApplication ? NOTHING_SAID : readAwsError(this.text)
    return [this.about, shown || type, words].filter(Boolean).join(': ')
  }
}

/** A refusal that may be for the time of the signature: kept until its body tells. */
export class DoubtedAnswer {
  readonly status: number
  readonly headers: RawHeaders
  readonly chunks: Buffer[] = []
  private text = ''

  constructor(status: number, headers: RawHeaders) {
    this.status = status
    this.headers = headers
  }

  /** True once enough has come to tell. */
  add(chunk: Buffer): boolean {
    this.chunks.push(Buffer.from(chunk))
    this.text += chunk.toString('latin1', 0, SEEN_BYTES)
    return this.text.length >= SEEN_BYTES
  }

  isAboutTime(): boolean {
    return isAboutTime(this.text)
  }
}
