// How the dev pool's identity pool is set up, in the words of Cognito's API. Nothing here is a secret: nobody trusts a dev pool's roles.

export interface RoleRule {
  /** Name of a claim of the ID token. */
  readonly claim: string
  readonly matchType: 'Equals' | 'NotEqual' | 'StartsWith' | 'Contains'
  readonly value: string
  readonly roleArn: string
}

export interface RoleMapping {
  /** `Token`: by `cognito:roles` and `cognito:preferred_role`. `Rules`: the first rule that matches. */
  readonly type: 'Token' | 'Rules'
  /** What happens where the mapping names no role. */
  readonly ambiguousRoleResolution: 'AuthenticatedRole' | 'Deny'
  readonly rules?: readonly RoleRule[]
}

export interface IdentityPoolSettings {
  /** `REGION:UUID` */
  readonly id: string
  /** Undefined: users whom the mapping gives no role get no credentials. */
  readonly authenticatedRole?: string | undefined
  readonly unauthenticatedRole?: string | undefined
  /** Whether callers without a login get the unauthenticated role. */
  readonly allowGuests: boolean
  /** Whether the user pool is asked if the user is still there, enabled and signed in. */
  readonly serverSideTokenCheck: boolean
  /** Undefined: everybody gets the authenticated role. */
  readonly roleMapping?: RoleMapping | undefined
  /** Tag → claim. */
  readonly principalTags: Readonly<Record<string, string>>
}

/** What Cognito calls its default mappings. */
export const DEFAULT_PRINCIPAL_TAGS: Readonly<Record<string, string>> = {
  username: 'sub',
  client: 'aud',
}

export const DEFAULT_IDENTITY_POOL: IdentityPoolSettings = {
  id: 'eu-west-1:0de00001-0000-4000-8000-000000000001',
  authenticatedRole: 'arn:aws:iam::123456789012:role/dev-user',
  unauthenticatedRole: 'arn:aws:iam::123456789012:role/dev-guest',
  allowGuests: true,
  serverSideTokenCheck: true,
  roleMapping: { type: 'Token', ambiguousRoleResolution: 'AuthenticatedRole' },
  principalTags: DEFAULT_PRINCIPAL_TAGS,
}
