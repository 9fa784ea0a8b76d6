// Signing up, and what a forgotten password needs: a code each. Whether a name exists is not told.
import type { PoolParts } from '../pool-parts.ts'
import { type ApiError, type ApiResult, isApiError } from '../api-error.ts'
import { type Sent, toSent } from '../accounts.ts'
import { contactOf } from '../attributes.ts'
import type { AppClient } from '../clients.ts'
import { forClient } from './callers.ts'
import { type Input, type Operation, readAttributes, readTexts, toDone } from './operation.ts'
import { toDelivery } from './user-shape.ts'

export const SIGN_UP_OPERATIONS: Readonly<Record<string, Operation>> = {
  SignUp: forClient(signUp),
  ConfirmSignUp: forClient(({ accounts }, _, input) => {
    const given = readTexts(input, 'Username', 'ConfirmationCode')
    return isApiError(given)
      ? given
      : toDone(accounts.confirmSignUp(given.Username, given.ConfirmationCode))
  }),
  ResendConfirmationCode: forClient((options, _, input) =>
    send(options.accounts.resendCode, input),
  ),
  ForgotPassword: forClient((options, _, input) => send(options.accounts.forgotPassword, input)),
  ConfirmForgotPassword: forClient(({ accounts }, _, input) => {
    const given = readTexts(input, 'Username', 'ConfirmationCode', 'Password')
    if (isApiError(given)) return given
    const { Username: name, ConfirmationCode: code, Password: password } = given
    return toDone(accounts.confirmForgotPassword(name, code, password))
  }),
}

function signUp({ accounts }: PoolParts, _: AppClient, input: Input): ApiResult {
  const given = readTexts(input, 'Username', 'Password')
  if (isApiError(given)) return given
  const attributes = readAttributes(input, 'UserAttributes')
  if (isApiError(attributes)) return attributes
  const user = accounts.signUp(given.Username, given.Password, attributes)
  if (isApiError(user)) return user
  const sent = toSent(user.attributes, contactOf(user.attributes, 'any'))
  return {
    body: {
      UserConfirmed: false,
      UserSub: user.sub,
      ...(sent.delivery !== undefined && {
        CodeDeliveryDetails: toDelivery(sent, given.Username),
      }),
    },
  }
}

function send(start: (name: string) => Sent | ApiError, input: Input): ApiResult {
  const given = readTexts(input, 'Username')
  if (isApiError(given)) return given
  const sent = start(given.Username)
  if (isApiError(sent)) return sent
  return { body: { CodeDeliveryDetails: toDelivery(sent, given.Username) } }
}
