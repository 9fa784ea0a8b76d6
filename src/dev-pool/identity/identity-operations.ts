// The identity pool API: an identity for a login, and that identity's temporary credentials. Whoever is not the identity gets nothing of it.
import {
  type ApiError,
  type ApiResult,
  isApiError,
  notAuthorized,
  toApiError,
} from '../api-error.ts'
import { type Input, type Operation, readText, readTexts } from '../api/operation.ts'
import type { PoolParts } from '../pool-parts.ts'
import { type Caller, findCaller } from './caller.ts'
import { toPrincipalTags } from './principal-tags.ts'
import { chooseGuestRole, chooseRole, NO_GUESTS, rolesIn } from './role-choice.ts'

/** By their AWS names, without the service's name before them. */
export const IDENTITY_OPERATIONS: Readonly<Record<string, Operation>> = {
  GetId: getId,
  GetCredentialsForIdentity: getCredentialsForIdentity,
  GetOpenIdToken: getOpenIdToken,
}

async function getId(parts: PoolParts, input: Input): Promise<ApiResult> {
  const given = readTexts(input, 'IdentityPoolId')
  if (isApiError(given)) return given
  const { identityPool, identities } = parts
  if (given.IdentityPoolId !== identityPool.id) {
    const message = `IdentityPool '${given.IdentityPoolId}' not found.`
    return toApiError('ResourceNotFoundException', message)
  }
  const caller = await findCaller(parts, input.Logins)
  if (caller !== undefined && isApiError(caller)) return caller
  if (caller !== undefined) return { body: { IdentityId: caller.identityId } }
  return identityPool.allowGuests ? { body: { IdentityId: identities.createGuest() } } : NO_GUESTS
}

async function getCredentialsForIdentity(parts: PoolParts, input: Input): Promise<ApiResult> {
  const known = await findIdentity(parts, input)
  if (isApiError(known)) return known
  const { identityPool, issued } = parts
  const { identityId, caller } = known
  const custom = readText(input, 'CustomRoleArn')
  const roleArn =
    caller === undefined
      ? chooseGuestRole(identityPool)
      : chooseRole(identityPool, caller.provider, caller.claims, custom)
  if (typeof roleArn !== 'string') return roleArn
  const tags = toTags(parts, caller)
  const { accessKeyId, secretAccessKey, sessionToken, expiresAtMs } = issued.issue({
    identityId,
    roleArn,
    tags,
  })
  return {
    body: {
      IdentityId: identityId,
      Credentials: {
        AccessKeyId: accessKeyId,
        SecretKey: secretAccessKey,
        SessionToken: sessionToken,
        Expiration: expiresAtMs / 1000,
      },
    },
  }
}

async function getOpenIdToken(parts: PoolParts, input: Input): Promise<ApiResult> {
  const known = await findIdentity(parts, input)
  if (isApiError(known)) return known
  const { identityId, caller } = known
  const token = await parts.openIdTokens.mint({
    identityId,
    provider: caller?.provider,
    roles: caller === undefined ? [] : rolesIn(caller.claims),
    tags: toTags(parts, caller),
  })
  return { body: { IdentityId: identityId, Token: token } }
}

interface KnownIdentity {
  readonly identityId: string
  /** Undefined: a guest. */
  readonly caller: Caller | undefined
}

/** The identity that the call names, which has to be the caller's own. */
async function findIdentity(parts: PoolParts, input: Input): Promise<KnownIdentity | ApiError> {
  const given = readTexts(input, 'IdentityId')
  if (isApiError(given)) return given
  const { IdentityId: identityId } = given
  const kind = parts.identities.kindOf(identityId)
  if (kind === undefined) {
    return toApiError('ResourceNotFoundException', `Identity '${identityId}' not found.`)
  }
  const caller = await findCaller(parts, input.Logins)
  if (caller !== undefined && isApiError(caller)) return caller
  if (caller !== undefined) {
    return caller.identityId === identityId ? { identityId, caller } : NO_MATCH
  }
  if (kind === 'user') return notAuthorized(`Access to Identity '${identityId}' is forbidden.`)
  return parts.identityPool.allowGuests ? { identityId, caller } : NO_GUESTS
}

function toTags({ identityPool }: PoolParts, caller: Caller | undefined) {
  return caller === undefined ? {} : toPrincipalTags(identityPool.principalTags, caller.claims)
}

const NO_MATCH = notAuthorized(
  "Logins don't match. Please include at least one valid login for this identity or identity pool.",
)
