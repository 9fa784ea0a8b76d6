// The last step of a sign-in: the browser is back from the managed login. Either it leaves with a new session, or with a page that says
// why not; an attempt is used once, whatever becomes of it.
import { randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import { ATTEMPT_MS, type Attempt, type Attempts, attemptCookieOf } from './attempts.ts'
import type { ManagedLogin, SignedIn } from './managed-login.ts'
import { lastOfEach, toExpired } from './own-cookies.ts'
import { type OwnPage, toRedirect } from './own-page.ts'
import { failurePage, tooLargePage, unavailablePage, unknownAttemptPage } from './pages.ts'
import type { SessionKeeper } from './session-keeper.ts'
import { ShelfError } from './shelf.ts'
import { countTurn } from './turns.ts'

export interface CallbackParts {
  readonly clock: Clock
  readonly attempts: Attempts
  readonly keeper: SessionKeeper
  readonly login: ManagedLogin
  readonly lifetimeMs: number
  /** Where the attempt's browser is sent back to. */
  readonly redirectUri: (origin: string) => string
  /** Where one can sign in once more, to be taken to the same place. */
  readonly againUrl: (returnTo: string) => string
}

/** Undefined where the state is not of an attempt with this session's settings. */
export type Callback = (
  facts: RequestFacts,
  parameters: URLSearchParams,
) => Promise<OwnPage | undefined>

const RETRY_AFTER_SECONDS = 5
/** Sign-ins that are completed at the same time: anybody can begin one, and each asks the token endpoint. */
const MAX_UNDER_WAY = 64

export function createCallback(parts: CallbackParts): Callback {
  const { clock, attempts, keeper, login } = parts
  let underWay = 0

  async function complete(
    facts: RequestFacts,
    parameters: URLSearchParams,
    attempt: Attempt,
    cleared: readonly string[],
  ): Promise<OwnPage> {
    const again = parts.againUrl(attempt.returnTo)
    if (!(await keeper.claim(attempt.state, ATTEMPT_MS))) {
      return unknownAttemptPage(again, { detail: 'the attempt was used before', cookies: cleared })
    }
    const signedIn = await login.redeem(parameters, attempt, parts.redirectUri(attempt.origin))
    if ('failed' in signedIn) {
      return failurePage(signedIn, again, { detail: signedIn.detail, cookies: cleared })
    }
    return begin(facts, signedIn, attempt, cleared)
  }

  /** Always a new session with a new id: one that somebody planted in the browser ends here (session fixation). */
  async function begin(
    { headers }: RequestFacts,
    signedIn: SignedIn,
    attempt: Attempt,
    cleared: readonly string[],
  ): Promise<OwnPage> {
    const older = await keeper.end(headers)
    if (older.session !== undefined && older.session.subject !== signedIn.subject) {
      await revoke(older.session.tokens.refresh)
    }
    const nowMs = clock.now()
    const begun = await keeper.begin({
      id: randomBytes(16).toString('base64url'),
      ...signedIn,
      createdMs: nowMs,
      seenMs: nowMs,
      endsMs: nowMs + parts.lifetimeMs,
    })
    const ended = [...older.cookies, ...cleared]
    if ('tooLarge' in begun) {
      await revoke(signedIn.tokens.refresh)
      const detail = `a session of ${begun.tooLarge} bytes; set store`
      return tooLargePage(begun.tooLarge, { detail, cookies: ended })
    }
    return toRedirect(303, attempt.returnTo, {
      detail: 'signed in',
      cookies: lastOfEach([...ended, ...begun, countTurn(headers, nowMs)]),
    })
  }

  async function revoke(refreshToken: string | undefined): Promise<void> {
    if (refreshToken !== undefined) await login.revoke(refreshToken)
  }

  return async (facts, parameters) => {
    const state = parameters.get('state') ?? ''
    const attempt = await attempts.find(facts.headers, state)
    if (attempt === undefined) return undefined
    // The attempt stays good for the next try.
    if (underWay >= MAX_UNDER_WAY) {
      return unavailablePage(RETRY_AFTER_SECONDS, { detail: 'too many sign-ins at once' })
    }
    underWay++
    const cleared = [toExpired(attemptCookieOf(state) as string)]
    return complete(facts, parameters, attempt, cleared)
      .catch((error: unknown) => toUnavailable(error, cleared))
      .finally(() => underWay--)
  }
}

/** The page for a store that is down; whatever else was thrown is nobody's expectation. */
export function toUnavailable(error: unknown, cookies: readonly string[] = []): OwnPage {
  if (!(error instanceof ShelfError)) throw error
  return unavailablePage(RETRY_AFTER_SECONDS, { detail: error.message, cookies })
}
