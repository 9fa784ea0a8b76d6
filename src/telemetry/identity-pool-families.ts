// What identity pools tell of their exchanges, as metrics. Nothing of whom they were for.
import { type MetricFamily, toCounter, toGauge } from './metric-family.ts'

export interface IdentityPoolSource {
  readonly name: string
  /** How exchanges ended, since the gateway began. */
  readonly exchanges: Readonly<Record<string, number>>
  /** Users whose credentials are kept. */
  readonly size: number
}

export function toIdentityPoolFamilies(pools: readonly IdentityPoolSource[]): MetricFamily[] {
  return [
    toCounter(
      'poolgate_credential_exchanges_total',
      'Exchanges of a token for credentials.',
      pools.flatMap(({ name, exchanges }) =>
        Object.entries(exchanges).map(([result, value]) => ({
          labels: { identity_pool: name, result },
          value,
        })),
      ),
    ),
    toGauge(
      'poolgate_credentials_kept',
      'Users whose credentials are kept.',
      pools.map(({ name, size }) => ({ labels: { identity_pool: name }, value: size })),
    ),
  ]
}
