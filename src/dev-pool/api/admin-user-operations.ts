// What an operator does with users. Open to whoever reaches the loopback port, unsigned: Cognito asks IAM here.
import type { PoolParts } from '../pool-parts.ts'
import { randomInt } from 'node:crypto'
import { NO_USER } from '../access-token.ts'
import { checkAliases, checkNewName, toNewUser } from '../accounts.ts'
import {
  type ApiError,
  type ApiResult,
  isApiError,
  notAuthorized,
  toApiError,
} from '../api-error.ts'
import { type Attributes, changeAttributes } from '../attributes.ts'
import { checkPassword } from '../password.ts'
import type { DevUser } from '../user.ts'
import { listUsers } from './list-users.ts'
import { forPool, forUser } from './callers.ts'
import {
  type Input,
  type Operation,
  readAttributes,
  readText,
  readTexts,
  toDone,
} from './operation.ts'
import { setMfaPreference } from './own-account-operations.ts'
import { signOutEverywhere } from './sign-out.ts'
import { toAttributeList, toMfaFacts, toUserFacts, toUserType } from './user-shape.ts'

export const ADMIN_USER_OPERATIONS: Readonly<Record<string, Operation>> = {
  AdminCreateUser: forPool(createUser),
  AdminGetUser: forUser((_, user) => ({
    body: {
      Username: user.username,
      UserAttributes: toAttributeList(user),
      ...toUserFacts(user),
      ...toMfaFacts(user),
    },
  })),
  ListUsers: forPool(listUsers),
  AdminUpdateUserAttributes: forUser(({ accounts }, user, input) => {
    const changes = readAttributes(input, 'UserAttributes')
    return isApiError(changes) ? changes : toDone(accounts.update(user, changes))
  }),
  AdminConfirmSignUp: forUser(({ store }, user) => {
    if (user.status === 'UNCONFIRMED') return toDone(store.save({ ...user, status: 'CONFIRMED' }))
    return notAuthorized(`User cannot be confirmed. Current status is ${user.status}`)
  }),
  AdminSetUserPassword: forUser(({ accounts }, user, input) => {
    const given = readTexts(input, 'Password')
    if (isApiError(given)) return given
    if (user.status === 'EXTERNAL_PROVIDER') return FEDERATED
    return toDone(accounts.setPassword(user, given.Password, input.Permanent === true))
  }),
  AdminResetUserPassword: forUser(({ accounts, store }, user) => {
    const sent = accounts.forgotPassword(user.username)
    return isApiError(sent) ? sent : toDone(store.save({ ...user, status: 'RESET_REQUIRED' }))
  }),
  AdminSetUserMFAPreference: forUser(setMfaPreference),
  AdminDisableUser: forUser((options, user) =>
    signOutEverywhere(options, { ...user, enabled: false }),
  ),
  AdminEnableUser: forUser(({ store }, user) => toDone(store.save({ ...user, enabled: true }))),
  AdminUserGlobalSignOut: forUser(signOutEverywhere),
  AdminDeleteUser: forUser(({ accounts }, user) => {
    accounts.remove(user)
    return { body: {} }
  }),
}

const FEDERATED = toApiError('InvalidParameterException', 'A federated user has no password here.')

function createUser(options: PoolParts, input: Input): ApiResult {
  const given = readTexts(input, 'Username')
  if (isApiError(given)) return given
  const attributes = readAttributes(input, 'UserAttributes')
  if (isApiError(attributes)) return attributes
  const password = readText(input, 'TemporaryPassword') ?? createPassword()
  const refusal = checkPassword(password)
  if (refusal !== undefined) return refusal
  const user =
    input.MessageAction === 'RESEND'
      ? findInvited(options, given.Username)
      : toInvited(options, given.Username, attributes)
  if (isApiError(user)) return user
  const made = options.accounts.setPassword(user, password, false)
  if (isApiError(made)) return made
  if (input.MessageAction !== 'SUPPRESS') {
    options.send(made.username, `Your temporary password is ${password}`)
  }
  return { body: { User: toUserType(made) } }
}

function toInvited({ store }: PoolParts, username: string, given: Attributes) {
  const attributes = changeAttributes({}, given)
  const refusal = checkNewName(store, username) ?? checkAliases(store, username, attributes)
  return refusal ?? { ...toNewUser(username, attributes), status: 'FORCE_CHANGE_PASSWORD' as const }
}

/** Whoever was created and has not signed in yet gets another temporary password. */
function findInvited({ store }: PoolParts, name: string): DevUser | ApiError {
  const user = store.find(name)
  if (user === undefined) return NO_USER
  if (user.status === 'FORCE_CHANGE_PASSWORD') return user
  return toApiError(
    'UnsupportedUserStateException',
    `Resend not possible. ${name} status is not FORCE_CHANGE_PASSWORD`,
  )
}

/** Four kinds of characters, as the policy asks, and some chance. */
function createPassword(): string {
  return `Dev-${randomInt(100_000_000, 1_000_000_000)}`
}
