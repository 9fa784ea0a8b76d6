// A whole gateway between a key endpoint and an upstream of the test's own, on loopback and on free ports.
import { loadConfig } from '../../src/config/load.ts'
import { createGateway, type Gateway } from '../../src/gateway.ts'
import { createIssuer, type TestIssuer } from './issuer.ts'
import { type JwksServer, startJwksServer } from './jwks-server.ts'
import { realClock } from './real-clock.ts'
import { startUpstreamServer, type UpstreamServer } from './upstream-server.ts'

export interface RunningGateway {
  readonly origin: string
  readonly adminOrigin: string
  /** Where decisions are asked for by gRPC; '' for nowhere. */
  readonly extAuthz: string
  readonly gateway: Gateway
  readonly issuer: TestIssuer
  readonly jwks: JwksServer
  readonly upstream: UpstreamServer
  /** Access lines so far, parsed. */
  accessLines(): Record<string, unknown>[]
  /** Everything logged so far. */
  readonly logged: string[]
  /** The configuration text with these parts changed. */
  config(changes?: ConfigParts): string
  stop(): Promise<void>
}

export interface ConfigParts {
  /** YAML of the routes list; `up` is the upstream's name. */
  readonly routes?: string
  /** YAML of further settings at the top level. */
  readonly more?: string
  /** YAML of further settings of the user pool, indented by four. */
  readonly pool?: string
  /** YAML of further settings of the upstream, indented by four. */
  readonly up?: string
  readonly upstreamOrigin?: string | readonly string[]
  /** YAML of how the upstream's targets are found, in their place. */
  readonly discover?: string
  /** YAML of a service of AWS, in the place of the upstream's targets. */
  readonly aws?: string
  readonly listen?: string
  readonly admin?: string
  /** What the key endpoint answers at first; by default the issuer's keys. */
  readonly keys?: Parameters<JwksServer['serve']>[0]
  readonly issuer?: TestIssuer
}

const ROUTES = `
  - {name: open, match: {path: /public/*}, access: public, upstream: up}
  - {name: api, match: {path: /api/*}, access: authenticated, upstream: up}
  - {name: admin, match: {path: /admin/*}, access: {groups: {anyOf: [admins]}}, upstream: up}
`

export async function startGateway(parts: ConfigParts = {}): Promise<RunningGateway> {
  const { issuer = createIssuer() } = parts
  const jwks = await startJwksServer(issuer.jwks())
  if (parts.keys) jwks.serve(parts.keys)
  const upstream = await startUpstreamServer()
  const logged: string[] = []
  const config = (changes: ConfigParts = {}) =>
    toYaml({ ...parts, ...changes }, issuer, jwks, upstream)
  const gateway = createGateway(loadConfig(config(), 'test.yaml', {}), {
    clock: realClock,
    version: '0.0.0-test',
    logDestination: { write: (line) => logged.push(line) },
  })
  const { origin, adminOrigin = '', extAuthz = '' } = await gateway.start()
  return {
    origin,
    adminOrigin,
    extAuthz,
    gateway,
    issuer,
    jwks,
    upstream,
    logged,
    config,
    accessLines: () => logged.map((line) => JSON.parse(line)).filter((line) => 'decision' in line),
    async stop() {
      const stopping = gateway.stop()
      void gateway.stop()
      await stopping
      await Promise.all([jwks.close(), upstream.close()])
    },
  }
}

function toYaml(
  parts: ConfigParts,
  { userPoolId, clientId }: TestIssuer,
  jwks: JwksServer,
  upstream: UpstreamServer,
): string {
  return `version: 1
listen: ${parts.listen ?? '127.0.0.1:0'}
admin: ${parts.admin ?? '127.0.0.1:0'}
${parts.more ?? ''}
userPools:
  main:
    userPoolId: ${userPoolId}
    clientIds: [${clientId}]
    jwksUri: ${jwks.url}
${parts.pool ?? ''}
upstreams:
  up:
    ${
      parts.aws !== undefined
        ? `aws: ${parts.aws}`
        : parts.discover === undefined
          ? `targets: ${JSON.stringify([parts.upstreamOrigin ?? upstream.origin].flat())}`
          : `discover: ${parts.discover}`
    }
${parts.up ?? ''}
routes: ${parts.routes ?? ROUTES}`
}
