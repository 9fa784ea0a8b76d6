// Refusals of the user pool API and the identity pool API, in Cognito's own words: SDKs tell them apart by type, people by message.

export type ApiErrorType =
  | 'AliasExistsException'
  | 'CodeMismatchException'
  | 'EnableSoftwareTokenMFAException'
  | 'ExpiredCodeException'
  | 'GroupExistsException'
  | 'InternalErrorException'
  | 'InvalidIdentityPoolConfigurationException'
  | 'InvalidParameterException'
  | 'InvalidPasswordException'
  | 'LimitExceededException'
  | 'NotAuthorizedException'
  | 'PasswordResetRequiredException'
  | 'PreconditionNotMetException'
  | 'ResourceNotFoundException'
  | 'SerializationException'
  | 'UnknownOperationException'
  | 'UnsupportedTokenTypeException'
  | 'UnsupportedUserStateException'
  | 'UserNotConfirmedException'
  | 'UserNotFoundException'
  | 'UsernameExistsException'

export interface ApiError {
  readonly type: ApiErrorType
  readonly message: string
}

/** What an operation answers: a JSON object, or why not. */
export type ApiResult = { readonly body: object } | ApiError

export function toApiError(type: ApiErrorType, message: string): ApiError {
  return { type, message }
}

export function notAuthorized(message: string): ApiError {
  return toApiError('NotAuthorizedException', message)
}

export function missingParameter(name: string): ApiError {
  return toApiError('InvalidParameterException', `Missing required parameter ${name}`)
}

/** Of a result, or of an intermediate value that is no result yet. */
export function isApiError(value: object): value is ApiError {
  return 'type' in value && 'message' in value
}
