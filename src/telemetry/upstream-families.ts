// What upstreams tell of their targets, as metrics and as the admin listener's JSON. Metrics count targets by state and never name one.
import { type MetricFamily, type Sample, toCounter, toGauge } from './metric-family.ts'

export interface UpstreamSource {
  readonly name: string
  readonly targets: readonly {
    readonly origin: string
    readonly state: string
    /** Wall clock in milliseconds. */
    readonly sinceMs: number
    readonly active: number
    readonly lastFailure: string
  }[]
  /** Targets in each state there is, so that each has a series from the beginning. */
  readonly states: Readonly<Record<string, number>>
  readonly isPanicking: boolean
  readonly ejections: number
  readonly retries: number
  readonly checks: { readonly success: number; readonly failure: number }
}

export function toUpstreamFamilies(upstreams: readonly UpstreamSource[]): MetricFamily[] {
  const each = (read: (source: UpstreamSource) => number): Sample[] =>
    upstreams.map((source) => ({ labels: { upstream: source.name }, value: read(source) }))
  return [
    toGauge(
      'poolgate_upstream_targets',
      'Targets by state.',
      upstreams.flatMap(({ name, states }) =>
        Object.entries(states).map(([state, value]) => ({
          labels: { upstream: name, state },
          value,
        })),
      ),
    ),
    toGauge(
      'poolgate_upstream_panic',
      '1 while targets get requests that should not, because no other is left.',
      each(({ isPanicking }) => (isPanicking ? 1 : 0)),
    ),
    toGauge(
      'poolgate_upstream_active_requests',
      'Requests that targets have, those that wait for a connection included.',
      each(({ targets }) => targets.reduce((sum, { active }) => sum + active, 0)),
    ),
    toCounter(
      'poolgate_upstream_ejections_total',
      'Targets left alone for a while because requests failed there.',
      each(({ ejections }) => ejections),
    ),
    toCounter(
      'poolgate_upstream_retries_total',
      'Requests asked of a second target.',
      each(({ retries }) => retries),
    ),
    toCounter(
      'poolgate_upstream_health_checks_total',
      'Health checks that are over.',
      upstreams.flatMap(({ name, checks }) => [
        { labels: { upstream: name, result: 'success' }, value: checks.success },
        { labels: { upstream: name, result: 'failure' }, value: checks.failure },
      ]),
    ),
  ]
}

/** One JSON object: every upstream with every target, its state and what it failed by the last time. */
export function toUpstreamsJson(upstreams: readonly UpstreamSource[]): string {
  const shown = upstreams.map(({ name, isPanicking, targets }) => ({
    upstream: name,
    panic: isPanicking,
    targets: targets.map(({ origin, state, sinceMs, active, lastFailure }) => ({
      origin,
      state,
      since: new Date(sinceMs).toISOString(),
      active_requests: active,
      ...(lastFailure !== '' && { last_failure: lastFailure }),
    })),
  }))
  return `${JSON.stringify({ upstreams: shown }, undefined, 2)}\n`
}
