// The body of an upload, read and held to what its sender said of it: length, hash, checksums. A body that is something else is never kept.
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { parseAwsChunked } from './aws-chunked.ts'
import { type S3Error, toS3Error } from './s3-error.ts'

type Headers = ReadonlyMap<string, string>

const UNSIGNED = 'UNSIGNED-PAYLOAD'
const TRAILED = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'
/** Of chunks around what they hold, whose size S3's rules keep from being small. */
const CHUNK_ALLOWANCE = 64 * 1024

/** How many bytes the object will have, or why that cannot be known. */
export function lengthOf(headers: Headers): number | S3Error {
  const isTrailed = headers.get('x-amz-content-sha256') === TRAILED
  const length = headers.get(isTrailed ? 'x-amz-decoded-content-length' : 'content-length') ?? ''
  if (/^\d{1,15}$/.test(length)) return Number(length)
  return toS3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.')
}

/** @param length what lengthOf gave @param payloadHash as it was signed */
export async function readPayload(
  request: AsyncIterable<Buffer>,
  headers: Headers,
  length: number,
  payloadHash: string,
): Promise<Buffer | S3Error> {
  const isTrailed = payloadHash === TRAILED
  if (!isTrailed && payloadHash !== UNSIGNED && !/^[0-9a-f]{64}$/.test(payloadHash)) {
    return toS3Error('NotImplemented', `The stand-in does not read ${payloadHash.slice(0, 64)}`)
  }
  const raw = await read(request, isTrailed ? 2 * length + CHUNK_ALLOWANCE : length)
  const content = raw && (isTrailed ? parseAwsChunked(raw) : { body: raw, trailers: NONE })
  if (content === undefined || content.body.length !== length) {
    return toS3Error('IncompleteBody', 'The request body is not as long, or not as, it is said.')
  }
  const { body, trailers } = content
  if (/^[0-9a-f]/.test(payloadHash) && payloadHash !== digest('sha256', body, 'hex')) {
    const message = "The provided 'x-amz-content-sha256' header does not match what was computed."
    return toS3Error('XAmzContentSHA256Mismatch', message)
  }
  const announced = headers.get('x-amz-trailer')?.toLowerCase()
  const isMissing = announced !== undefined && !trailers.has(announced)
  const isWrong = isMissing || ![...headers, ...trailers].every((field) => fits(field, body))
  return isWrong ? toS3Error('BadDigest', 'A checksum did not match what was received.') : body
}

const NONE: Headers = new Map()

/** Undefined for more than that. */
async function read(request: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes <= maxBytes) chunks.push(chunk)
  }
  return bytes > maxBytes ? undefined : Buffer.concat(chunks)
}

/** Whether a field is no checksum of the body, or the right one. CRC32C and CRC64NVME are believed. */
function fits([name, value]: readonly [string, string], body: Buffer): boolean {
  switch (name) {
    case 'content-md5':
      return value === digest('md5', body, 'base64')
    case 'x-amz-checksum-crc32': {
      const sum = Buffer.alloc(4)
      sum.writeUInt32BE(crc32(body))
      return value === sum.toString('base64')
    }
    case 'x-amz-checksum-sha1':
      return value === digest('sha1', body, 'base64')
    case 'x-amz-checksum-sha256':
      return value === digest('sha256', body, 'base64')
    default:
      return true
  }
}

function digest(algorithm: string, body: Buffer, encoding: 'hex' | 'base64'): string {
  return createHash(algorithm).update(body).digest(encoding)
}
