// Users of one user pool, an identity pool that gives each the role of the ID token, and the configuration of a gateway before AWS.
import type { Test } from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { createGateway } from '../../src/gateway.ts'
import type { IdentityCredentials } from './assume-role.ts'
import {
  type IdentityEndpoint,
  startIdentityEndpoint,
  unverifiedClaims,
} from './identity-endpoint.ts'
import { createIssuer } from './issuer.ts'
import { startJwksServer } from './jwks-server.ts'
import { realClock } from './real-clock.ts'

export interface AwsUser {
  readonly sub: string
  readonly idToken: string
  readonly accessToken: string
}

export interface AwsStage<User extends string> {
  readonly users: Readonly<Record<User, AwsUser>>
  readonly identity: IdentityEndpoint
  /** All that were given so far. */
  readonly given: readonly IdentityCredentials[]
  /** YAML of a gateway on a free port. */
  readonly config: string
}

export interface AwsStageParts<User extends string> {
  /** Who there is → the ARN of the role that the ID token prefers. */
  readonly roles: Readonly<Record<User, string>>
  readonly assume: (roleArn: string, sessionName: string) => Promise<IdentityCredentials>
  /** YAML of the mapping, indented by two; the identity pool is `main`. */
  readonly upstreams: string
  /** YAML of the list. */
  readonly routes: string
}

const IDENTITY_POOL = 'eu-west-1:01234567-89ab-cdef-0123-456789abcdef'

export async function createAwsStage<User extends string>(
  t: Test,
  { roles, assume, upstreams, routes }: AwsStageParts<User>,
): Promise<AwsStage<User>> {
  const issuer = createIssuer()
  const jwks = await startJwksServer(issuer.jwks())
  const given: IdentityCredentials[] = []
  const identity = await startIdentityEndpoint({
    identityPoolId: IDENTITY_POOL,
    async credentialsFor(logins, customRoleArn) {
      const claims = unverifiedClaims(Object.values(logins)[0] ?? '')
      const role = customRoleArn ?? String(claims['cognito:preferred_role'])
      const credentials = await assume(role, String(claims.sub))
      given.push(credentials)
      return credentials
    },
  })
  t.teardown(() => Promise.all([jwks.close(), identity.close()]))
  const users = Object.entries<string>(roles).map(([name, role]): [string, AwsUser] => {
    const sub = `${name}-4444-5555`
    const claims = { sub, 'cognito:roles': [role], 'cognito:preferred_role': role }
    return [name, { sub, idToken: issuer.id(claims), accessToken: issuer.access({ sub }) }]
  })
  return {
    users: Object.fromEntries(users) as Record<User, AwsUser>,
    identity,
    given,
    config: `version: 1
listen: 127.0.0.1:0
admin: 127.0.0.1:0
userPools:
  main: {userPoolId: ${issuer.userPoolId}, clientIds: [${issuer.clientId}], jwksUri: '${jwks.url}'}
identityPools:
  main: {identityPoolId: '${IDENTITY_POOL}', endpoint: '${identity.origin}'}
upstreams:
${upstreams}
routes:
${routes}
`,
  }
}

export interface AwsGateway {
  readonly origin: string
  /** Everything logged so far. */
  logged(): string
}

export async function startAwsGateway(t: Test, { config }: { config: string }) {
  const lines: string[] = []
  const gateway = createGateway(loadConfig(config, 'test.yaml', {}), {
    clock: realClock,
    version: '0.0.0-test',
    logDestination: { write: (line) => lines.push(line) },
  })
  const { origin } = await gateway.start()
  t.teardown(() => {
    const stopped = gateway.stop()
    void gateway.stop()
    return stopped
  })
  return { origin, logged: () => lines.join('') }
}
