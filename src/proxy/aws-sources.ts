// What identity pools and AWS upstreams depend on of the whole configuration, and whose credentials a request is signed with.
import type { GatewayCredentials } from '../aws/gateway-credentials.ts'
import type { IdentityPool } from '../aws/identity-pool.ts'
import { toForeignLogin } from '../aws/login.ts'
import { toServicePlace } from '../aws/service.ts'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../config/schema.ts'
import { valuesOf } from '../http/headers.ts'
import type { AwsUpstreamSettings, CredentialsOf } from '../upstream/aws-call-parts.ts'

type IdentityPoolConfig = Config['identityPools'][string]
export type AwsConfig = NonNullable<Config['upstreams'][string]['aws']>

/** Everything that an upstream's requests are made of. */
export interface AwsSource {
  readonly origin: string
  readonly settings: AwsUpstreamSettings
  /** Undefined where the gateway signs as itself. */
  readonly identityPool:
    { readonly name: string; readonly settings: IdentityPoolConfig } | undefined
}

export function toAwsSource(aws: AwsConfig, config: Config): AwsSource {
  const { identityPool: name, endpoint, function: lambda, ...rest } = aws
  const pool = name === undefined ? undefined : config.identityPools[name]
  const region = aws.region ?? pool?.identityPoolId.split(':')[0] ?? ''
  const { origin, prefix } = toServicePlace({ ...rest, region, endpoint, function: lambda })
  const isApplication = aws.service === 'execute-api' || aws.service === 'lambda'
  return {
    origin,
    identityPool: name === undefined || pool === undefined ? undefined : { name, settings: pool },
    settings: {
      service: aws.service,
      region,
      host: new URL(origin).host,
      prefix,
      maxBody: aws.maxBody,
      hideInternals: aws.hideInternals,
      otherKeys: aws.otherKeys,
      actions: aws.actions,
      isS3: aws.service === 's3',
      isApplication,
      lambda: lambda === undefined ? undefined : { name: lambda, streaming: aws.streaming },
      hidden: [
        ...Object.values(pool?.logins ?? {}),
        ...(isApplication ? [] : Object.keys(config.identityHeaders)),
      ],
    },
  }
}

export function createCredentialsOf(
  pool: { readonly exchange: IdentityPool; readonly settings: IdentityPoolConfig } | undefined,
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
