// One timer for many deadlines: at each tick whatever has waited too long is told so. Late by two ticks at most, and never early.
import type { Clock, Timer } from '../base/clock.ts'

export interface Waiting {
  /** The tick at which it has waited too long; NEVER while nothing of the kind can happen. */
  readonly due: number
  expire(): void
}

export interface Sweep<T extends Waiting> {
  readonly items: ReadonlySet<T>
  add(item: T): void
  remove(item: T): void
  /** The number of the tick by which so many milliseconds have passed for sure. */
  dueTick(ms: number): number
}

export const NEVER = Number.POSITIVE_INFINITY
const MAX_TICK_MS = 100

/** @param shortestMs the shortest time that is waited for; a tick is a quarter of it, and at most 100 ms @param each is called at each tick */
export function createSweep<T extends Waiting>(
  shortestMs: number,
  clock: Clock,
  each: (tick: number) => void = () => undefined,
): Sweep<T> {
  const tickMs = Math.min(MAX_TICK_MS, shortestMs / 4)
  const items = new Set<T>()
  let tick = 0
  let timer: Timer | undefined

  function sweep(): void {
    tick++
    timer = undefined
    for (const item of items) if (item.due <= tick) item.expire()
    each(tick)
    if (items.size > 0) timer ??= clock.after(tickMs, sweep)
  }

  return {
    items,
    add(item) {
      items.add(item)
      timer ??= clock.after(tickMs, sweep)
    },
    remove(item) {
      items.delete(item)
      if (items.size > 0) return
      timer?.cancel()
      timer = undefined
    },
    // The present tick is under way already, so it does not count.
    dueTick: (ms) => tick + 1 + Math.ceil(ms / tickMs),
  }
}
