// Envoy with jwt_authn, its cache of tokens on, and RBAC on the claims.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { World } from '../contender.ts'
import { missingTool, printedVersion, TOOLS } from '../installed.ts'
import { ACCESS_LOG, freePort, launch } from '../launch.ts'
import type { CheckedContender } from '../refusals.ts'

const ENVOY = join(TOOLS, 'envoy/envoy/_bin/envoy')
const FILTERS = 'type.googleapis.com/envoy.extensions.filters'
const CACHE_ENTRIES = 10_000

export const envoyJwt: CheckedContender = {
  name: 'envoy-jwt',
  verifies: true,
  // RBAC has one status for everything it denies.
  deviations: { 'other client': 403, 'ID token': 403 },
  missing: () => missingTool(ENVOY),
  version: () => printedVersion(ENVOY, ['--version'], /\/(\d+\.\d+\.\d+)\//),
  async start(world, { cpus, workers }) {
    const port = await freePort()
    const configFile = join(world.dir, `envoy-${port}.json`)
    writeFileSync(configFile, JSON.stringify(toConfig(world, port), undefined, 2))
    const flags = [
      '--concurrency',
      String(workers),
      '--disable-hot-restart',
      '--log-level',
      'error',
    ]
    const command = [ENVOY, '-c', configFile, ...flags] as const
    return launch({ name: 'envoy-jwt', dir: world.dir, cpus, command, port })
  },
}

function toConfig(world: World, port: number): object {
  return {
    static_resources: {
      listeners: [
        {
          name: 'in',
          address: toAddress(port),
          filter_chains: [{ filters: [connectionManager(world)] }],
        },
      ],
      clusters: [
        {
          name: 'upstream',
          type: 'STATIC',
          connect_timeout: '3s',
          load_assignment: {
            cluster_name: 'upstream',
            endpoints: [
              { lb_endpoints: [{ endpoint: { address: toAddress(world.upstreamPort) } }] },
            ],
          },
        },
      ],
    },
  }
}

function connectionManager(world: World): object {
  const route = { cluster: 'upstream', timeout: '0s' }
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': `${FILTERS}.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: 'in',
      use_remote_address: true,
      normalize_path: true,
      access_log: [
        {
          name: 'envoy.access_loggers.file',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
            path: ACCESS_LOG,
          },
        },
      ],
      route_config: {
        virtual_hosts: [
          { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route }] },
        ],
      },
      http_filters: [jwtAuthn(world), rbac(world), router()],
    },
  }
}

/** It removes the client's copies of the fields that it writes claims to. */
function jwtAuthn(world: World): object {
  const provider = {
    issuer: world.issuer,
    require_expiration: true,
    // 0 would mean the default of 60 s.
    clock_skew_seconds: 1,
    local_jwks: { filename: world.jwksFile },
    from_headers: [{ name: 'Authorization', value_prefix: 'Bearer ' }],
    forward: true,
    jwt_cache_config: { jwt_cache_size: CACHE_ENTRIES },
    payload_in_metadata: 'claims',
    claim_to_headers: [
      { header_name: 'x-auth-subject', claim_name: 'sub' },
      { header_name: 'x-auth-groups', claim_name: 'cognito:groups' },
      { header_name: 'x-auth-client-id', claim_name: 'client_id' },
    ],
  }
  return {
    name: 'envoy.filters.http.jwt_authn',
    typed_config: {
      '@type': `${FILTERS}.http.jwt_authn.v3.JwtAuthentication`,
      providers: { pool: provider },
      rules: [{ match: { prefix: '/' }, requires: { provider_name: 'pool' } }],
    },
  }
}

function rbac(world: World): object {
  const rule = [
    claimMatches('token_use', { string_match: { exact: 'access' } }),
    claimMatches('client_id', { string_match: { exact: world.clientId } }),
    claimMatches('cognito:groups', {
      list_match: { one_of: { string_match: { exact: world.group } } },
    }),
  ]
  const policy = { permissions: [{ any: true }], principals: [{ and_ids: { ids: rule } }] }
  return {
    name: 'envoy.filters.http.rbac',
    typed_config: {
      '@type': `${FILTERS}.http.rbac.v3.RBAC`,
      rules: { action: 'ALLOW', policies: { admins: policy } },
    },
  }
}

function claimMatches(claim: string, value: object): object {
  const path = [{ key: 'claims' }, { key: claim }]
  const matcher = { filter: 'envoy.filters.http.jwt_authn', path, value }
  return { sourced_metadata: { metadata_matcher: matcher } }
}

function router(): object {
  return {
    name: 'envoy.filters.http.router',
    typed_config: { '@type': `${FILTERS}.http.router.v3.Router` },
  }
}

function toAddress(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}
