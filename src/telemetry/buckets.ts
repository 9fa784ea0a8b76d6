// A histogram as a plain array: observations per bound, then those above every bound, then the sum.
// Observing allocates nothing and looks nothing up.

/** A zeroed histogram for `bounds` (ascending). */
export function createBuckets(bounds: readonly number[]): Float64Array {
  return new Float64Array(bounds.length + 2)
}

/** Counts `value` in the first bucket whose bound is not below it. Negative values and NaN are no observation. */
export function observeInto(buckets: Float64Array, bounds: readonly number[], value: number): void {
  if (!(value >= 0)) return
  let index = 0
  while (index < bounds.length && value > bounds[index]!) index++
  buckets[index]!++
  buckets[bounds.length + 1]! += value
}

/** Observations at or below each bound, the last element being all of them. */
export function toCumulative(buckets: Float64Array): number[] {
  let total = 0
  return Array.from(buckets.subarray(0, -1), (count) => (total += count))
}

/** The sum of all observed values. */
export function toSum(buckets: Float64Array): number {
  return buckets.at(-1)!
}
