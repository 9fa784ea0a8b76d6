// What a user pool's id alone tells: where its tokens say they come from; and where an issuer's keys are.
import { awsDomainOf } from './region.ts'

export interface UserPoolDefaults {
  /** The original and the updated form: AWS lets a live pool change from one to the other. */
  readonly issuer: readonly [string, string]
}

const USER_POOL_ID = /^([a-z]{2,5}(?:-[a-z]+)+-\d)_[A-Za-z0-9]{1,55}$/

/** Undefined where the id is not of the form REGION_ID. */
export function regionOf(userPoolId: string): string | undefined {
  return USER_POOL_ID.exec(userPoolId)?.[1]
}

/** Undefined where the id is not of the form REGION_ID. */
export function userPoolDefaults(userPoolId: string): UserPoolDefaults | undefined {
  const region = regionOf(userPoolId)
  if (region === undefined) return undefined
  const place = `${region}.${awsDomainOf(region)}/${userPoolId}`
  return { issuer: [`https://cognito-idp.${place}`, `https://issuer-cognito-idp.${place}`] }
}

/** Where an issuer's keys are unless configuration says otherwise. */
export function toJwksUri(issuer: string): string {
  return `${issuer}/.well-known/jwks.json`
}
