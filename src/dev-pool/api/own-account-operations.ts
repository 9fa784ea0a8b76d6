// What the holder of an access token does with her own account.
import type { PoolParts } from '../pool-parts.ts'
import { toSent } from '../accounts.ts'
import { type ApiResult, isApiError, toApiError } from '../api-error.ts'
import { type Contact, ownAttributes } from '../attributes.ts'
import type { DevUser } from '../user.ts'
import { forHolder } from './callers.ts'
import {
  type Input,
  type Operation,
  readAttributes,
  readMapping,
  readTexts,
  toDone,
} from './operation.ts'
import { signOutEverywhere } from './sign-out.ts'
import { toAttributeList, toDelivery, toMfaFacts } from './user-shape.ts'

export const OWN_ACCOUNT_OPERATIONS: Readonly<Record<string, Operation>> = {
  GetUser: forHolder((_, user) => ({
    body: {
      Username: user.username,
      UserAttributes: toAttributeList(user),
      ...toMfaFacts(user),
    },
  })),
  UpdateUserAttributes: forHolder(updateAttributes),
  GetUserAttributeVerificationCode: forHolder((options, user, input) => {
    const contact = readContact(user, input)
    return isApiError(contact)
      ? contact
      : { body: { CodeDeliveryDetails: sendCode(options, user, contact.name) } }
  }),
  VerifyUserAttribute: forHolder((options, user, input) => {
    const given = readTexts(input, 'Code')
    if (isApiError(given)) return given
    const contact = readContact(user, input)
    if (isApiError(contact)) return contact
    const refusal = options.codes.use(user.username, contact.name, given.Code)
    return refusal ?? toDone(options.accounts.update(user, { [`${contact.name}_verified`]: true }))
  }),
  ChangePassword: forHolder(({ accounts }, user, input) => {
    const given = readTexts(input, 'PreviousPassword', 'ProposedPassword')
    if (isApiError(given)) return given
    return toDone(accounts.changePassword(user, given.PreviousPassword, given.ProposedPassword))
  }),
  AssociateSoftwareToken: forHolder(({ accounts }, user) => ({
    body: { SecretCode: accounts.beginTotp(user.username) },
  })),
  VerifySoftwareToken: forHolder(({ accounts }, user, input) => {
    const given = readTexts(input, 'UserCode')
    if (isApiError(given)) return given
    const done = accounts.confirmTotp(user, given.UserCode, false)
    return isApiError(done) ? done : { body: { Status: 'SUCCESS' } }
  }),
  SetUserMFAPreference: forHolder(setMfaPreference),
  GlobalSignOut: forHolder((options, user) => signOutEverywhere(options, user)),
  DeleteUser: forHolder(({ accounts }, user) => {
    accounts.remove(user)
    return { body: {} }
  }),
}

function updateAttributes(options: PoolParts, user: DevUser, input: Input): ApiResult {
  const given = readAttributes(input, 'UserAttributes')
  const changes = isApiError(given) ? given : ownAttributes(given)
  if (isApiError(changes)) return changes
  const updated = options.accounts.update(user, changes)
  if (isApiError(updated)) return updated
  const changed = (['email', 'phone_number'] as const).filter(
    (name) => updated.attributes[name] !== user.attributes[name],
  )
  return {
    body: { CodeDeliveryDetailsList: changed.map((name) => sendCode(options, updated, name)) },
  }
}

function sendCode({ codes }: PoolParts, user: DevUser, contact: Contact): object {
  codes.issue(user.username, contact)
  return toDelivery(toSent(user.attributes, contact), user.username)
}

function readContact({ attributes }: DevUser, input: Input) {
  const given = readTexts(input, 'AttributeName')
  if (isApiError(given)) return given
  const { AttributeName: name } = given
  if ((name === 'email' || name === 'phone_number') && attributes[name])
    return { name } as { readonly name: Contact }
  return toApiError('InvalidParameterException', `User has no ${name} to verify.`)
}

/** Also an operator's, in another's place. */
export function setMfaPreference({ store }: PoolParts, user: DevUser, input: Input): ApiResult {
  const { Enabled: enabled } = readMapping(input, 'SoftwareTokenMfaSettings')
  if (enabled === true && user.totpSecret === undefined) {
    return toApiError('InvalidParameterException', 'User has not verified software token mfa')
  }
  if (typeof enabled === 'boolean') store.save({ ...user, totpEnabled: enabled })
  return { body: {} }
}
