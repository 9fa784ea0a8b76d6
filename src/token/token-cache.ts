// A bounded cache from a token to what is known of it. It never answers for a token that differs in one character.
import { LRUCache } from 'lru-cache'
import { copyText, hashText } from '../base/text.ts'

export interface TokenCache<V> {
  get(token: string): V | undefined
  /** While the cache is full, a token that is not in it is kept only if it was set before, not long ago. */
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

/** The end of the signature: two tokens of which even that hashes alike push each other out. */
const HASHED_CHARS = 16

/**
 * Least recently used entries go first once `entries` or `bytes` is exceeded. Then a token has to come twice to be kept: more tokens
 * than fit, each once in a while, would push out those that come often, and cost more to keep than they ever spare.
 * Looked up by a hash of the last characters, then the whole token is compared, which is what makes it safe.
 */
export function createTokenCache<V extends object>(bounds: {
  readonly entries: number
  readonly bytes: number
}): TokenCache<V> {
  const comesAgain = createRecent(bounds.entries)
  let evicted = 0
  const cache = new LRUCache<number, Entry<V>>({
    max: bounds.entries,
    maxSize: bounds.bytes,
    sizeCalculation: (entry) => entry.token.length + ENTRY_OVERHEAD,
    dispose: (_value, _key, why) => {
      if (why === 'evict') evicted++
    },
  })
  return {
    get(token) {
      const entry = cache.get(keyOf(token))
      return entry !== undefined && entry.token === token ? entry.value : undefined
    },
    set(token, value) {
      const isFull =
        cache.size >= bounds.entries ||
        cache.calculatedSize + token.length + ENTRY_OVERHEAD > bounds.bytes
      const key = keyOf(token)
      if (isFull && !cache.has(key) && !comesAgain(key)) return
      cache.set(key, { token: copyText(token), value })
    },
    purge(gone) {
      for (const [key, entry] of cache.entries()) if (gone(entry.value)) cache.delete(key)
    },
    size: () => cache.size,
    evicted: () => evicted,
  }
}

function keyOf(token: string): number {
  return hashText(token, Math.max(0, token.length - HASHED_CHARS))
}

/**
 * Whether a key was asked about before, as far as can be told from the last key in each of `slots` places. A token that is taken for
 * another only enters sooner.
 */
function createRecent(slots: number): (key: number) => boolean {
  const keys = new Int32Array(slots).fill(-1)
  return (key) => {
    const slot = key % slots
    const isKnown = keys[slot] === key
    keys[slot] = key
    return isKnown
  }
}
