// The exposed form of a metric: a name, a type and its samples. Knows nothing of what is measured.
import { toCumulative, toSum } from './buckets.ts'

export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels: Labels
  readonly value: number
  /** The sample's own name where it is not the family's. */
  readonly metricName?: string
}

export interface MetricFamily {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly values: readonly Sample[]
}

/** A counter; `name` ends in _total. */
export function toCounter(name: string, help: string, values: readonly Sample[]): MetricFamily {
  return { name, help, type: 'counter', values }
}

export function toGauge(name: string, help: string, values: readonly Sample[]): MetricFamily {
  return { name, help, type: 'gauge', values }
}

/** A histogram in seconds, read from arrays that count milliseconds. */
export function toHistogram(
  name: string,
  help: string,
  boundsMs: readonly number[],
  series: Iterable<readonly [Labels, Float64Array]>,
): MetricFamily {
  const bounds = [...boundsMs.map((boundMs) => toBound(boundMs / 1000)), '+Inf']
  const values = Array.from(series).flatMap(([labels, buckets]) => {
    const counts = toCumulative(buckets)
    return [
      ...bounds.map((le, index) => sample({ ...labels, le }, counts[index]!, `${name}_bucket`)),
      sample(labels, toSum(buckets) / 1000, `${name}_sum`),
      sample(labels, counts.at(-1)!, `${name}_count`),
    ]
  })
  return { name, help, type: 'histogram', values }
}

/** One sample without labels. */
export function single(value: number): readonly Sample[] {
  return [{ labels: {}, value }]
}

/** The bound of a bucket; OpenMetrics 1.0 wants it written as a float. */
export function toBound(seconds: number): string {
  return Number.isInteger(seconds) ? `${seconds}.0` : String(seconds)
}

function sample(labels: Labels, value: number, metricName: string): Sample {
  return { labels, value, metricName }
}
