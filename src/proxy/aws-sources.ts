// What each AWS upstream depends on of the whole configuration.
import { toServicePlace } from '../aws/service.ts'
import { regionOfIdentityPool } from '../config/region.ts'
import type { Config } from '../config/schema.ts'
import type { AwsUpstreamSettings } from '../upstream/aws-call-parts.ts'

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
  const region = aws.region ?? regionOfIdentityPool(pool?.identityPoolId ?? '')
  const { origin, prefix } = toServicePlace({ ...rest, region, endpoint })
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
