// Signing in with a password, and what may be asked after it. Refusals are values, and do not tell whether a name exists.
import { randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { type ApiError, isApiError, notAuthorized, toApiError } from './api-error.ts'
import { type Attributes, changeAttributes } from './attributes.ts'
import { checkPassword, hashPassword, isPassword } from './password.ts'
import type { TotpVerifier } from './totp.ts'
import type { DevUser } from './user.ts'
import type { UserStore } from './user-store.ts'

export interface SignInSteps {
  authenticate(name: string, password: string): SignInStep | ApiError
  /** Answers NEW_PASSWORD_REQUIRED. */
  answerNewPassword(
    session: string,
    username: string,
    password: string,
    changes: Attributes,
  ): SignInStep | ApiError
  /** Answers SOFTWARE_TOKEN_MFA. */
  answerTotp(session: string, username: string, code: string): SignInStep | ApiError
}

export type SignInStep = SignedIn | Challenge

export interface SignedIn {
  readonly user: DevUser
  /** Besides the password. */
  readonly usedTotp: boolean
}

/** Cognito's names for how strong a sign-in was, as `acr` has them. */
const LOA_PASSWORD = 'urn:cognito:loa:1'
export const LOA_TOTP = 'urn:cognito:loa:4'

/** What the tokens of a sign-in say of its strength. */
export function toStrength({ usedTotp }: Pick<SignedIn, 'usedTotp'>) {
  return usedTotp
    ? { acr: LOA_TOTP, amr: ['pwd', 'otp', 'mfa'] }
    : { acr: LOA_PASSWORD, amr: ['pwd'] }
}

export type ChallengeName = 'NEW_PASSWORD_REQUIRED' | 'SOFTWARE_TOKEN_MFA'

export interface Challenge {
  readonly challenge: ChallengeName
  readonly user: DevUser
  /** Opaque; stands for what has been shown so far, for three minutes. */
  readonly session: string
}

export interface SignInStepsOptions {
  readonly clock: Clock
  readonly store: UserStore
  readonly totp: TotpVerifier
}

const SESSION_LIFE_MS = 180_000
const MAX_WRONG = 5
/** The oldest go first. */
const MAX_SESSIONS = 10_000

interface Pending {
  readonly username: string
  readonly challenge: ChallengeName
  /** The user's as it was shown; another one since then ends the session. */
  readonly password: string | undefined
  readonly endsMs: number
  wrong: number
}

export function createSignInSteps({ clock, store, totp }: SignInStepsOptions): SignInSteps {
  const sessions = new Map<string, Pending>()

  function ask(user: DevUser, challenge: ChallengeName): Challenge {
    const session = randomBytes(64).toString('base64url')
    const { username, password } = user
    const endsMs = clock.now() + SESSION_LIFE_MS
    sessions.set(session, { username, challenge, password, endsMs, wrong: 0 })
    const [oldest = ''] = sessions.keys()
    if (sessions.size > MAX_SESSIONS) sessions.delete(oldest)
    return { challenge, user, session }
  }

  function afterPassword(user: DevUser): SignInStep {
    return user.totpEnabled && user.totpSecret !== undefined
      ? ask(user, 'SOFTWARE_TOKEN_MFA')
      : { user, usedTotp: false }
  }

  function find(session: string, username: string, challenge: ChallengeName) {
    const pending = sessions.get(session)
    const user = store.find(username)
    if (pending === undefined || pending.challenge !== challenge) return INVALID_SESSION
    if (clock.now() >= pending.endsMs) return EXPIRED_SESSION
    if (user?.username !== pending.username || user.password !== pending.password) {
      return INVALID_SESSION
    }
    return user.enabled ? { pending, user } : DISABLED
  }

  return {
    authenticate(name, password) {
      const user = store.find(name)
      const refusal = checkSignIn(user, password)
      if (refusal !== undefined) return refusal
      return user?.status === 'FORCE_CHANGE_PASSWORD'
        ? ask(user, 'NEW_PASSWORD_REQUIRED')
        : afterPassword(user as DevUser)
    },
    answerNewPassword(session, username, password, changes) {
      const found = find(session, username, 'NEW_PASSWORD_REQUIRED')
      if (isApiError(found)) return found
      const refusal = checkPassword(password)
      if (refusal !== undefined) return refusal
      sessions.delete(session)
      const attributes = changeAttributes(found.user.attributes, changes)
      const kept = hashPassword(password)
      const user = store.save({ ...found.user, attributes, password: kept, status: 'CONFIRMED' })
      return afterPassword(user)
    },
    answerTotp(session, username, code) {
      const found = find(session, username, 'SOFTWARE_TOKEN_MFA')
      if (isApiError(found)) return found
      const { pending, user } = found
      if (user.totpSecret !== undefined && totp.verify(user.totpSecret, code)) {
        sessions.delete(session)
        return { user, usedTotp: true }
      }
      pending.wrong += 1
      if (pending.wrong >= MAX_WRONG) sessions.delete(session)
      return WRONG_TOTP
    },
  }
}

function checkSignIn(user: DevUser | undefined, password: string): ApiError | undefined {
  // Nobody can know a password that was reset or never set.
  if (user?.enabled && user.status === 'RESET_REQUIRED') {
    return toApiError('PasswordResetRequiredException', 'Password reset required for the user')
  }
  // One answer for both, as a pool gives that prevents user existence errors.
  if (user === undefined || !isPassword(user.password, password)) return WRONG_PASSWORD
  if (!user.enabled) return DISABLED
  if (user.status !== 'UNCONFIRMED') return undefined
  return toApiError('UserNotConfirmedException', 'User is not confirmed.')
}

export const WRONG_PASSWORD: ApiError = notAuthorized('Incorrect username or password.')
export const DISABLED: ApiError = notAuthorized('User is disabled.')
const INVALID_SESSION = notAuthorized('Invalid session for the user.')
const EXPIRED_SESSION = notAuthorized('Invalid session for the user, session is expired.')
const WRONG_TOTP = toApiError('CodeMismatchException', 'Invalid code received for user')
