// Which role an identity gets, chosen as Cognito does: custom role, token, rules, default. A role that the token does not have is refused.
import type { JWTPayload } from 'jose'
import { type ApiError, notAuthorized, toApiError } from '../api-error.ts'
import type { IdentityPoolSettings, RoleMapping, RoleRule } from './identity-pool-settings.ts'

/** @param customRoleArn what the call asks for */
export function chooseRole(
  { authenticatedRole, roleMapping }: IdentityPoolSettings,
  provider: string,
  claims: JWTPayload,
  customRoleArn: string | undefined,
): string | ApiError {
  const isByToken = roleMapping?.type === 'Token'
  if (customRoleArn !== undefined) {
    return isByToken && rolesIn(claims).includes(customRoleArn) ? customRoleArn : NOT_IN_TOKEN
  }
  const mapped = roleMapping && toMappedRole(roleMapping, claims)
  if (mapped !== undefined) return mapped
  if (roleMapping?.ambiguousRoleResolution === 'Deny') {
    return notAuthorized(`The ambiguous role mapping rules for: ${provider} denied this request.`)
  }
  return authenticatedRole ?? NO_ROLE
}

export function chooseGuestRole({
  allowGuests,
  unauthenticatedRole,
}: IdentityPoolSettings): string | ApiError {
  return allowGuests ? (unauthenticatedRole ?? NO_ROLE) : NO_GUESTS
}

export function rolesIn(claims: JWTPayload): readonly string[] {
  const roles = claims['cognito:roles']
  return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : []
}

function toMappedRole({ type, rules = [] }: RoleMapping, claims: JWTPayload): string | undefined {
  if (type === 'Rules') return rules.find((rule) => matches(rule, claims))?.roleArn
  const preferred = claims['cognito:preferred_role']
  if (typeof preferred === 'string') return preferred
  // With several, nothing says which.
  const [only, ...others] = rolesIn(claims)
  return others.length === 0 ? only : undefined
}

function matches({ claim, matchType, value }: RoleRule, claims: JWTPayload): boolean {
  const given = Object.hasOwn(claims, claim) ? claims[claim] : undefined
  if (given === undefined) return false
  const text = String(given)
  if (matchType === 'Equals') return text === value
  if (matchType === 'NotEqual') return text !== value
  return matchType === 'StartsWith' ? text.startsWith(value) : text.includes(value)
}

export const NO_GUESTS: ApiError = notAuthorized(
  'Unauthenticated access is not supported for this identity pool.',
)
const NOT_IN_TOKEN = notAuthorized('The custom role is not one of the roles of the login token.')
const NO_ROLE = toApiError(
  'InvalidIdentityPoolConfigurationException',
  'Invalid identity pool configuration. Check assigned IAM roles for this pool.',
)
