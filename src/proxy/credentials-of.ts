// Whose credentials a request to AWS is signed with: its caller's, a guest's where there is no caller, or the gateway's own where that is
// configured. None in the place of another.
import type { GatewayCredentials } from '../aws/gateway-credentials.ts'
import type { IdentityPool } from '../aws/identity-pool.ts'
import { toForeignLogin } from '../aws/login.ts'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../config/schema.ts'
import { valuesOf } from '../http/headers.ts'
import type { CredentialsOf } from '../upstream/aws-call-parts.ts'

export function createCredentialsOf(
  pool:
    | { readonly exchange: IdentityPool; readonly settings: Config['identityPools'][string] }
    | undefined,
  gateway: GatewayCredentials,
  clock: Pick<Clock, 'now'>,
): CredentialsOf {
  if (pool === undefined) return () => gateway.find()
  const { exchange, settings } = pool
  const logins = Object.entries(settings.logins)
  return ({ login, principal }, headers) => {
    if (login !== undefined) return exchange.find(login)
    if (principal !== undefined) return 'login'
    const given = logins.flatMap(([provider, header]) =>
      valuesOf(headers, header).map((token) => ({ provider, token })),
    )
    const [only] = given
    if (given.length > 1 || only?.token === '') return 'login'
    if (only !== undefined)
      return exchange.find(toForeignLogin(only.provider, only.token, clock.now()))
    return settings.guests ? exchange.find(undefined) : 'login'
  }
}
