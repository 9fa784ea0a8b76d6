// oauth2-proxy as people put it before APIs: bearer tokens of one issuer, no sign-in.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { World } from '../contender.ts'
import { missingTool, printedVersion, TOOLS } from '../installed.ts'
import { ACCESS_LOG, freePort, launch } from '../launch.ts'
import type { CheckedContender } from '../refusals.ts'

const OAUTH2_PROXY = join(TOOLS, 'oauth2-proxy')

export const oauth2Proxy: CheckedContender = {
  name: 'oauth2-proxy',
  verifies: true,
  // It knows no claim like token_use.
  deviations: { 'ID token': 200 },
  missing: () => missingTool(OAUTH2_PROXY),
  version: () => printedVersion(OAUTH2_PROXY, ['--version'], /(v\d+\.\d+\.\d+)/),
  async start(world, { cpus, workers }) {
    const port = await freePort()
    const files = join(world.dir, `oauth2-proxy-${port}`)
    writeFileSync(`${files}.cfg`, SETTINGS)
    writeFileSync(`${files}.yaml`, JSON.stringify(toAlphaConfig(world, port), undefined, 2))
    const flags = ['--config', `${files}.cfg`, '--alpha-config', `${files}.yaml`]
    const command = [OAUTH2_PROXY, ...flags] as const
    const env = { GOMAXPROCS: String(workers) }
    return launch({ name: 'oauth2-proxy', dir: world.dir, cpus, command, env, port })
  },
}

// The cookie's secret is asked for at start and never used.
const SETTINGS = `
skip_jwt_bearer_tokens = true
force_json_errors = true
email_domains = ["*"]
cookie_secret = "${'0'.repeat(32)}"
logging_filename = "${ACCESS_LOG}"
request_logging = true
auth_logging = false
`

/**
 * The provider's own verifier takes the tokens, because an extra issuer's groups cannot come from `cognito:groups`.
 * The client's id travels as the session's e-mail address, the only field left for it.
 */
function toAlphaConfig(world: World, port: number): object {
  return {
    server: { BindAddress: `127.0.0.1:${port}` },
    upstreamConfig: {
      upstreams: [{ id: 'upstream', path: '/', uri: `http://127.0.0.1:${world.upstreamPort}` }],
    },
    injectRequestHeaders: [
      { name: 'X-Auth-Subject', values: [{ claim: 'user' }] },
      { name: 'X-Auth-Groups', values: [{ claim: 'groups' }] },
      { name: 'X-Auth-Client-Id', values: [{ claim: 'email' }] },
    ],
    providers: [
      {
        id: 'pool',
        provider: 'oidc',
        clientID: world.clientId,
        clientSecret: 'unused',
        loginURL: 'http://127.0.0.1:1/login',
        redeemURL: 'http://127.0.0.1:1/token',
        allowedGroups: [world.group],
        oidcConfig: {
          issuerURL: world.issuer,
          skipDiscovery: true,
          jwksURL: world.jwksUrl,
          audienceClaims: ['client_id'],
          emailClaim: 'client_id',
          groupsClaim: 'cognito:groups',
          userIDClaim: 'sub',
        },
      },
    ],
  }
}
