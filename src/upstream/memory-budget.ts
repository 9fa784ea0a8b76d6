// Bounds what requests have in memory together: bodies that are kept to be signed, answers that are kept to be read. Nobody gets more than a
// share of it, so that one caller cannot hold up the others.

export interface MemoryBudget {
  /** @param owner who it is for: what all reservations of one owner have is bounded too */
  reserve(owner: string): Reservation
}

export interface Reservation {
  /** So many bytes more; false, and nothing taken, where that is too much. */
  take(bytes: number): boolean
  /** Gives all of it back. May be called again. */
  release(): void
}

const SHARES = 8

export function createMemoryBudget(mostBytes: number): MemoryBudget {
  const ofOwner = new Map<string, number>()
  let all = 0
  return {
    reserve(owner) {
      let own = 0
      return {
        take(bytes) {
          const before = ofOwner.get(owner) ?? 0
          if (all + bytes > mostBytes || before + bytes > mostBytes / SHARES) return false
          own += bytes
          all += bytes
          ofOwner.set(owner, before + bytes)
          return true
        },
        release() {
          const left = (ofOwner.get(owner) ?? 0) - own
          all -= own
          own = 0
          if (left > 0) ofOwner.set(owner, left)
          else ofOwner.delete(owner)
        },
      }
    },
  }
}
