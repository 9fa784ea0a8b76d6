// For whom an operation is: operators, one user as they see her, the holder of an access token, an application.
import type { PoolParts } from '../pool-parts.ts'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { findHolder, NO_USER, verifyAccessToken } from '../access-token.ts'
import {
  type ApiError,
  isApiError,
  missingParameter,
  notAuthorized,
  toApiError,
} from '../api-error.ts'
import { type AppClient, isSecretOf } from '../clients.ts'
import { API_SCOPE } from '../oauth/scopes.ts'
import {
  type Answered,
  type Input,
  type Operation,
  readText,
  type UserOperation,
} from './operation.ts'

/** For operators: nobody asks who they are, as the pool answers on loopback alone. Cognito asks IAM. */
export function forPool(run: Operation): Operation {
  return (options, input) => {
    const { UserPoolId: id } = input
    if (typeof id !== 'string') return missingParameter('UserPoolId')
    if (id === options.userPoolId) return run(options, input)
    return toApiError('ResourceNotFoundException', `User pool ${id} does not exist.`)
  }
}

/** For operators, about one user. */
export function forUser(run: UserOperation): Operation {
  return forPool((options, input) => {
    const { Username: name } = input
    if (typeof name !== 'string') return missingParameter('Username')
    const user = options.store.find(name)
    return user === undefined ? NO_USER : run(options, user, input)
  })
}

/** For the holder of an access token, about herself. */
export function forHolder(run: UserOperation): Operation {
  return async (options, input) => {
    const { AccessToken: token } = input
    if (typeof token !== 'string') return missingParameter('AccessToken')
    const claims = await verifyAccessToken(options, token)
    const holder = isApiError(claims) ? claims : findHolder(options, claims)
    if (isApiError(holder)) return holder
    if (holder.scopes.includes(API_SCOPE)) return run(options, holder.user, input)
    return notAuthorized('Access Token does not have required scopes')
  }
}

export type ClientOperation = (options: PoolParts, client: AppClient, input: Input) => Answered

/** For applications, which say who they are by their client id, and show that they know its secret where there is one. */
export function forClient(run: ClientOperation): Operation {
  return (options, input) => {
    const { ClientId: id } = input
    if (typeof id !== 'string') return missingParameter('ClientId')
    const client = options.clients.find(id)
    if (client === undefined) return noClient(id)
    return checkSecret(client, input) ?? run(options, client, input)
  }
}

export function noClient(id: string): ApiError {
  return toApiError('ResourceNotFoundException', `User pool client ${id} does not exist.`)
}

function checkSecret(client: AppClient, input: Input): ApiError | undefined {
  const { id, secret } = client
  if (secret === undefined || isSecretOf(client, readText(input, 'ClientSecret'))) return undefined
  const given = readText(input, 'SecretHash')
  if (given === undefined) {
    return notAuthorized(`Client ${id} is configured with secret but SECRET_HASH was not received`)
  }
  const expected = createHmac('sha256', secret).update(`${input.Username}${id}`).digest()
  const hash = Buffer.from(given, 'base64')
  const isRight = hash.length === expected.length && timingSafeEqual(hash, expected)
  return isRight ? undefined : notAuthorized(`SecretHash does not match for the client: ${id}`)
}
