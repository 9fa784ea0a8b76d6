// Signs a request with AWS Signature Version 4, by AWS's own library. What is handed in is signed as it is; nothing is added to it but the
// fields that come back.
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import type { AwsCredentials } from './aws-credentials.ts'
import type { CanonicalTarget } from './canonical-target.ts'

export interface SigningScope {
  /** The name that signatures have for the service. */
  readonly service: string
  readonly region: string
  /** Whether a path is signed as it is sent, as S3 does; every other service signs its encoding once more. Default: by the service. */
  readonly isS3?: boolean
}

export interface ToSign extends Pick<CanonicalTarget, 'path' | 'parameters'> {
  readonly method: string
  /** In lower case, one value each; all of them are signed. */
  readonly headers: Readonly<Record<string, string>>
  /** The whole body, or undefined for none. */
  readonly body?: Buffer | undefined
  /** Stands for the hash of a body that is not read before it is sent, and goes along as a field; S3 alone takes one, and needs one. */
  readonly payloadHash?: string | undefined
}

/** Resolves to all fields in lower case: those that were given, `x-amz-date`, `x-amz-security-token`, `authorization`. */
export type SignV4 = (
  request: ToSign,
  credentials: AwsCredentials,
  atMs: number,
) => Promise<Readonly<Record<string, string>>>

type Data = string | ArrayBuffer | ArrayBufferView

/** What the library wants of a hash: `new`, `update`, `digest`. */
class Sha256 {
  private readonly hash: Hash | Hmac
  constructor(secret?: Data) {
    this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', toBytes(secret))
  }
  update(data: Data): void {
    this.hash.update(toBytes(data))
  }
  async digest(): Promise<Uint8Array> {
    return this.hash.digest()
  }
  reset(): void {
    throw new Error('a hash is used once')
  }
}

export function createSigner({ service, region, isS3 = service === 's3' }: SigningScope): SignV4 {
  return async ({ method, path, parameters, headers, body, payloadHash }, credentials, atMs) => {
    const signer = new SignatureV4({
      service,
      region,
      credentials: toIdentity(credentials),
      sha256: Sha256,
      uriEscapePath: !isS3,
      applyChecksum: false,
    })
    const given = payloadHash === undefined ? headers : { ...headers, [PAYLOAD_HASH]: payloadHash }
    const { host = '' } = headers
    const request = { method, path, hostname: host, protocol: 'https:', query: toQuery(parameters) }
    const signed = await signer.sign(
      { ...request, headers: { ...given }, body },
      { signingDate: new Date(atMs) },
    )
    return signed.headers
  }
}

const PAYLOAD_HASH = 'x-amz-content-sha256'

function toIdentity({ accessKeyId, secretAccessKey, sessionToken }: AwsCredentials) {
  const keys = { accessKeyId, secretAccessKey }
  return sessionToken === undefined ? keys : { ...keys, sessionToken }
}

function toQuery(parameters: ToSign['parameters']): Record<string, string[]> {
  const query: Record<string, string[]> = {}
  for (const [name, value] of parameters) {
    const values = Object.hasOwn(query, name) ? query[name] : undefined
    if (values === undefined) query[name] = [value]
    else values.push(value)
  }
  return query
}

function toBytes(data: Data): Uint8Array | string {
  if (typeof data === 'string') return data
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data)
}
