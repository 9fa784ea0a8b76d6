// Pages of a list, by name: what is added or removed between two pages moves nothing else.
import { type ApiError, toApiError } from '../api-error.ts'
import type { Input } from './operation.ts'

export interface Page<T> {
  readonly members: readonly T[]
  /** Opaque: where the next page begins; undefined at the end. */
  readonly next: string | undefined
}

const MAX_LIMIT = 60

/** @param tokenName the member of the input that holds what the page before gave */
export function readPage<T>(
  list: readonly T[],
  nameOf: (member: T) => string,
  input: Input,
  tokenName: 'NextToken' | 'PaginationToken',
  limitName: 'Limit' | 'MaxResults' = 'Limit',
): Page<T> | ApiError {
  const { [limitName]: limit = MAX_LIMIT, [tokenName]: token } = input
  if (!Number.isInteger(limit) || Number(limit) < 0 || Number(limit) > MAX_LIMIT) {
    return refuse(`Value '${limit}' at 'limit' failed to satisfy constraint: 0 to ${MAX_LIMIT}`)
  }
  const after = token === undefined ? '' : fromToken(token)
  if (after === undefined) return refuse('Invalid pagination token')
  const rest = list
    .filter((member) => nameOf(member) > after)
    .sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1))
  const members = rest.slice(0, Number(limit) || MAX_LIMIT)
  const last = members.at(-1)
  const isEnd = members.length === rest.length || last === undefined
  return { members, next: isEnd ? undefined : Buffer.from(nameOf(last)).toString('base64url') }
}

function fromToken(token: unknown): string | undefined {
  const name = Buffer.from(String(token), 'base64url').toString('utf8')
  const isOurs = name !== '' && Buffer.from(name).toString('base64url') === token
  return isOurs ? name : undefined
}

function refuse(message: string): ApiError {
  return toApiError('InvalidParameterException', message)
}
