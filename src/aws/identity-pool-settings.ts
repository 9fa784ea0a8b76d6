// From what the configuration says of an identity pool to what it is asked with.
import type { Config } from '../config/schema.ts'
import { awsDomainOf, regionOfIdentityPool } from '../config/region.ts'
import type { IdentityPoolSettings } from './identity-pool.ts'

export function toIdentityPoolSettings({
  identityPoolId,
  endpoint,
  stsEndpoint,
  ...rest
}: Config['identityPools'][string]): IdentityPoolSettings {
  const region = regionOfIdentityPool(identityPoolId)
  const domain = awsDomainOf(region)
  return {
    ...rest,
    identityPoolId,
    endpoint: endpoint ?? `https://cognito-identity.${region}.${domain}`,
    stsEndpoint: stsEndpoint ?? `https://sts.${region}.${domain}`,
  }
}
