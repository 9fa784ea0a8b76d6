// Which identity pool an upstream's callers are known to, what that one calls the user pool whose ID tokens it takes, and which one that is.
import type { Config } from './schema.ts'
import { awsDomainOf } from './region.ts'
import { regionOf } from './user-pool-defaults.ts'

/** The name of the user pool. */
export function userPoolOf(identityPool: string, { identityPools, userPools }: Config): string {
  const [only = ''] = Object.keys(userPools)
  return identityPools[identityPool]?.userPool ?? only
}

/** The key of `Logins`. */
export function loginKeyOf(identityPool: string, config: Config): string {
  const given = config.identityPools[identityPool]?.loginKey
  if (given !== undefined) return given
  const { userPoolId = '' } = config.userPools[userPoolOf(identityPool, config)] ?? {}
  const region = regionOf(userPoolId) ?? ''
  return `cognito-idp.${region}.${awsDomainOf(region)}/${userPoolId}`
}

/** The name of the identity pool that gives callers of the upstream their credentials; undefined where none does. */
export function identityPoolOf(upstream: string, { upstreams }: Config): string | undefined {
  const { aws, handOut } = upstreams[upstream] ?? {}
  return handOut?.identityPool ?? aws?.identityPool
}
