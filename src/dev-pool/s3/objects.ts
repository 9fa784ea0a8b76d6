// The objects of the stand-in's one bucket, in memory. Their number and size are bounded together: what does not fit is not kept.
import { createHash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'

export interface StoredObject {
  readonly body: Buffer
  /** With its quotes. */
  readonly etag: string
  /** A whole second, as HTTP tells it. */
  readonly modifiedMs: number
  /** Fields that were sent with it and are answered with it, by names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Objects {
  get(key: string): StoredObject | undefined
  /** False: there is no room. Whoever has got it gives it back by `release`, kept or not. */
  reserve(key: string, bytes: number): boolean
  release(key: string, bytes: number): void
  put(key: string, body: Buffer, headers: StoredObject['headers']): StoredObject
  delete(key: string): void
  /** In the order of their UTF-8 bytes. */
  list(): readonly (readonly [key: string, object: StoredObject])[]
}

/** What an object without any bytes takes. */
const OVERHEAD = 1024

export function createObjects(clock: Clock, maxBytes: number): Objects {
  const byKey = new Map<string, StoredObject>()
  let used = 0
  const remove = (key: string) => {
    const former = byKey.get(key)
    if (former !== undefined) used -= toSize(key, former.body.length)
    byKey.delete(key)
  }
  return {
    get: (key) => byKey.get(key),
    reserve(key, bytes) {
      const size = toSize(key, bytes)
      if (used + size > maxBytes) return false
      used += size
      return true
    },
    release(key, bytes) {
      used -= toSize(key, bytes)
    },
    put(key, body, headers) {
      remove(key)
      used += toSize(key, body.length)
      const etag = `"${createHash('md5').update(body).digest('hex')}"`
      const modifiedMs = Math.floor(clock.now() / 1000) * 1000
      const object = { body, etag, modifiedMs, headers }
      byKey.set(key, object)
      return object
    },
    delete: remove,
    list: () => [...byKey].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  }
}

function toSize(key: string, bytes: number): number {
  return OVERHEAD + Buffer.byteLength(key) + bytes
}
