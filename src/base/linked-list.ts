// What comes and goes with every request, in order of arrival. A Set would do but for memory: each table that it has outgrown still
// refers to the one that follows, so that once one of them is old, everything that was ever added is kept until the next full
// collection. What has been removed from here refers to nothing.

/** Its neighbours; the list alone writes them. */
export interface Linked<T> {
  before: T | undefined
  after: T | undefined
}

export interface LinkedList<T> extends Iterable<T> {
  readonly size: number
  /** At the end. It must not be in a list already. */
  add(item: T): void
  /** Nothing happens when it is not in the list. */
  remove(item: T): void
}

export function createLinkedList<T extends Linked<T>>(): LinkedList<T> {
  let first: T | undefined
  let last: T | undefined
  let size = 0
  return {
    get size() {
      return size
    },
    add(item) {
      item.before = last
      if (last) last.after = item
      else first = item
      last = item
      size++
    },
    remove(item) {
      const { before, after } = item
      if (before === undefined && first !== item) return
      if (before) before.after = after
      else first = after
      if (after) after.before = before
      else last = before
      item.before = undefined
      item.after = undefined
      size--
    },
    /** Nothing may be removed meanwhile: behind what has been removed comes nothing. */
    *[Symbol.iterator]() {
      for (let item = first; item !== undefined; item = item.after) yield item
    },
  }
}
