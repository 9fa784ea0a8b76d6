// Keeps what a reload does not change: a part is made anew only where its own settings are others.

export interface CarryOver<T> {
  /** One part for each named setting; the earlier one where name and setting are the same. */
  make<S>(
    settings: Readonly<Record<string, S>>,
    create: (name: string, setting: S) => T,
  ): Map<string, T>
  /** Parts of the earlier `make` that the last one no longer uses. */
  drop(): T[]
}

export function createCarryOver<T>(): CarryOver<T> {
  let earlier = new Map<string, T>()
  let inUse = new Map<string, T>()
  return {
    make(settings, create) {
      earlier = inUse
      inUse = new Map()
      const parts = new Map<string, T>()
      for (const [name, setting] of Object.entries(settings)) {
        const key = JSON.stringify([name, setting])
        const part = earlier.get(key) ?? create(name, setting)
        inUse.set(key, part)
        parts.set(name, part)
      }
      return parts
    },
    drop: () => [...earlier].flatMap(([key, part]) => (inUse.has(key) ? [] : [part])),
  }
}
