// Callers that ask for the same work while it is under way share it. Keeps no result once the work has ended.

/**
 * A function that starts `work` unless it is under way, and hands every caller the same promise.
 * A failure reaches all of them, and the next call starts anew.
 */
export function singleFlight<T>(work: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined
  return () => {
    underWay ??= (async () => work())().finally(() => {
      underWay = undefined
    })
    return underWay
  }
}
