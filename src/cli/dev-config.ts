// The configuration that `poolgate dev` runs: its own demo routes, or a given file with the dev pool in place of its user pools.
import type { LoadedConfig } from '../config/load.ts'
import { toYamlText } from '../config/yaml-text.ts'

export interface DevPoolFacts {
  readonly userPoolId: string
  readonly clientId: string
  readonly issuer: string
  readonly jwksUri: string
}

export interface DevAddresses {
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port: number
  readonly adminPort: number
}

const HOST = '127.0.0.1'

/** One route for each kind of access; the guide's curl lines go through all of them. */
export function toDemoConfig(
  pool: DevPoolFacts,
  upstreamOrigin: string,
  { port, adminPort }: DevAddresses,
): string {
  const { userPoolId, clientId, issuer, jwksUri } = pool
  return toYamlText({
    version: 1,
    listen: `${HOST}:${port}`,
    admin: `${HOST}:${adminPort}`,
    userPools: { dev: { userPoolId, clientIds: [clientId], issuer, jwksUri } },
    upstreams: { demo: { targets: [upstreamOrigin] } },
    timeouts: { drain: '1s' },
    log: { level: 'warn' },
    routes: [
      toRoute('public', { path: '/public/*' }, 'public'),
      toRoute('health', { path: '/health' }, 'public'),
      // Many upstreams take it for /health, and then /health has to satisfy the route of /health/ too.
      toRoute('health-slash', { path: '/health/' }, 'public'),
      toRoute('all', { path: '/*' }, 'authenticated'),
      toRoute('admin', { path: '/admin/*' }, { groups: { anyOf: ['admins'] } }),
      toRoute(
        'place-order',
        { path: '/orders', methods: ['POST'] },
        { scopes: { allOf: ['orders/write'] } },
      ),
      toRoute(
        'acme',
        { path: '/tenants/acme/*' },
        { tokenUse: 'id', claims: { 'custom:tenant': 'acme' } },
      ),
    ],
  })
}

function toRoute(name: string, match: object, access: unknown) {
  return { name, match, access, upstream: 'demo' }
}

/** Every user pool becomes the dev pool, and the listeners loopback without TLS; the rest stays as the file says. */
export function withDevPool(
  loaded: LoadedConfig,
  { userPoolId, clientId, issuer, jwksUri }: DevPoolFacts,
  { port, adminPort }: DevAddresses,
): LoadedConfig {
  const { config } = loaded
  const pools = Object.entries(config.userPools).map(([name, { jwksFile: _, ...pool }]) => {
    const dev = { userPoolId, clientIds: [clientId], issuer: [issuer], jwksUri }
    return [name, { ...pool, ...dev }]
  })
  return {
    ...loaded,
    config: {
      ...config,
      listen: { address: { kind: 'tcp', host: HOST, port } },
      admin: { address: { kind: 'tcp', host: HOST, port: adminPort } },
      userPools: Object.fromEntries(pools),
    },
  }
}
