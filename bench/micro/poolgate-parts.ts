// Poolgate's own parts, put together from a configuration as the gateway does it, with keys in memory instead of an endpoint.
import type { Clock } from '../../src/base/clock.ts'
import { loadConfig } from '../../src/config/load.ts'
import { toYamlText } from '../../src/config/yaml-text.ts'
import {
  type Authorize,
  type Caller,
  createAuthorize,
  toCaller,
} from '../../src/policy/authorize.ts'
import { compileRules } from '../../src/policy/compile-rules.ts'
import { compilePrincipal } from '../../src/policy/principal.ts'
import { type KeySet, parseKeySet } from '../../src/token/key-set.ts'
import { createVerifier, type Verifier } from '../../src/token/verifier.ts'
import { CLIENT_ID, GROUP, ISSUER } from '../tokens.ts'
import type { TokenSupply } from './token-supply.ts'

export interface PoolgateParts {
  readonly verifier: Verifier<Caller>
  readonly authorize: Authorize
  readonly table: ReturnType<typeof compileRules>['table']
  /** Names of the identity headers. */
  readonly identityHeaders: readonly string[]
}

export interface PoolgatePartsOptions {
  readonly routes: number
  readonly cacheEntries: number
}

const clock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  after: () => ({ cancel() {} }),
}

export async function createPoolgateParts(
  { jwks }: TokenSupply,
  { routes, cacheEntries }: PoolgatePartsOptions,
): Promise<PoolgateParts> {
  const { config } = loadConfig(toConfigText(routes), '(bench)', {})
  const keys = await parseKeySet(jwks)
  if (typeof keys === 'string') throw new Error(keys)
  const toPrincipal = compilePrincipal(config.identityHeaders)
  const verifier = createVerifier({
    clock,
    cache: { ...config.tokenCache, entries: cacheEntries },
    pools: Object.entries(config.userPools).map(([name, pool]) => ({
      settings: { ...pool, name, issuers: pool.issuer, resources: pool.resource },
      keys: toFixedKeys(keys),
    })),
    toPrincipal: (verified) => toCaller(toPrincipal(verified)),
  })
  const { table } = compileRules(config)
  const identityHeaders = Object.keys(config.identityHeaders)
  const authorize = createAuthorize(table, { clock, verifier, signIns: new Map() })
  return { verifier, authorize, table, identityHeaders }
}

/** `/service-N/items/*`, each for the group that the tokens have. */
function toConfigText(routes: number): string {
  return toYamlText({
    version: 1,
    userPools: {
      main: { userPoolId: ISSUER.slice(ISSUER.lastIndexOf('/') + 1), clientIds: [CLIENT_ID] },
    },
    upstreams: { service: { targets: ['http://127.0.0.1:9'] } },
    routes: Array.from({ length: routes }, (_, n) => ({
      name: `service-${n}`,
      match: { path: `/service-${n}/items/*` },
      access: { groups: { anyOf: [GROUP] } },
      upstream: 'service',
    })),
  })
}

function toFixedKeys(keys: KeySet) {
  return {
    find: (kid: string) => keys.get(kid),
    usable: () => true,
    failing: () => false,
    refreshNow: () => undefined,
    retryAfterSeconds: () => 1,
  }
}
