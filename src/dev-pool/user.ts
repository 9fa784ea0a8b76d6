// Who is in the dev pool: users, groups and what the tokens need to know of them.
import { createHash } from 'node:crypto'

export type UserStatus =
  'UNCONFIRMED' | 'CONFIRMED' | 'FORCE_CHANGE_PASSWORD' | 'RESET_REQUIRED' | 'EXTERNAL_PROVIDER'

/** As it stands in the `identities` claim. */
export interface FederatedIdentity {
  readonly userId: string
  readonly providerName: string
  readonly providerType: 'Google' | 'Facebook' | 'LoginWithAmazon' | 'SAML' | 'OIDC'
  readonly issuer: string | null
  readonly primary: 'true'
  /** Milliseconds since the epoch. */
  readonly dateCreated: string
}

export interface DevUser {
  readonly username: string
  readonly sub: string
  /** False: no sign-in, no refresh. */
  readonly enabled: boolean
  readonly status: UserStatus
  /** As the users file has it, or what hashPassword made of it; undefined where there is none: federated, imported. */
  readonly password: string | undefined
  readonly groups: readonly string[]
  /** Scopes of access tokens, beside the one that every API sign-in gets. */
  readonly scopes: readonly string[]
  /** Standard and custom attributes by their names. */
  readonly attributes: Readonly<Record<string, string | boolean>>
  /** Milliseconds since the epoch, as all times here. The store sets both. */
  readonly createdMs: number
  readonly modifiedMs: number
  /** Base32; set once a code made from it was shown to be right. */
  readonly totpSecret?: string
  /** Whether a sign-in asks for a code made from the secret. */
  readonly totpEnabled?: boolean
  readonly identities?: readonly FederatedIdentity[]
  /** Sign-ins up to then are void. */
  readonly signedOutMs?: number
}

/** A user as it is put into the store. */
export type UserDraft = Omit<DevUser, 'createdMs' | 'modifiedMs'>

export interface DevGroup {
  readonly description?: string
  readonly role?: string
  /** The lowest number is preferred; without one the group comes last. */
  readonly precedence: number
  /** The store sets both. */
  readonly createdMs?: number
  readonly modifiedMs?: number
}

export const NO_PRECEDENCE: number = Number.MAX_SAFE_INTEGER

export interface Directory {
  readonly users: ReadonlyMap<string, DevUser>
  readonly groups: ReadonlyMap<string, DevGroup>
}

/** Cognito's own rule for user and group names: 1 to 128 letters, digits, marks, symbols, punctuation. */
export const NAME = /^[\p{L}\p{M}\p{S}\p{N}\p{P}]{1,128}$/u

/** The same UUID for the same name, so that what an application stored under a subject outlives a restart. */
export function toSubject(username: string): string {
  const hex = createHash('sha256').update(`poolgate dev user ${username}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** Whether a sign-in of then counts no more: the user has signed out since, or is another one of the same name. */
export function isVoidSignIn(user: DevUser, signedInMs: number): boolean {
  return signedInMs < user.createdMs || signedInMs <= (user.signedOutMs ?? -1)
}

/** ARNs of the groups' roles, and the preferred one: absent where two roles have the same precedence. */
export function rolesOf(
  groups: readonly string[],
  directory: Directory,
): { readonly roles: readonly string[]; readonly preferred: string | undefined } {
  const withRole = groups.flatMap((name) => {
    const { role, precedence = 0 } = directory.groups.get(name) ?? {}
    return role === undefined ? [] : [{ role, precedence }]
  })
  const first = Math.min(...withRole.map(({ precedence }) => precedence))
  const best = new Set(
    withRole.filter((group) => group.precedence === first).map(({ role }) => role),
  )
  return {
    roles: [...new Set(withRole.map(({ role }) => role))],
    preferred: best.size === 1 ? [...best][0] : undefined,
  }
}
