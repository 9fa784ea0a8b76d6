// One way in which browsers sign in: an app client's managed login, the attempts that are under way, and the sessions that follow. Asks
// nothing of a store before a browser is back.
import { randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { SessionSettings } from '../config/schema-session.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import type { Claims } from '../token/claims.ts'
import { isRejected } from '../token/verifier.ts'
import { createAttempts, expireAttempts } from './attempts.ts'
import { createCallback, toUnavailable } from './callback.ts'
import { createManagedLogin, type VerifySessionToken } from './managed-login.ts'
import { compileOrigins } from './own-origin.ts'
import { lastOfEach } from './own-cookies.ts'
import { type OwnPage, toRedirect } from './own-page.ts'
import { goingRoundPage, signOutPage, unknownHostPage } from './pages.ts'
import { toOwnReturnTo, toReturnTo } from './return-to.ts'
import { createSeal } from './seal.ts'
import type { Session } from './session.ts'
import { createSessionKeeper, type Found, type SessionsChanged } from './session-keeper.ts'
import { isGoingRound, NO_TURNS } from './turns.ts'

/** What one sign-in asks for beside, or instead of, what the settings say. */
export interface SignInHint {
  readonly acrValues?: readonly string[] | undefined
  readonly maxAgeSeconds?: number | undefined
  readonly provider?: string | undefined
  /** As somebody asked for it; default: the page of the request itself. */
  readonly returnTo?: string | undefined
  readonly prompt?: string | undefined
  readonly loginHint?: string | undefined
  readonly signUp?: boolean | undefined
}

export interface SignIn {
  readonly name: string
  /** What every sign-in has to prove, by the settings. */
  readonly acrValues: readonly string[] | undefined
  /** Where a `Found` has cookies, the answer to the request has to send them. */
  find(facts: RequestFacts): Found | Promise<Found>
  /** Where the API caller's page can send the browser; undefined where the request's host is none of `origins`. */
  urlAt(facts: RequestFacts): string | undefined
  /** 302 to the managed login with an attempt cookie; or a page, where that cannot help. */
  challenge(facts: RequestFacts, hint: SignInHint): Promise<OwnPage>
  /** Undefined where the state is of no attempt with these settings. */
  complete(facts: RequestFacts, parameters: URLSearchParams): Promise<OwnPage | undefined>
  /** The absolute URL for a `return_to`; undefined where the request's host is none of `origins`. */
  returnTo(facts: RequestFacts, asked: string | undefined): string | undefined
  isOwnOrigin(origin: string): boolean
  askSignOut(): OwnPage
  /** Ends the session here and at the managed login, and revokes its refresh token. */
  signOut(facts: RequestFacts): Promise<OwnPage>
  /** Of the session's ID token, or of its access token; undefined when it is not good any more. */
  claimsOf(session: Session): Promise<Claims | undefined>
  close(): Promise<void>
}

export interface SignInOptions {
  readonly name: string
  readonly settings: SessionSettings
  readonly pathPrefix: string
  /** Of the user pool: the forms that tokens may name. */
  readonly issuers: readonly string[]
  /** What routes need. */
  readonly holds: { readonly access: boolean; readonly id: boolean }
}

export interface SignInPorts {
  readonly clock: Clock
  readonly verify: VerifySessionToken
  readonly changed: SessionsChanged
}

export function createSignIn(
  options: SignInOptions,
  ports: SignInPorts,
  createKeeper = createSessionKeeper,
): SignIn {
  const { name, settings, pathPrefix } = options
  const { clock } = ports
  const login = createManagedLogin(options, ports)
  const { refresh } = login
  const keeper = createKeeper({ name, settings }, { clock, refresh, changed: ports.changed })
  const attempts = createAttempts(name, createSeal(settings.keys), clock)
  const originAt = compileOrigins(settings.origins)
  const redirectUri = (origin: string) => `${origin}${pathPrefix}/callback`
  const signInPath = (query: Record<string, string>) =>
    `${pathPrefix}/sign-in?${new URLSearchParams({ session: name, ...query })}`
  const againUrl = (returnTo: string) => signInPath({ return_to: returnTo })
  const signOutPath = `${pathPrefix}/sign-out?${new URLSearchParams({ session: name })}`

  async function challenge(facts: RequestFacts, hint: SignInHint): Promise<OwnPage> {
    const origin = originAt(facts)
    if (origin === undefined) return unknownHostPage(facts.host.authority)
    const returnTo =
      hint.returnTo === undefined ? toOwnReturnTo(facts, origin) : toPlace(hint.returnTo, origin)
    // Who is asked for his password each time does not go round by himself.
    if (hint.prompt !== 'login' && (await isLost(facts))) {
      const again = signInPath({ return_to: returnTo, prompt: 'login' })
      return goingRoundPage(again, { detail: 'signed in again and again, to no avail' })
    }
    const attempt = {
      state: attempts.newState(),
      nonce: randomBytes(16).toString('base64url'),
      verifier: randomBytes(32).toString('base64url'),
      origin,
      returnTo,
      acrValues: hint.acrValues ?? settings.acrValues,
      maxAgeSeconds: strictest(hint.maxAgeSeconds, settings.maxAgeMs),
      startedMs: clock.now(),
    }
    const location = login.authorizeUrl(attempt, redirectUri(origin), hint)
    const cookies = await attempts.begin(facts.headers, attempt)
    return toRedirect(302, location, { detail: `to sign in: ${name}`, cookies })
  }

  function toPlace(asked: string | undefined, origin: string): string {
    return toReturnTo(asked, { origin, origins: settings.origins, pathPrefix })
  }

  async function isLost({ headers }: RequestFacts): Promise<boolean> {
    if (!isGoingRound(headers, clock.now(), false)) return false
    const { kind } = await keeper.find(headers)
    return isGoingRound(headers, clock.now(), kind === 'session')
  }

  async function signOut(facts: RequestFacts): Promise<OwnPage> {
    const { headers } = facts
    const origin = originAt(facts)
    if (origin === undefined) return unknownHostPage(facts.host.authority)
    const { session, cookies } = await keeper.end(headers)
    const token = session?.tokens.refresh
    const problem = token === undefined ? undefined : await login.revoke(token)
    const signedOut = settings.signedOut ?? `${pathPrefix}/signed-out`
    return toRedirect(303, login.logoutUrl(`${origin}${signedOut}`), {
      detail: problem === undefined ? 'signed out' : `signed out, but not revoked: ${problem}`,
      cookies: lastOfEach([...cookies, ...expireAttempts(headers), NO_TURNS]),
    })
  }

  return {
    name,
    acrValues: settings.acrValues,
    find: ({ headers }) => keeper.find(headers),
    urlAt(facts) {
      const origin = originAt(facts)
      return origin === undefined ? undefined : `${origin}${signInPath({})}`
    },
    challenge,
    complete: createCallback({
      clock,
      attempts,
      keeper,
      login,
      lifetimeMs: settings.lifetimeMs,
      redirectUri,
      againUrl,
    }),
    returnTo(facts, asked) {
      const origin = originAt(facts)
      return origin === undefined ? undefined : toPlace(asked, origin)
    },
    isOwnOrigin: (origin) => settings.origins.includes(origin),
    askSignOut: () => signOutPage(signOutPath, formAction(settings.domain)),
    signOut: (facts) => signOut(facts).catch((error: unknown) => toUnavailable(error)),
    async claimsOf({ tokens: { access, id } }) {
      const verified = await (id === undefined
        ? ports.verify(access ?? '', 'access')
        : ports.verify(id, 'id'))
      return isRejected(verified) ? undefined : verified.claims
    },
    close: () => keeper.close(),
  }
}

function strictest(seconds: number | undefined, ms: number | undefined): number | undefined {
  if (seconds === undefined && ms === undefined) return undefined
  return Math.min(
    seconds ?? Number.POSITIVE_INFINITY,
    Math.floor((ms ?? Number.POSITIVE_INFINITY) / 1000),
  )
}

/** The answer leads to the managed login, and from there perhaps to the log-out page of a user's own identity provider. */
function formAction(domain: string): string {
  const { protocol, origin } = new URL(domain)
  return protocol === 'https:' ? "'self' https:" : `'self' https: ${origin}`
}
