// The targets that an upstream has at present. They may come and go at any time: who stays keeps its connections and its health, and
// who goes ends what it has under way.
import type { Clock } from '../base/clock.ts'
import type { TargetAddress } from './engine.ts'
import type { Target } from './target.ts'

export interface TargetSet {
  /** The targets at these addresses, in their order, from now on. */
  replace(addresses: readonly TargetAddress[]): readonly Target[]
  present(): readonly Target[]
  /** Takes no more requests and ends once those under way have. */
  close(): Promise<void>
  /** Ends every connection, whatever is under way. */
  destroy(): Promise<void>
}

/** What a target that is gone may still have under way ends by then. */
const RETIREMENT_MS = 60_000

export function createTargetSet(
  create: (address: TargetAddress) => Target,
  clock: Pick<Clock, 'after'>,
): TargetSet {
  let present = new Map<string, Target>()
  let list: readonly Target[] = []
  const retiring = new Set<Target>()

  function retire(target: Target): void {
    retiring.add(target)
    const timer = clock.after(RETIREMENT_MS, () => void target.destroy())
    void target.close().then(() => {
      timer.cancel()
      retiring.delete(target)
    })
  }

  return {
    replace(addresses) {
      const before = present
      present = new Map()
      for (const address of addresses) {
        const key = JSON.stringify([address.target, address.serverName])
        if (!present.has(key)) present.set(key, before.get(key) ?? create(address))
      }
      list = [...present.values()]
      for (const [key, target] of before) if (!present.has(key)) retire(target)
      return list
    },
    present: () => list,
    close: async () => void (await Promise.all([...list, ...retiring].map((one) => one.close()))),
    destroy: async () =>
      void (await Promise.all([...list, ...retiring].map((one) => one.destroy()))),
  }
}
