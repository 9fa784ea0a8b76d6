// Chooses among targets. It knows how busy each one is, and nothing of how well it does.
import { hashText } from '../base/text.ts'
import type { Target } from './target.ts'

export type Balance = 'least-requests' | 'round-robin' | 'hash'

/** `key` is what a hash goes by; a request without one is sent where there is least to do. `targets` holds one at least. */
export type Choose<T> = (targets: readonly T[], key: string | undefined) => T

type Choosable = Pick<Target, 'hash' | 'active'>

/** @param random evenly spread in [0, 1) */
export function createBalancer<T extends Choosable>(
  balance: Balance,
  random: () => number,
): Choose<T> {
  const leastOfTwo = createLeastOfTwo<T>(random)
  if (balance === 'least-requests') return leastOfTwo
  if (balance === 'round-robin') return createRoundRobin<T>(Math.floor(random() * 2 ** 30))
  return (targets, key) => (key === undefined ? leastOfTwo(targets, key) : byHash(targets, key))
}

/**
 * The less busy of two taken by chance (Mitzenmacher, "The Power of Two Choices", 2001): nearly as even as asking all, and many
 * gateways that do it never all run to the same target.
 */
function createLeastOfTwo<T extends Choosable>(random: () => number): Choose<T> {
  return (targets) => {
    const { length } = targets
    const first = Math.floor(random() * length)
    if (length === 1) return targets[first] as T
    const step = 1 + Math.floor(random() * (length - 1))
    const [one, other] = [targets[first] as T, targets[(first + step) % length] as T]
    return other.active() < one.active() ? other : one
  }
}

/** Begins anywhere, so that gateways that start together do not go round together. */
function createRoundRobin<T>(start: number): Choose<T> {
  let next = start
  return (targets) => {
    next = (next + 1) % 2 ** 30
    return targets[next % targets.length] as T
  }
}

/** Rendezvous hashing (Thaler and Ravishankar, 1998): when a target comes or goes, only its own keys move. */
function byHash<T extends Choosable>(targets: readonly T[], key: string): T {
  const hashedKey = hashText(key)
  let best = targets[0] as T
  let highest = -1
  for (const target of targets) {
    const weight = mix(hashedKey ^ Math.imul(target.hash, 0x9e3779b1))
    if (weight > highest) {
      highest = weight
      best = target
    }
  }
  return best
}

/** Spreads every bit over all of 32 (MurmurHash3's finaliser). */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
