// A bounded cache from a token to what is known of it. It never answers for a token that differs in one character.
import { LRUCache } from 'lru-cache'

export interface TokenCache<V> {
  get(token: string): V | undefined
  /** While the cache is full, only a token that was set before, not long ago, is kept. */
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

/** What a token is looked up by. */
const KEY_CHARS = 32

/**
 * Least recently used entries go first once `entries` or `bytes` is exceeded. Then a token has to come twice to be kept: more tokens
 * than fit, each once in a while, would push out those that come often, and cost more to keep than they ever spare.
 * Looked up by the last 32 characters of the signature (hashing a whole token costs more than all else here), then the
 * whole token is compared, which is what makes it safe.
 */
export function createTokenCache<V extends object>(bounds: {
  readonly entries: number
  readonly bytes: number
}): TokenCache<V> {
  const comesAgain = createRecent(bounds.entries)
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
      const entry = cache.get(token.slice(-KEY_CHARS))
      return entry !== undefined && entry.token === token ? entry.value : undefined
    },
    set(token, value) {
      const isFull =
        cache.size >= bounds.entries ||
        cache.calculatedSize + token.length + ENTRY_OVERHEAD > bounds.bytes
      if (isFull && !comesAgain(token)) return
      const copy = copyOf(token)
      cache.set(copy.slice(-KEY_CHARS), { token: copy, value })
    },
    purge(gone) {
      for (const [key, entry] of cache.entries()) if (gone(entry.value)) cache.delete(key)
    },
    size: () => cache.size,
    evicted: () => evicted,
  }
}

/**
 * Whether a token was asked about before, as far as can be told from one number for each of about the last `slots` tokens. One that
 * is taken for another only enters sooner.
 */
function createRecent(slots: number): (token: string) => boolean {
  const marks = new Uint32Array(slots)
  return (token) => {
    // FNV-1a.
    let mark = 0x811c9dc5
    for (let i = Math.max(0, token.length - KEY_CHARS); i < token.length; i++) {
      mark = Math.imul(mark ^ token.charCodeAt(i), 0x01000193) >>> 0
    }
    const slot = mark % slots
    const isKnown = marks[slot] === mark
    marks[slot] = mark
    return isKnown
  }
}

/** A slice would keep the whole request head that it was cut from in memory. */
function copyOf(token: string): string {
  return Buffer.from(token, 'latin1').toString('latin1')
}
