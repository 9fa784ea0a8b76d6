// The user pool API and the identity pool API: which operation is which function. Expected refusals are ApiErrors; what is not listed is
// refused by name.
import type { PoolParts } from './pool-parts.ts'
import { type ApiResult, toApiError } from './api-error.ts'
import { ADMIN_USER_OPERATIONS } from './api/admin-user-operations.ts'
import { GROUP_OPERATIONS } from './api/group-operations.ts'
import { IMPORT_OPERATIONS } from './api/import-operations.ts'
import type { Input, Operation } from './api/operation.ts'
import { OWN_ACCOUNT_OPERATIONS } from './api/own-account-operations.ts'
import { POOL_OPERATIONS } from './api/pool-operations.ts'
import { IDENTITY_OPERATIONS } from './identity/identity-operations.ts'
import { SIGN_IN_OPERATIONS } from './api/sign-in-operations.ts'
import { SIGN_UP_OPERATIONS } from './api/sign-up-operations.ts'

/** By their AWS names, without the service's name before them. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  Object.entries({
    ...SIGN_UP_OPERATIONS,
    ...SIGN_IN_OPERATIONS,
    ...OWN_ACCOUNT_OPERATIONS,
    ...ADMIN_USER_OPERATIONS,
    ...GROUP_OPERATIONS,
    ...IMPORT_OPERATIONS,
    ...POOL_OPERATIONS,
  }),
)

const SERVICES: ReadonlyMap<string, ReadonlyMap<string, Operation>> = new Map([
  ['AWSCognitoIdentityProviderService', OPERATIONS],
  ['AWSCognitoIdentityService', new Map(Object.entries(IDENTITY_OPERATIONS))],
])

/** Whether it names one of the services. @param target `SERVICE.OPERATION` */
export function isTarget(target: string): boolean {
  const [service = '', ...rest] = target.split('.')
  return rest.length > 0 && SERVICES.has(service)
}

export async function answerOperation(
  options: PoolParts,
  target: string,
  input: Input,
): Promise<ApiResult> {
  const [service = '', ...rest] = target.split('.')
  const operation = rest.join('.')
  const answer = SERVICES.get(service)?.get(operation)
  if (answer !== undefined) return answer(options, input)
  return toApiError(
    'UnknownOperationException',
    `The dev pool has no operation ${operation}: docs/dev-pool.md lists those it has`,
  )
}
