// What a person does with an account: signs up, signs in, forgets, changes. The same for the API and for the pages; refusals are values.
import { randomUUID } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { type ApiError, isApiError, notAuthorized, toApiError } from './api-error.ts'
import {
  type Attributes,
  aliasesOf,
  type Contact,
  changeAttributes,
  contactOf,
  ownAttributes,
} from './attributes.ts'
import { type ConfirmationCodes, EXPIRED, MISMATCH } from './confirmation-codes.ts'
import { checkPassword, hashPassword, isPassword } from './password.ts'
import { createSignInSteps, DISABLED, type SignInSteps, WRONG_PASSWORD } from './sign-in-steps.ts'
import { createTotpSecret, createTotpVerifier } from './totp.ts'
import { type DevUser, NAME } from './user.ts'
import type { UserStore } from './user-store.ts'

export interface Accounts extends SignInSteps {
  /** New and unconfirmed, with a code under way. */
  signUp(username: string, password: string, attributes: Attributes): DevUser | ApiError
  confirmSignUp(name: string, code: string): DevUser | ApiError
  /** Of the sign-up. */
  resendCode(name: string): Sent | ApiError
  forgotPassword(name: string): Sent | ApiError
  confirmForgotPassword(name: string, code: string, password: string): DevUser | ApiError
  changePassword(user: DevUser, former: string, password: string): DevUser | ApiError
  /** An operator's act. A password that is not permanent has to be changed at the next sign-in. */
  setPassword(user: DevUser, password: string, permanent: boolean): DevUser | ApiError
  /** Changes attributes; refuses an address that is another user's. */
  update(user: DevUser, changes: Attributes): DevUser | ApiError
  /** With everything that was under way: the next one of that name begins anew. */
  remove(user: DevUser): void
  /** A secret for an authenticator app; it counts once a code made from it is shown. */
  beginTotp(username: string): string
  /** The user with the secret in force, and asked for at each sign-in where `enable` says so. */
  confirmTotp(user: DevUser, code: string, enable: boolean): DevUser | ApiError
}

/** Where a code went to; undefined for nobody's name too, so that names cannot be tried. */
export interface Sent {
  readonly delivery: { readonly contact: Contact; readonly address: string } | undefined
}

export interface AccountsOptions {
  readonly clock: Clock
  readonly store: UserStore
  readonly codes: ConfirmationCodes
}

export function createAccounts(options: AccountsOptions): Accounts {
  const { clock, store } = options
  const totp = createTotpVerifier(clock.now)
  const secrets = new Map<string, string>()
  return {
    ...createSignInSteps({ clock, store, totp }),
    signUp: (...given) => signUp(options, ...given),
    confirmSignUp: (...given) => confirmSignUp(options, ...given),
    resendCode: (name) => resendCode(options, name),
    forgotPassword: (name) => forgotPassword(options, name),
    confirmForgotPassword: (...given) => confirmForgotPassword(options, ...given),
    changePassword(user, former, password) {
      if (!isPassword(user.password, former)) return WRONG_PASSWORD
      return checkPassword(password) ?? store.save({ ...user, password: hashPassword(password) })
    },
    setPassword(user, password, permanent) {
      const status = permanent ? 'CONFIRMED' : 'FORCE_CHANGE_PASSWORD'
      const kept = { password: hashPassword(password), status } as const
      return checkPassword(password) ?? store.save({ ...user, ...kept })
    },
    update(user, changes) {
      const attributes = changeAttributes(user.attributes, changes)
      return checkAliases(store, user.username, attributes) ?? store.save({ ...user, attributes })
    },
    remove({ username }) {
      store.remove(username)
      options.codes.forget(username)
      secrets.delete(username)
    },
    beginTotp(username) {
      const secret = createTotpSecret()
      secrets.set(username, secret)
      return secret
    },
    confirmTotp(user, code, enable) {
      const secret = secrets.get(user.username)
      if (secret === undefined || !totp.verify(secret, code)) return WRONG_FIRST_TOTP
      secrets.delete(user.username)
      const totpEnabled = enable || user.totpEnabled === true
      return store.save({ ...user, totpSecret: secret, totpEnabled })
    },
  }
}

const WRONG_FIRST_TOTP = toApiError('EnableSoftwareTokenMFAException', 'Code mismatch')

function signUp(
  { store, codes }: AccountsOptions,
  username: string,
  password: string,
  given: Attributes,
): DevUser | ApiError {
  const attributes = ownAttributes(given)
  if (isApiError(attributes)) return attributes
  const refusal = checkNewName(store, username) ?? checkPassword(password)
  if (refusal !== undefined) return refusal
  const user = store.save({
    ...toNewUser(username, changeAttributes({}, attributes)),
    status: 'UNCONFIRMED',
    password: hashPassword(password),
  })
  codes.issue(username, 'sign-up')
  return user
}

/** Somebody who was not there before, with nothing but a name. */
export function toNewUser(username: string, attributes: Attributes): Omit<DevUser, 'status'> {
  return {
    username,
    sub: randomUUID(),
    enabled: true,
    password: undefined,
    groups: [],
    scopes: [],
    attributes,
    createdMs: 0,
    modifiedMs: 0,
  }
}

/** Why nobody new can have a name: names and the addresses that stand for them are one set. */
export function checkNewName(store: UserStore, username: string): ApiError | undefined {
  if (!NAME.test(username)) {
    return toApiError(
      'InvalidParameterException',
      "1 validation error detected: Value at 'username' failed to satisfy constraint: 1 to 128 characters, no spaces",
    )
  }
  if (store.find(username) === undefined) return undefined
  return toApiError('UsernameExistsException', 'User already exists')
}

/** Why a user cannot have these verified addresses: somebody else is found by one of them. */
export function checkAliases(
  store: UserStore,
  username: string,
  attributes: Attributes,
): ApiError | undefined {
  const isTaken = aliasesOf(attributes).some((alias) => {
    const holder = store.find(alias)
    return holder !== undefined && holder.username !== username
  })
  if (!isTaken) return undefined
  const message = 'An account with the given email or phone_number already exists.'
  return toApiError('AliasExistsException', message)
}

function confirmSignUp(
  { store, codes }: AccountsOptions,
  name: string,
  code: string,
): DevUser | ApiError {
  const user = store.find(name)
  if (user === undefined || !user.enabled) return EXPIRED
  if (user.status !== 'UNCONFIRMED') {
    return notAuthorized(`User cannot be confirmed. Current status is ${user.status}`)
  }
  const contact = contactOf(user.attributes, 'any')
  const verified = contact === undefined ? {} : { [`${contact}_verified`]: true }
  const attributes = { ...user.attributes, ...verified }
  const refusal =
    checkAliases(store, user.username, attributes) ?? codes.use(user.username, 'sign-up', code)
  return refusal ?? store.save({ ...user, attributes, status: 'CONFIRMED' })
}

function resendCode({ store, codes }: AccountsOptions, name: string): Sent | ApiError {
  const user = store.find(name)
  if (user === undefined || !user.enabled) return { delivery: undefined }
  if (user.status !== 'UNCONFIRMED') {
    return toApiError('InvalidParameterException', 'User is already confirmed.')
  }
  codes.issue(user.username, 'sign-up')
  return toSent(user.attributes, contactOf(user.attributes, 'any'))
}

function forgotPassword({ store, codes }: AccountsOptions, name: string): Sent | ApiError {
  const user = store.find(name)
  if (user === undefined) return { delivery: undefined }
  if (!user.enabled) return DISABLED
  if (user.status === 'EXTERNAL_PROVIDER' || user.status === 'FORCE_CHANGE_PASSWORD') {
    return notAuthorized('User password cannot be reset in the current state.')
  }
  const contact = contactOf(user.attributes, 'verified')
  if (contact === undefined) {
    return toApiError(
      'InvalidParameterException',
      'Cannot reset password for the user as there is no registered/verified email or phone_number',
    )
  }
  codes.issue(user.username, 'password')
  return toSent(user.attributes, contact)
}

export function toSent(attributes: Attributes, contact: Contact | undefined): Sent {
  if (contact === undefined) return { delivery: undefined }
  return { delivery: { contact, address: String(attributes[contact]) } }
}

function confirmForgotPassword(
  { store, codes }: AccountsOptions,
  name: string,
  code: string,
  password: string,
): DevUser | ApiError {
  const user = store.find(name)
  if (user === undefined || !user.enabled) return MISMATCH
  const refusal = checkPassword(password) ?? codes.use(user.username, 'password', code)
  if (refusal !== undefined) return refusal
  return store.save({ ...user, password: hashPassword(password), status: 'CONFIRMED' })
}
