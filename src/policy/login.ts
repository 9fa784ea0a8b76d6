// The caller's ID token, for a route whose upstream is called with the caller's own AWS credentials. Where it is not the token that was
// decided by, it has to be the same user's, of the same user pool; nobody goes on as somebody else.
import { type Login, toLogin } from '../aws/login.ts'
import { type RawHeaders, valuesOf } from '../http/headers.ts'
import type { Rejected } from '../token/rejected.ts'
import { isRejected, type Wanted } from '../token/verifier.ts'
import { type Allow, type Decision, type Deny, toDeny } from './decision.ts'
import type { PolicyRefusal } from './policy.ts'
import type { Principal } from './principal.ts'

/** Where a caller without a session puts the ID token beside an access token. */
export const ID_TOKEN_FIELD = 'x-poolgate-id-token'

interface Proven {
  readonly principal: Principal
}

export const NO_ID_TOKEN: PolicyRefusal = {
  reason: 'id_token_required',
  detail: 'no ID token of the caller',
}
export const TWO_ID_TOKENS: PolicyRefusal = {
  reason: 'credential_ambiguous',
  detail: 'more than one ID token',
}

export type VerifyIdToken = (
  token: string,
  wanted: Wanted,
) => Proven | Rejected | Promise<Proven | Rejected>

/** A token that the request comes with, beside the one that was decided by. */
export interface Beside {
  /** Undefined where there is none. */
  readonly idToken: string | undefined
  /** The session to sign in with anew where that would bring one. */
  readonly signIn?: string | undefined
}

/** The ID token of a request without a session. */
export function besideBearer(headers: RawHeaders): Beside | Deny['reason'] {
  const values = valuesOf(headers, ID_TOKEN_FIELD)
  return values.length > 1 ? 'credential_ambiguous' : { idToken: values[0] }
}

/**
 * The same decision with the caller's login.
 * @param token what was decided by
 * @param beside asked only where that is no ID token
 */
export type LogIn = (
  allow: Allow,
  token: string,
  beside: () => Beside | Deny['reason'],
) => Decision | Promise<Decision>

export function createLogIn(verify: VerifyIdToken): LogIn {
  /** Made once for each verified token and user pool's name at an identity pool. */
  const made = new WeakMap<Principal, Login[]>()

  function add(allow: Allow, provider: string, token: string, principal: Principal): Allow {
    const logins = made.get(principal) ?? []
    const known = logins.find((login) => login.provider === provider)
    if (known !== undefined) return { ...allow, login: known }
    const login = toLogin(provider, token, principal.claims, principal.validUntilMs)
    made.set(principal, [...logins, login])
    return { ...allow, login }
  }

  return (allow, token, beside) => {
    const { route, principal } = allow
    const { loginKey } = route
    if (loginKey === undefined || principal === undefined) return allow
    if (principal.tokenUse === 'id') {
      const stranger = findStranger(principal.subject, principal.subject)
      return stranger === undefined
        ? add(allow, loginKey, token, principal)
        : refuse(allow, stranger)
    }
    const found = beside()
    if (typeof found === 'string') return refuse(allow, TWO_ID_TOKENS)
    const { idToken, signIn } = found
    if (idToken === undefined) return { ...refuse(allow, NO_ID_TOKEN), signIn }
    const judge = (caller: Proven | Rejected): Decision => {
      if (isRejected(caller)) {
        const detail = `of the ID token: ${caller.detail}`
        return { ...toDeny({ ...caller, detail }, route), principal, signIn }
      }
      const stranger = findStranger(principal.subject, caller.principal.subject)
      if (stranger !== undefined) return refuse(allow, stranger)
      return add(allow, loginKey, idToken, caller.principal)
    }
    const caller = verify(idToken, { userPool: principal.userPool, tokenUse: 'id' })
    return caller instanceof Promise ? caller.then(judge) : judge(caller)
  }
}

/** Undefined where both are the same user's; the user pools are the same already. */
export function findStranger(subject: string, other: string): PolicyRefusal | undefined {
  const isSame = subject === other && subject !== ''
  return isSame
    ? undefined
    : { reason: 'id_token_required', detail: "the ID token is another user's" }
}

function refuse({ route, principal }: Allow, refusal: PolicyRefusal): Deny {
  return { ...toDeny(refusal, route), principal }
}
