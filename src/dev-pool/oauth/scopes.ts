// Which scopes there are, which of them a user or a client gets, and what attributes they let be read. Unknown ones are refused.
import type { DevUser, Directory } from '../user.ts'

/** What every sign-in by API has: the user's own operations ask for it. */
export const API_SCOPE = 'aws.cognito.signin.user.admin'

const USER_SCOPES = ['openid', 'email', 'phone', 'profile', API_SCOPE]
/** Of the demo's resource server; those in the users file come on top. */
const DEMO_SCOPES = ['orders/read', 'orders/write']

/** Scopes of resource servers: all that a client without a user can have. */
export function resourceScopes(directory: Directory): readonly string[] {
  const named = [...directory.users.values()].flatMap(({ scopes }) => scopes)
  return [...new Set([...DEMO_SCOPES, ...named])]
}

export function allScopes(directory: Directory): readonly string[] {
  return [...USER_SCOPES, ...resourceScopes(directory)]
}

/** A text of scopes as a list, all of them known, or one that is not. Nothing asked is everything. */
export function parseScopes(
  text: string | undefined,
  known: readonly string[],
): { readonly scopes: readonly string[] } | { readonly unknown: string } {
  const asked = [...new Set((text ?? '').split(' ').filter(Boolean))]
  const unknown = asked.find((scope) => !known.includes(scope))
  if (unknown !== undefined) return { unknown }
  return { scopes: asked.length === 0 ? known : asked }
}

/** Without scopes of resource servers that are not the user's. */
export function grantedScopes(asked: readonly string[], { scopes }: DevUser): readonly string[] {
  return asked.filter((scope) => USER_SCOPES.includes(scope) || scopes.includes(scope))
}

/** Attributes that ID tokens and userInfo show: all for `profile` and for `openid` alone, else those of the scopes. */
export function readableAttributes(
  { attributes }: DevUser,
  scopes: readonly string[],
): DevUser['attributes'] {
  const asked = ['email', 'phone', 'profile'].filter((scope) => scopes.includes(scope))
  if (asked.length === 0 || asked.includes('profile')) return attributes
  const isAsked = (name: string) =>
    (asked.includes('email') && /^email(?:_verified)?$/.test(name)) ||
    (asked.includes('phone') && /^phone_number(?:_verified)?$/.test(name))
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => isAsked(name)))
}
