// The configuration that `poolgate dev` runs: its own demo routes, or a given file with the dev pool in place of its user pools.
import type { LoadedConfig } from '../config/load.ts'
import { toYamlText } from '../config/yaml-text.ts'

export interface DevPoolFacts {
  readonly userPoolId: string
  readonly clientId: string
  readonly issuer: string
  readonly jwksUri: string
}

export interface DevSettings {
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port: number
  readonly adminPort: number
  /** Access lines, and what the gateway does; they would bury the guide. */
  readonly verbose: boolean
}

const HOST = '127.0.0.1'
const VERBOSE_LOG = { level: 'info', access: 'all' } as const

/** One route for each kind of access; the guide's curl lines go through all of them. */
export function toDemoConfig(
  pool: DevPoolFacts,
  upstreamOrigin: string,
  { port, adminPort, verbose }: DevSettings,
): string {
  const { userPoolId, clientId, issuer, jwksUri } = pool
  return toYamlText({
    version: 1,
    listen: `${HOST}:${port}`,
    admin: `${HOST}:${adminPort}`,
    userPools: { dev: { userPoolId, clientIds: [clientId], issuer, jwksUri } },
    upstreams: { demo: { targets: [upstreamOrigin] } },
    timeouts: { drain: '1s' },
    log: verbose ? VERBOSE_LOG : { level: 'warn', access: 'none' },
    routes: [
      toRoute('public', { path: '/public/*' }, 'public'),
      toRoute('health', { path: '/health' }, 'public'),
      // Many upstreams take it for /health, and then /health has to satisfy the route of /health/ too.
      toRoute('health-slash', { path: '/health/' }, 'public'),
      toRoute('all', { path: '/*' }, 'authenticated'),
      toRoute('admin', { path: '/admin/*' }, { groups: { anyOf: ['admins'] } }),
      toRoute(
        'place-order',
        { path: '/orders', methods: ['POST', 'PUT', 'PATCH', 'DELETE'] },
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

/**
 * All user pools become the one dev pool, under the first one's name, and the listeners loopback without TLS; the rest,
 * unless verbose the log too, stays as the file says.
 */
export function withDevPool(
  loaded: LoadedConfig,
  pool: DevPoolFacts,
  { port, adminPort, verbose }: DevSettings,
): LoadedConfig {
  const { config, warnings } = loaded
  const [name, ...others] = Object.keys(config.userPools)
  return {
    ...loaded,
    warnings: others.length === 0 ? warnings : [...warnings, toOnePoolWarning(loaded)],
    config: {
      ...config,
      listen: { address: { kind: 'tcp', host: HOST, port }, http2: config.listen.http2 },
      admin: { address: { kind: 'tcp', host: HOST, port: adminPort } },
      extAuthz: toLoopback(config.extAuthz),
      userPools: name === undefined ? {} : { [name]: toDevPool(config.userPools[name]!, pool) },
      routes: config.routes.map((route) => ({ ...route, access: toDevAccess(route.access) })),
      log: verbose ? VERBOSE_LOG : config.log,
    },
  }
}

/** On the port that the file has, where an ingress looks for it. */
function toLoopback(extAuthz: Config['extAuthz']): Config['extAuthz'] {
  if (extAuthz === 'none' || extAuthz.address.kind === 'unix') return extAuthz
  return { address: { ...extAuthz.address, host: HOST } }
}

type Config = LoadedConfig['config']
type UserPool = Config['userPools'][string]
type Access = Config['routes'][number]['access']

/** The dev pool's tokens are bound to no resource, and its keys are always fresh. */
function toDevPool(
  { jwksFile: _, resource: __, ...rest }: UserPool,
  { userPoolId, clientId, issuer, jwksUri }: DevPoolFacts,
): UserPool {
  return { ...rest, userPoolId, clientIds: [clientId], issuer: [issuer], jwksUri }
}

/** Where there is one pool, no route has to name it. */
function toDevAccess(access: Access): Access {
  if (typeof access === 'string') return access
  const { userPool: _, ...rest } = access
  return rest
}

/** Two pools could not tell their tokens apart: the dev pool has one issuer. */
function toOnePoolWarning({ config, problemAt }: LoadedConfig) {
  const names = Object.keys(config.userPools).join(', ')
  return problemAt(['userPools'], `the dev pool stands for all of them: ${names}; so do its users`)
}
