// ListObjectsV2: keys of a prefix in order, those below a delimiter as one, page by page. A page tells where the next one begins.
import type { XmlElements } from '../xml-text.ts'
import type { Objects, StoredObject } from './objects.ts'
import { type S3Error, toS3Error } from './s3-error.ts'

const MAX_KEYS = 1000

type Entry = { readonly key: string; readonly object: StoredObject | undefined }

/** The members of ListBucketResult. */
export function listObjects(
  objects: Objects,
  bucket: string,
  query: URLSearchParams,
): XmlElements | S3Error {
  const maxKeys = toMaxKeys(query.get('max-keys'))
  const token = query.get('continuation-token')
  const after = token === null ? '' : parseToken(token)
  if (maxKeys === undefined || after === undefined) {
    const name = maxKeys === undefined ? 'max-keys' : 'continuation-token'
    return toS3Error('InvalidArgument', `The ${name} provided is incorrect`)
  }
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const startAfter = query.get('start-after') ?? ''
  const keys = objects.list().filter(([key]) => key.startsWith(prefix) && isBehind(key, startAfter))
  const entries = toEntries(keys, prefix, delimiter).filter(({ key }) => isBehind(key, after))
  const page = entries.slice(0, maxKeys)
  const isTruncated = maxKeys > 0 && entries.length > page.length
  const isEncoded = query.get('encoding-type') === 'url'
  const encode = isEncoded ? encodeURIComponent : (text: string) => text
  return {
    Name: bucket,
    Prefix: encode(prefix),
    Delimiter: delimiter === '' ? undefined : encode(delimiter),
    MaxKeys: maxKeys,
    EncodingType: isEncoded ? 'url' : undefined,
    KeyCount: page.length,
    IsTruncated: isTruncated,
    ContinuationToken: token ?? undefined,
    NextContinuationToken: isTruncated ? toToken(page.at(-1)?.key ?? '') : undefined,
    Contents: page.flatMap(({ key, object }) =>
      object === undefined ? [] : [toContents(encode(key), object)],
    ),
    CommonPrefixes: page.flatMap(({ key, object }) =>
      object === undefined ? [{ Prefix: encode(key) }] : [],
    ),
  }
}

/** Without an object: a common prefix. */
function toEntries(
  keys: ReturnType<Objects['list']>,
  prefix: string,
  delimiter: string,
): readonly Entry[] {
  const entries = new Map<string, Entry>()
  for (const [key, object] of keys) {
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    const common = cut === -1 ? undefined : key.slice(0, cut + delimiter.length)
    if (common === undefined) entries.set(key, { key, object })
    else entries.set(common, { key: common, object: undefined })
  }
  return [...entries.values()]
}

function isBehind(key: string, other: string): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0
}

function toContents(key: string, { body, etag, modifiedMs }: StoredObject): XmlElements {
  return {
    Key: key,
    LastModified: new Date(modifiedMs).toISOString(),
    ETag: etag,
    Size: body.length,
    StorageClass: 'STANDARD',
  }
}

function toMaxKeys(text: string | null): number | undefined {
  if (text === null) return MAX_KEYS
  return /^\d{1,9}$/.test(text) ? Math.min(Number(text), MAX_KEYS) : undefined
}

function toToken(key: string): string {
  return Buffer.from(JSON.stringify([key])).toString('base64url')
}

function parseToken(token: string): string | undefined {
  try {
    const [key] = JSON.parse(Buffer.from(token, 'base64url').toString()) as unknown[]
    return typeof key === 'string' ? key : undefined
  } catch {
    return undefined
  }
}
