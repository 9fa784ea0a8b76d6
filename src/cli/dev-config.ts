// The configuration that `poolgate dev` runs: its own demo routes, or a given file with the dev pool in place of its user pools.
import { randomBytes } from 'node:crypto'
import type { LoadedConfig } from '../config/load.ts'
import { regionOfIdentityPool } from '../config/region.ts'
import type { SessionSettings } from '../config/schema-session.ts'
import { isLoopbackHost } from '../config/web-address.ts'
import { toYamlText } from '../config/yaml-text.ts'

export interface DevPoolFacts {
  readonly userPoolId: string
  readonly clientId: string
  /** The app client that browsers sign in with. */
  readonly webClientId: string
  /** Where the managed login answers. */
  readonly origin: string
  readonly issuer: string
  readonly jwksUri: string
  /** Its identity pool, and STS, are at its origin. */
  readonly identityPool: { readonly id: string; readonly loginKey: string }
  /** All that its sign-ins can have. */
  scopes(): readonly string[]
  /** By name or identifier. */
  hasProvider(name: string): boolean
}

/** What stands behind the demo's routes. */
export interface DemoUpstreams {
  readonly demo: { readonly origin: string }
  /** A stand-in for S3. */
  readonly files: { readonly origin: string; readonly region: string; readonly bucket: string }
}

export interface DevSettings {
  /** On 127.0.0.1. */
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
  { demo, files }: DemoUpstreams,
  { port, adminPort, verbose }: DevSettings,
): string {
  const { userPoolId, issuer, jwksUri } = pool
  return toYamlText({
    version: 1,
    listen: `${HOST}:${port}`,
    admin: `${HOST}:${adminPort}`,
    userPools: { dev: { userPoolId, clientIds: clientIdsOf(pool), issuer, jwksUri } },
    sessions: {
      dev: {
        domain: pool.origin,
        clientId: pool.webClientId,
        origins: originsAt(port),
        // They end with this process, as the pool does.
        keys: [randomBytes(32).toString('base64')],
        scopes: ['openid', 'email', 'profile', 'orders/read', 'orders/write'],
      },
    },
    identityPools: {
      main: { identityPoolId: pool.identityPool.id, ...toDevPlaces(pool), guests: true },
    },
    upstreams: {
      demo: { targets: [demo.origin] },
      files: toFilesUpstream(files),
    },
    timeouts: { drain: '1s' },
    log: verbose ? VERBOSE_LOG : { level: 'warn', access: 'none' },
    routes: [
      toRoute('public', { path: '/public/*' }, 'public'),
      toRoute('health', { path: '/health' }, 'public'),
      // Many upstreams take it for /health, and then /health has to satisfy the route of /health/ too.
      toRoute('health-slash', { path: '/health/' }, 'public'),
      // The first one is what the guide opens.
      toPage('me', { path: '/me' }, { tokenUse: 'id' }),
      toPage('all', { path: '/*' }, 'authenticated'),
      toPage('admin', { path: '/admin/*' }, { groups: { anyOf: ['admins'] } }),
      toPage('vault', { path: '/vault/*' }, { acr: ['urn:cognito:loa:4'] }),
      toPage('google', { path: '/google/*' }, { tokenUse: 'id', providers: { anyOf: ['Google'] } }),
      toRoute(
        'place-order',
        { path: '/orders', methods: ['POST', 'PUT', 'PATCH', 'DELETE'] },
        { scopes: { allOf: ['orders/write'] } },
      ),
      ...toFileRoutes(),
      toPage(
        'acme',
        { path: '/tenants/acme/*' },
        { tokenUse: 'id', claims: { 'custom:tenant': 'acme' } },
      ),
    ],
  })
}

function toFilesUpstream({ origin, region, bucket }: DemoUpstreams['files']) {
  const place = { region, bucket, pathStyle: true, endpoint: origin }
  return { aws: { service: 's3', identityPool: 'main', ...place } }
}

/** Whose they are is not decided here: the role of the caller's own credentials says so. */
function toFileRoutes() {
  const reading = { path: '/files/public/*', methods: ['GET', 'HEAD'] }
  return [
    toPage('files', { path: '/files/*' }, { tokenUse: 'any' }),
    // Lists are asked for at /files/, which is /files to many, and then both have to let them through.
    toPage('list-files', { path: '/files' }, { tokenUse: 'any' }),
    toRoute('public-files', reading, 'public'),
  ].map((route) => ({ ...route, upstream: 'files', rewrite: { stripPrefix: '/files' } }))
}

function toRoute(name: string, match: object, access: unknown) {
  return { name, match, access, upstream: 'demo' }
}

/** For browsers too. */
function toPage(name: string, match: object, access: unknown) {
  return { ...toRoute(name, match, access), signIn: 'dev' }
}

/** An identity pool's, in place of AWS's. */
function toDevPlaces({ origin, identityPool: { loginKey } }: DevPoolFacts) {
  return { loginKey, endpoint: origin, stsEndpoint: origin }
}

function clientIdsOf({ clientId, webClientId }: DevPoolFacts): string[] {
  return [clientId, webClientId]
}

/** Whatever a person calls this machine by. */
function originsAt(port: number): string[] {
  return [`http://localhost:${port}`, `http://${HOST}:${port}`]
}

/**
 * All user pools become the one dev pool, under the first one's name, all identity pools the dev pool's, and the listeners loopback
 * without TLS; the rest, unless verbose the log too, stays as the file says.
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
    warnings: [
      ...warnings,
      ...(others.length === 0 ? [] : [toOnePoolWarning(loaded)]),
      ...toSessionWarnings(loaded, pool),
      ...toAwsWarnings(loaded),
    ],
    config: {
      ...config,
      listen: { address: { kind: 'tcp', host: HOST, port }, http2: config.listen.http2 },
      admin: { address: { kind: 'tcp', host: HOST, port: adminPort } },
      extAuthz: toLoopback(config.extAuthz),
      userPools: name === undefined ? {} : { [name]: toDevPool(config.userPools[name]!, pool) },
      identityPools: mapValues(config.identityPools, (given) => toDevIdentityPool(given, pool)),
      upstreams: mapValues(config.upstreams, (given) => toDevUpstream(given, config, pool)),
      sessions: mapValues(config.sessions, (session) => toDevSession(session, pool, port)),
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
type IdentityPool = Config['identityPools'][string]
type Upstream = Config['upstreams'][string]
type Access = Config['routes'][number]['access']

/** The dev pool's tokens are bound to no resource, and its keys are always fresh. */
function toDevPool({ jwksFile: _, resource: __, ...rest }: UserPool, pool: DevPoolFacts): UserPool {
  const { userPoolId, issuer, jwksUri } = pool
  return { ...rest, userPoolId, clientIds: clientIdsOf(pool), issuer: [issuer], jwksUri }
}

/** Its one user pool is the dev pool. */
function toDevIdentityPool(given: IdentityPool, pool: DevPoolFacts): IdentityPool {
  const { userPool: _, accountId: __, ...rest } = given
  return { ...rest, ...toDevPlaces(pool), identityPoolId: pool.identityPool.id }
}

/** In the region that it was in: the dev pool's is another one. */
function toDevUpstream(given: Upstream, { identityPools }: Config, pool: DevPoolFacts): Upstream {
  const { aws, handOut } = given
  const exchange = identityPools[aws?.identityPool ?? '']
  const region = exchange && regionOfIdentityPool(exchange.identityPoolId)
  return {
    ...given,
    ...(aws && region !== undefined && { aws: { region, ...aws } }),
    ...(handOut && { handOut: { ...handOut, clientIds: clientIdsOf(pool) } }),
  }
}

/** The managed login is the dev pool's, at the origins of this gateway and of an ingress on this machine; a store stays what it is. */
function toDevSession(given: SessionSettings, pool: DevPoolFacts, port: number): SessionSettings {
  const { userPool: _, clientSecret: __, resource: ___, ...session } = given
  const { identityProvider, idpIdentifier, ...rest } = session
  const local = rest.origins.filter((each) => isLoopbackHost(new URL(each).hostname))
  const isPlayed = (name: string | undefined): name is string =>
    name !== undefined && pool.hasProvider(name)
  return {
    ...rest,
    ...(isPlayed(identityProvider) && { identityProvider }),
    ...(isPlayed(idpIdentifier) && { idpIdentifier }),
    domain: pool.origin,
    clientId: pool.webClientId,
    origins: [...new Set([...originsAt(port), ...local])],
    scopes: rest.scopes.filter((scope) => pool.scopes().includes(scope)),
  }
}

/** What is left out, because the dev pool would refuse every sign-in for it. */
function toSessionWarnings({ config, problemAt }: LoadedConfig, pool: DevPoolFacts) {
  return Object.entries(config.sessions).flatMap(([session, settings]) => {
    const { scopes, identityProvider, idpIdentifier } = settings
    const unknown = scopes.filter((scope) => !pool.scopes().includes(scope))
    const providers = Object.entries({ identityProvider, idpIdentifier }).filter(
      ([, name]) => name !== undefined && !pool.hasProvider(name),
    )
    const leftOut = [
      ...(unknown.length === 0
        ? []
        : [['scopes', `${unknown.join(', ')}; the users file can give them to a user`] as const]),
      ...providers.map(([key, name]) => [key, `${name}; users choose how they sign in`] as const),
    ]
    return leftOut.map(([key, what]) =>
      problemAt(['sessions', session, key], `left out, for the dev pool does not know ${what}`),
    )
  })
}

function mapValues<V>(given: Readonly<Record<string, V>>, change: (value: V) => V) {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, change(value)]))
}

/** Where there is one pool, no route has to name it. */
function toDevAccess(access: Access): Access {
  if (typeof access === 'string') return access
  const { userPool: _, ...rest } = access
  return rest
}

function toAwsWarnings({ config, problemAt }: LoadedConfig) {
  return Object.entries(config.upstreams).flatMap(([name, { aws }]) =>
    aws?.identityPool === undefined || aws.endpoint !== undefined
      ? []
      : [
          problemAt(
            ['upstreams', name, 'aws'],
            "AWS knows no credentials of the dev pool's: give it the endpoint of an emulator",
          ),
        ],
  )
}

/** Two pools could not tell their tokens apart: the dev pool has one issuer. */
function toOnePoolWarning({ config, problemAt }: LoadedConfig) {
  const names = Object.keys(config.userPools).join(', ')
  return problemAt(['userPools'], `the dev pool stands for all of them: ${names}; so do its users`)
}
