// A bounded cache from a token to what is known of it. It never answers for a token that differs in one character.
import { LRUCache } from 'lru-cache'

export interface TokenCache<V> {
  get(token: string): V | undefined
  set(token: string, value: V): void
  /** Drops every entry that `gone` names. */
  purge(gone: (value: V) => boolean): void
  size(): number
  /** Entries pushed out by the bounds. */
  evicted(): number
}

interface Entry<V> {
  readonly token: string
  readonly value: V
}

/** Rough bytes of an entry beside its token: claims, principal, header text. */
const ENTRY_OVERHEAD = 2048

/**
 * Least recently used entries go first once `entries` or `bytes` is exceeded.
 * Looked up by the last 32 characters of the signature (hashing a whole token costs more than all else here), then the
 * whole token is compared, which is what makes it safe.
 */
export function createTokenCache<V extends object>(bounds: {
  readonly entries: number
  readonly bytes: number
}): TokenCache<V> {
  let evicted = 0
  const cache = new LRUCache<string, Entry<V>>({
    max: bounds.entries,
    maxSize: bounds.bytes,
    sizeCalculation: (entry) => entry.token.length + ENTRY_OVERHEAD,
    dispose: (_value, _key, why) => {
      if (why === 'evict') evicted++
    },
  })
  return {
    get(token) {
      const entry = cache.get(token.slice(-32))
      return entry !== undefined && entry.token === token ? entry.value : undefined
    },
    set(token, value) {
      const copy = copyOf(token)
      cache.set(copy.slice(-32), { token: copy, value })
    },
    purge(gone) {
      for (const [key, entry] of cache.entries()) if (gone(entry.value)) cache.delete(key)
    },
    size: () => cache.size,
    evicted: () => evicted,
  }
}

/** A slice would keep the whole request head that it was cut from in memory. */
function copyOf(token: string): string {
  return Buffer.from(token, 'latin1').toString('latin1')
}
