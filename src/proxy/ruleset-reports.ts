// What the admin listener tells of the ruleset in force: whether it can work, its upstreams, and what its parts have counted.
import type { AdminOptions, Readiness } from '../telemetry/admin.ts'
import type { MetricsSources } from '../telemetry/metrics.ts'
import type { UpstreamReport } from '../upstream/upstream.ts'
import type { Ruleset, Rulesets } from './ruleset.ts'

export function reportOn(
  { current }: Pick<Rulesets, 'current'>,
  draining: () => boolean,
): Pick<AdminOptions, 'ready' | 'upstreams'> {
  return {
    ready: () => toReadiness(current(), draining()),
    upstreams: () => toReports(current()),
  }
}

function toReports({ upstreams }: Ruleset): readonly UpstreamReport[] {
  return [...upstreams.values()].map((upstream) => upstream.report())
}

function toReadiness({ keys, upstreams }: Ruleset, draining: boolean): Readiness {
  const waiting = [...keys].filter(([, set]) => !set.usable())
  const reasons = waiting.map(([name]) => `user pool ${name} has no keys`)
  const empty = [...upstreams.values()].filter(({ ready }) => !ready())
  reasons.push(...empty.map(({ name }) => `upstream ${name} has no targets`))
  if (draining) reasons.push('draining')
  return { ready: reasons.length === 0, reasons }
}

export function readSources(ruleset: Ruleset, accessLogDropped: number): MetricsSources {
  const { keys, verifier, identityPools } = ruleset
  return {
    upstreams: toReports(ruleset),
    keySets: [...keys].map(([userPool, set]) => ({ userPool, ...set.stats() })),
    tokenCache: verifier.stats(),
    identityPools: [...identityPools].map(([name, pool]) => ({ name, ...pool.stats() })),
    accessLogDropped,
  }
}
