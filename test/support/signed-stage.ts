// A whole gateway before a stand-in for a service of AWS that checks each signature by itself, with an identity pool's API beside it.
import { loadConfig } from '../../src/config/load.ts'
import { createGateway, type Gateway } from '../../src/gateway.ts'
import {
  type IdentityEndpoint,
  startIdentityEndpoint,
  unverifiedClaims,
} from './identity-endpoint.ts'
import { isSignedWith } from './is-signed-with.ts'
import { createIssuer, type TestIssuer } from './issuer.ts'
import { startJwksServer } from './jwks-server.ts'
import { realClock } from './real-clock.ts'
import { type Received, startUpstreamServer, type UpstreamServer } from './upstream-server.ts'

export interface SignedStage {
  readonly origin: string
  readonly gateway: Gateway
  readonly issuer: TestIssuer
  readonly identity: IdentityEndpoint
  /** What stands for every service of AWS. */
  readonly service: UpstreamServer
  /** Whose credentials signed a request: a subject, `GUEST`, or why it was not signed by anybody. */
  signerOf(received: Received): string
  /** Every credential that was given, its secrets included. */
  readonly given: readonly { readonly AccessKeyId: string; readonly SecretKey: string }[]
  readonly logged: readonly string[]
  stop(): Promise<void>
}

export interface SignedStageParts {
  /** YAML of the upstreams: `SERVICE` stands for the stand-in's origin. */
  readonly upstreams: string
  readonly routes: string
  /** YAML of further settings of identity pool `main`, indented by four. */
  readonly pool?: string
  /** YAML of further settings at the top level. */
  readonly more?: string
}

export const POOL_ID = 'eu-west-1:01234567-89ab-cdef-0123-456789abcdef'

export async function startSignedStage(parts: SignedStageParts): Promise<SignedStage> {
  const issuer = createIssuer()
  const jwks = await startJwksServer(issuer.jwks())
  const service = await startUpstreamServer()
  const given: { AccessKeyId: string; SecretKey: string; SessionToken: string; owner: string }[] =
    []
  const identity = await startIdentityEndpoint({
    identityPoolId: POOL_ID,
    async credentialsFor(logins, role) {
      const [token] = Object.values(logins)
      const owner = token === undefined ? 'GUEST' : String(unverifiedClaims(token).sub)
      const number = String(given.length).padStart(12, '0')
      const credentials = {
        AccessKeyId: `ASIA${number}`,
        SecretKey: `s3cr3t/${number}+${owner}`,
        SessionToken: `t0k3n/${number}/${role ?? ''}`,
      }
      given.push({ ...credentials, owner })
      return { ...credentials, Expiration: Date.now() / 1_000 + 3_600 }
    },
  })
  const logged: string[] = []
  const text = `version: 1
listen: 127.0.0.1:0
admin: none
${parts.more ?? ''}
userPools:
  main: {userPoolId: ${issuer.userPoolId}, clientIds: [${issuer.clientId}, someoneelse], jwksUri: '${jwks.url}'}
identityPools:
  main:
    identityPoolId: ${POOL_ID}
    rate: 1000
    endpoint: ${identity.origin}
    stsEndpoint: ${identity.origin}
${parts.pool ?? ''}
upstreams:
${parts.upstreams.replaceAll('SERVICE', service.origin)}
routes:
${parts.routes}
`
  const gateway = createGateway(loadConfig(text, 'test.yaml', {}), {
    clock: realClock,
    version: '0.0.0-test',
    logDestination: { write: (line) => logged.push(line) },
  })
  const { origin } = await gateway.start()
  return {
    origin,
    gateway,
    issuer,
    identity,
    service,
    given,
    logged,
    signerOf(received) {
      const key = /Credential=([^/]+)/.exec(received.headers.authorization ?? '')?.[1]
      const found = given.find(({ AccessKeyId }) => AccessKeyId === key)
      if (found === undefined) return 'unsigned'
      if (received.headers['x-amz-security-token'] !== found.SessionToken) return 'wrong token'
      return isSignedWith(found.SecretKey, received) ? found.owner : 'wrong signature'
    },
    async stop() {
      const stopping = gateway.stop()
      void gateway.stop()
      await stopping
      await Promise.all([jwks.close(), service.close(), identity.close()])
    },
  }
}
