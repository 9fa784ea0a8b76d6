// The operations of the user pool API that applications sign in with, by their AWS names. Expected refusals are ApiErrors.
import { errors, jwtVerify, type JWTPayload } from 'jose'
import type { Clock } from '../base/clock.ts'
import type { Accounts } from './accounts.ts'
import {
  type ApiError,
  type ApiResult,
  isApiError,
  missingParameter,
  notAuthorized,
  toApiError,
} from './api-error.ts'
import type { ConfirmationCodes } from './confirmation-codes.ts'
import type { PoolKeys } from './pool-keys.ts'
import type { RefreshTokens } from './refresh-tokens.ts'
import { API_SCOPE, type SignIn, TOKEN_LIFE_SECONDS, type Tokens } from './tokens.ts'
import type { DevUser, Directory } from './user.ts'
import type { UserStore } from './user-store.ts'

export interface CognitoApiOptions {
  readonly clock: Clock
  readonly issuer: string
  readonly clientId: string
  readonly keys: PoolKeys
  readonly tokens: Tokens
  readonly refreshTokens: RefreshTokens
  readonly directory: () => Directory
  readonly store: UserStore
  readonly codes: ConfirmationCodes
  readonly accounts: Accounts
}

export type Input = Readonly<Record<string, unknown>>
type Operation = (options: CognitoApiOptions, input: Input) => ApiResult | Promise<ApiResult>

const OPERATIONS = new Map<string, Operation>([
  ['InitiateAuth', initiateAuth],
  ['GetUser', getUser],
  ['RevokeToken', revokeToken],
])

const FLOWS = new Map<string, Operation>([
  ['USER_PASSWORD_AUTH', signInByPassword],
  ['REFRESH_TOKEN_AUTH', refresh],
  ['REFRESH_TOKEN', refresh],
])

/** @param operation without the service's name before it */
export async function answerOperation(
  options: CognitoApiOptions,
  operation: string,
  input: Input,
): Promise<ApiResult> {
  const answer = OPERATIONS.get(operation)
  if (answer !== undefined) return answer(options, input)
  return toApiError(
    'UnknownOperationException',
    `The dev user pool knows ${[...OPERATIONS.keys()].join(', ')}`,
  )
}

/** What a successful sign-in answers, as InitiateAuth's `AuthenticationResult`. */
async function toAuthenticationResult(
  { tokens, refreshTokens }: CognitoApiOptions,
  user: DevUser,
  former?: SignIn,
) {
  const signIn = former ?? tokens.signIn()
  const [accessToken, idToken] = await Promise.all([
    tokens.mint('access', user, signIn),
    tokens.mint('id', user, signIn),
  ])
  return {
    AccessToken: accessToken,
    ExpiresIn: TOKEN_LIFE_SECONDS,
    IdToken: idToken,
    ...(former === undefined && { RefreshToken: refreshTokens.issue(user.username, signIn) }),
    TokenType: 'Bearer',
  }
}

function initiateAuth(options: CognitoApiOptions, input: Input): ApiResult | Promise<ApiResult> {
  const { ClientId: clientId, AuthFlow: flow } = input
  if (typeof clientId !== 'string') return missingParameter('ClientId')
  const unknown = checkClient(options, clientId)
  if (unknown !== undefined) return unknown
  if (typeof flow !== 'string') return missingParameter('AuthFlow')
  const start = FLOWS.get(flow)
  if (start !== undefined) return start(options, toObject(input.AuthParameters))
  return toApiError('InvalidParameterException', `${flow} flow not enabled for this client`)
}

async function signInByPassword(
  options: CognitoApiOptions,
  { USERNAME: username, PASSWORD: password }: Input,
): Promise<ApiResult> {
  if (typeof username !== 'string') return missingParameter('USERNAME')
  if (typeof password !== 'string') return missingParameter('PASSWORD')
  const step = options.accounts.authenticate(username, password)
  if (isApiError(step)) return step
  if (!('challenge' in step))
    return toAuthenticated(await toAuthenticationResult(options, step.user))
  const { challenge, session, user } = step
  return {
    body: {
      ChallengeName: challenge,
      Session: session,
      ChallengeParameters: { USER_ID_FOR_SRP: user.username },
    },
  }
}

const REFRESH_REFUSALS = {
  unknown: 'Invalid Refresh Token',
  revoked: 'Refresh Token has been revoked',
  expired: 'Refresh Token has expired',
}

async function refresh(
  options: CognitoApiOptions,
  { REFRESH_TOKEN: token }: Input,
): Promise<ApiResult> {
  if (typeof token !== 'string') return missingParameter('REFRESH_TOKEN')
  const grant = options.refreshTokens.find(token)
  if (typeof grant === 'string') return notAuthorized(REFRESH_REFUSALS[grant])
  const user = options.directory().users.get(grant.username)
  if (user === undefined) return notAuthorized(REFRESH_REFUSALS.unknown)
  if (!user.enabled) return notAuthorized('User is disabled.')
  return toAuthenticated(await toAuthenticationResult(options, user, grant.signIn))
}

function toAuthenticated(result: object): ApiResult {
  return { body: { AuthenticationResult: result, ChallengeParameters: {} } }
}

async function getUser(
  options: CognitoApiOptions,
  { AccessToken: token }: Input,
): Promise<ApiResult> {
  if (typeof token !== 'string') return missingParameter('AccessToken')
  const claims = await verifyAccessToken(options, token)
  if (isApiError(claims)) return claims
  const user = options.directory().users.get(String(claims.username))
  if (user === undefined) return toApiError('UserNotFoundException', 'User does not exist.')
  if (!user.enabled) return notAuthorized('User is disabled.')
  const attributes = Object.entries({ sub: user.sub, ...user.attributes })
  return {
    body: {
      Username: user.username,
      UserAttributes: attributes.map(([name, value]) => ({ Name: name, Value: String(value) })),
    },
  }
}

async function verifyAccessToken(
  { clock, issuer, keys, refreshTokens }: CognitoApiOptions,
  token: string,
): Promise<JWTPayload | ApiError> {
  try {
    const { payload } = await jwtVerify(token, keys.access.publicKey, {
      issuer,
      algorithms: ['RS256'],
      currentDate: new Date(clock.now()),
    })
    if (refreshTokens.isRevoked(String(payload.origin_jti))) {
      return notAuthorized('Access Token has been revoked')
    }
    if (String(payload.scope).split(' ').includes(API_SCOPE)) return payload
    return notAuthorized('Access Token does not have required scopes')
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error
    const isExpired = error instanceof errors.JWTExpired
    return notAuthorized(isExpired ? 'Access Token has expired' : 'Invalid Access Token')
  }
}

function revokeToken(
  options: CognitoApiOptions,
  { ClientId: clientId, Token: token }: Input,
): ApiResult {
  if (typeof clientId !== 'string') return missingParameter('ClientId')
  if (typeof token !== 'string') return missingParameter('Token')
  const unknown = checkClient(options, clientId)
  if (unknown !== undefined) return unknown
  if (token.startsWith('eyJ')) {
    return toApiError('UnsupportedTokenTypeException', 'Only refresh tokens can be revoked')
  }
  options.refreshTokens.revoke(token)
  return { body: {} }
}

function checkClient({ clientId }: CognitoApiOptions, given: string): ApiError | undefined {
  if (given === clientId) return undefined
  return toApiError('ResourceNotFoundException', `User pool client ${given} does not exist.`)
}

function toObject(value: unknown): Input {
  return typeof value === 'object' && value !== null ? (value as Input) : {}
}
