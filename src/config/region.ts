// AWS regions: how they are written, and the domain that their services are in.

export const REGION = 'a region such as eu-west-1'
export const REGION_PATTERN = /^[a-z]{2,5}(-[a-z]+)+-\d{1,2}$/

/** The domain that a region's services are in. */
export function awsDomainOf(region: string): string {
  if (region.startsWith('cn-')) return 'amazonaws.com.cn'
  return region.startsWith('eusc-') ? 'amazonaws.eu' : 'amazonaws.com'
}

/** The region of an identity pool, which its id begins with. */
export function regionOfIdentityPool(identityPoolId: string): string {
  return identityPoolId.split(':', 1)[0] ?? ''
}
