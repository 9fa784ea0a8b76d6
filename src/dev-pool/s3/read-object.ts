// GET and HEAD of an object: whole, one range of it, or that it is still the same (RFC 9110 sections 13 and 14).
import type { StoredObject } from './objects.ts'
import { type S3Error, toS3Error } from './s3-error.ts'

export interface ObjectAnswer {
  readonly status: 200 | 206 | 304
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export function readObject(
  object: StoredObject,
  headers: ReadonlyMap<string, string>,
): ObjectAnswer | S3Error {
  const { body, etag } = object
  const fields = toFields(object)
  const expected = headers.get('if-match')
  if (expected !== undefined && !names(expected, etag)) return PRECONDITION
  const known = headers.get('if-none-match')
  if (known !== undefined && names(known, etag)) {
    return { status: 304, headers: fields, body: EMPTY }
  }
  const range = parseRange(headers.get('range'), body.length)
  if (range === undefined) return { status: 200, headers: fields, body }
  if (range === 'unsatisfiable') {
    return toS3Error('InvalidRange', 'The requested range is not satisfiable', {
      ActualObjectSize: body.length,
    })
  }
  const [first, last] = range
  return {
    status: 206,
    headers: { ...fields, 'content-range': `bytes ${first}-${last}/${body.length}` },
    body: body.subarray(first, last + 1),
  }
}

/** Of an If-Match or If-None-Match field. */
export function names(field: string, etag: string): boolean {
  return field
    .split(',')
    .map((each) => each.trim())
    .some((each) => each === '*' || each === etag || `"${each}"` === etag)
}

export const PRECONDITION: S3Error = toS3Error(
  'PreconditionFailed',
  'At least one of the pre-conditions you specified did not hold',
)

const EMPTY = Buffer.alloc(0)

function toFields({ etag, modifiedMs, headers }: StoredObject) {
  return {
    ...headers,
    etag,
    'last-modified': new Date(modifiedMs).toUTCString(),
    'accept-ranges': 'bytes',
  }
}

/** Undefined for what is no single range of bytes: S3 answers all of it then. */
function parseRange(
  field: string | undefined,
  size: number,
): readonly [first: number, last: number] | 'unsatisfiable' | undefined {
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(field ?? '') ?? []
  if (from === undefined || to === undefined || from + to === '') return undefined
  if (from === '') {
    const count = Math.min(Number(to), size)
    return count === 0 ? 'unsatisfiable' : [size - count, size - 1]
  }
  const first = Number(from)
  if (to !== '' && Number(to) < first) return undefined
  if (first >= size) return 'unsatisfiable'
  return [first, to === '' ? size - 1 : Math.min(Number(to), size - 1)]
}
