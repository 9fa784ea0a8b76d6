// Who is in the dev pool: users, groups and what the tokens need to know of them.
import { createHash } from 'node:crypto'

export interface DevUser {
  readonly username: string
  readonly sub: string
  readonly password: string
  /** False: no sign-in, no refresh. */
  readonly enabled: boolean
  readonly groups: readonly string[]
  /** Scopes of access tokens, beside the one that every API sign-in gets. */
  readonly scopes: readonly string[]
  /** Standard and custom attributes by their names. */
  readonly attributes: Readonly<Record<string, string | boolean>>
}

export interface DevGroup {
  readonly role?: string
  /** The lowest number is preferred; without one the group comes last. */
  readonly precedence: number
}

export interface Directory {
  readonly users: ReadonlyMap<string, DevUser>
  /** Groups that have something to tell; a user may be in others too. */
  readonly groups: ReadonlyMap<string, DevGroup>
}

/** The same UUID for the same name, so that what an application stored under a subject outlives a restart. */
export function toSubject(username: string): string {
  const hex = createHash('sha256').update(`poolgate dev user ${username}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
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
