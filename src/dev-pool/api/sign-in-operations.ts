// Signing in with a password, answering what it asks for, and refreshing. A sign-in that is void brings no tokens.
import type { PoolParts } from '../pool-parts.ts'
import {
  type ApiError,
  type ApiResult,
  isApiError,
  notAuthorized,
  toApiError,
} from '../api-error.ts'
import { ownAttributes, parseAttributes } from '../attributes.ts'
import type { AppClient } from '../clients.ts'
import { refreshSignIn } from '../refresh-sign-in.ts'
import { type ChallengeName, type SignInStep, toStrength } from '../sign-in-steps.ts'
import type { SignIn } from '../tokens.ts'
import type { DevUser } from '../user.ts'
import { type ClientOperation, forClient, forPool } from './callers.ts'
import { type Answered, type Input, type Operation, readMapping, readTexts } from './operation.ts'
import { toAttributeList } from './user-shape.ts'

export const SIGN_IN_OPERATIONS: Readonly<Record<string, Operation>> = {
  InitiateAuth: forClient(
    toStart({
      USER_PASSWORD_AUTH: signInByPassword,
      REFRESH_TOKEN_AUTH: refresh,
      REFRESH_TOKEN: refresh,
    }),
  ),
  AdminInitiateAuth: forPool(
    forClient(
      toStart({
        ADMIN_USER_PASSWORD_AUTH: signInByPassword,
        ADMIN_NO_SRP_AUTH: signInByPassword,
        REFRESH_TOKEN_AUTH: refresh,
        REFRESH_TOKEN: refresh,
      }),
    ),
  ),
  RespondToAuthChallenge: forClient(respond),
  AdminRespondToAuthChallenge: forPool(forClient(respond)),
  GetTokensFromRefreshToken: forClient(async (options, client, input) => {
    const given = readTexts(input, 'RefreshToken')
    if (isApiError(given)) return given
    const result = await refreshTokens(options, client, given.RefreshToken)
    return isApiError(result) ? result : { body: { AuthenticationResult: result } }
  }),
  RevokeToken: forClient((options, client, input) => {
    const given = readTexts(input, 'Token')
    if (isApiError(given)) return given
    if (given.Token.startsWith('eyJ')) {
      return toApiError('UnsupportedTokenTypeException', 'Only refresh tokens can be revoked')
    }
    const grant = options.refreshTokens.find(given.Token)
    if (typeof grant !== 'string' && grant.signIn.clientId !== client.id) {
      return notAuthorized('Refresh token was not issued to this client')
    }
    options.refreshTokens.revoke(given.Token)
    return { body: {} }
  }),
}

function toStart(flows: Readonly<Record<string, Operation>>): ClientOperation {
  const byName = new Map(Object.entries(flows))
  return (options, client, input) => {
    const given = readTexts(input, 'AuthFlow')
    if (isApiError(given)) return given
    const start = byName.get(given.AuthFlow)
    if (start !== undefined && client.id === options.clientId) {
      return start(options, readMapping(input, 'AuthParameters'))
    }
    const message = `${given.AuthFlow} flow not enabled for this client`
    return toApiError('InvalidParameterException', message)
  }
}

function signInByPassword(options: PoolParts, parameters: Input): Answered {
  const given = readTexts(parameters, 'USERNAME', 'PASSWORD')
  if (isApiError(given)) return given
  return answerStep(options, options.accounts.authenticate(given.USERNAME, given.PASSWORD))
}

async function refresh(options: PoolParts, parameters: Input): Promise<ApiResult> {
  const given = readTexts(parameters, 'REFRESH_TOKEN')
  if (isApiError(given)) return given
  const result = await refreshTokens(options, { id: options.clientId }, given.REFRESH_TOKEN)
  return isApiError(result) ? result : toAuthenticated(result)
}

async function refreshTokens(
  options: PoolParts,
  client: Pick<AppClient, 'id' | 'rotationGraceMs'>,
  token: string,
): Promise<object | ApiError> {
  const refreshed = refreshSignIn(options, client, token)
  if (isApiError(refreshed)) return refreshed
  const { refreshToken, signIn, user } = refreshed
  const tokens = await mintTokens(options, user, signIn)
  return { ...tokens, ...(refreshToken !== undefined && { RefreshToken: refreshToken }) }
}

type Respond = (options: PoolParts, session: string, responses: Input) => SignInStep | ApiError

const RESPONSES: Readonly<Record<ChallengeName, Respond>> = {
  NEW_PASSWORD_REQUIRED({ accounts }, session, responses) {
    const given = readTexts(responses, 'USERNAME', 'NEW_PASSWORD')
    if (isApiError(given)) return given
    const prefix = 'userAttributes.'
    const changes = Object.entries(responses)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), String(value)] as const)
    const attributes = ownAttributes(parseAttributes(changes))
    if (isApiError(attributes)) return attributes
    return accounts.answerNewPassword(session, given.USERNAME, given.NEW_PASSWORD, attributes)
  },
  SOFTWARE_TOKEN_MFA({ accounts }, session, responses) {
    const given = readTexts(responses, 'USERNAME', 'SOFTWARE_TOKEN_MFA_CODE')
    if (isApiError(given)) return given
    return accounts.answerTotp(session, given.USERNAME, given.SOFTWARE_TOKEN_MFA_CODE)
  },
}

function respond(options: PoolParts, _: AppClient, input: Input): Answered {
  const given = readTexts(input, 'ChallengeName', 'Session')
  if (isApiError(given)) return given
  const { ChallengeName: name, Session: session } = given
  if (!Object.hasOwn(RESPONSES, name)) {
    return toApiError('InvalidParameterException', `${name} is not a challenge of this pool`)
  }
  const responses = readMapping(input, 'ChallengeResponses')
  return answerStep(options, RESPONSES[name as ChallengeName](options, session, responses))
}

async function answerStep(options: PoolParts, step: SignInStep | ApiError): Promise<ApiResult> {
  if (isApiError(step)) return step
  if (!('challenge' in step)) {
    const signIn = options.tokens.signIn(toStrength(step))
    const tokens = await mintTokens(options, step.user, signIn)
    const refreshToken = options.refreshTokens.issue(step.user.username, signIn)
    return toAuthenticated({ ...tokens, RefreshToken: refreshToken })
  }
  const { challenge, session, user } = step
  return {
    body: {
      ChallengeName: challenge,
      Session: session,
      ChallengeParameters: {
        USER_ID_FOR_SRP: user.username,
        ...(challenge === 'NEW_PASSWORD_REQUIRED' && {
          requiredAttributes: '[]',
          userAttributes: JSON.stringify(
            Object.fromEntries(toAttributeList(user).map(({ Name, Value }) => [Name, Value])),
          ),
        }),
      },
    },
  }
}

async function mintTokens({ tokens }: PoolParts, user: DevUser, signIn: SignIn) {
  const [accessToken, idToken] = await Promise.all([
    tokens.mint('access', user, signIn),
    tokens.mint('id', user, signIn),
  ])
  return {
    AccessToken: accessToken,
    ExpiresIn: tokens.lifeSeconds,
    IdToken: idToken,
    TokenType: 'Bearer',
  }
}

function toAuthenticated(result: object): ApiResult {
  return { body: { AuthenticationResult: result, ChallengeParameters: {} } }
}
