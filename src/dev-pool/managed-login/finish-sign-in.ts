// The last step of every way in: the browser is known from here on, and the client gets its code. Step-up comes before the code.
import { type Answer, redirectTo } from '../endpoint.ts'
import { withParameters } from '../oauth/authorization-request.ts'
import { LOA_TOTP } from '../sign-in-steps.ts'
import type { DevUser } from '../user.ts'
import { type Login, toCookie } from './browsers.ts'
import { toHref, type Visit } from './visit.ts'

export function finishSignIn(visit: Visit, login: Login): Answer {
  const browser = visit.options.browsers.signIn(visit.browser, login)
  const answer = proceed({ ...visit, browser }, login, 303)
  return { ...answer, headers: { ...answer.headers, 'set-cookie': toCookie(browser) } }
}

/** To the client with a code, or first to what the request asks for beyond that. */
export function proceed(visit: Visit, login: Login, status: 302 | 303): Answer {
  const { options, request } = visit
  if (request === undefined || isStepUp(visit, login)) {
    return redirectTo(toHref('/mfa', request), status)
  }
  const { username, acr, amr, signedInMs } = login
  const { client, redirectUri, callback, codeChallenge, nonce, resource, scopes, state } = request
  const authTime = Math.floor(signedInMs / 1000)
  const details = { authTime, clientId: client.id, scopes, acr, amr, resource }
  const signIn = options.tokens.signIn(details)
  const code = options.authorizationCodes.issue({
    username,
    signIn,
    redirectUri,
    codeChallenge,
    nonce,
  })
  return redirectTo(withParameters(callback, { code, state }), status)
}

/**
 * Whether the client wants a code of an authenticator app, and nothing that was shown already would do. Providers have their
 * own second step: who comes from one is never asked for a code of the pool.
 */
export function isStepUp({ request }: Visit, { acr, provider }: Login): boolean {
  const wanted = request?.acrValues ?? []
  return wanted.includes(LOA_TOTP) && !wanted.includes(acr ?? '') && provider === undefined
}

/** Who has signed in here and may go on without a form. */
export function toStandingLogin(visit: Visit): Login | undefined {
  const { browser, options, request } = visit
  const { login } = browser
  const user = findLoggedIn(visit)
  if (login === undefined || user === undefined) return undefined
  if (request?.prompts.includes('login')) return undefined
  // A code is asked for at sign-in, so that is where a user who has an authenticator app goes.
  if (isStepUp(visit, login) && user.totpEnabled === true) return undefined
  const ageMs = options.clock.now() - login.signedInMs
  return ageMs <= (request?.maxAgeSeconds ?? Number.POSITIVE_INFINITY) * 1000 ? login : undefined
}

/** Who has signed in with this browser; nobody who came later under the same name. */
export function findLoggedIn({ browser: { login }, options }: Visit): DevUser | undefined {
  const user = options.store.directory().users.get(login?.username ?? '')
  const isSame = login !== undefined && user !== undefined && login.signedInMs >= user.createdMs
  return isSame && user.enabled ? user : undefined
}
