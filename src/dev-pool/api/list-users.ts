// ListUsers: filters as Cognito reads them, and pages. A filter that is not understood is refused, never passed over.
import type { PoolParts } from '../pool-parts.ts'
import { type ApiError, type ApiResult, isApiError, toApiError } from '../api-error.ts'
import type { DevUser } from '../user.ts'
import type { Input } from './operation.ts'
import { readPage } from './page-of.ts'
import { toUserType } from './user-shape.ts'

type Match = (user: DevUser) => boolean

export function listUsers({ store }: PoolParts, input: Input): ApiResult {
  const matches = parseFilter(input.Filter)
  if (isApiError(matches)) return matches
  const users = [...store.directory().users.values()].filter(matches)
  const page = readPage(users, ({ username }) => username, input, 'PaginationToken')
  if (isApiError(page)) return page
  const names = Array.isArray(input.AttributesToGet) ? input.AttributesToGet : undefined
  return {
    body: {
      Users: page.members.map((user) => toUserType(user, names)),
      ...(page.next !== undefined && { PaginationToken: page.next }),
    },
  }
}

const SEARCHABLE: Readonly<Record<string, (user: DevUser) => unknown>> = {
  username: ({ username }) => username,
  sub: ({ sub }) => sub,
  'cognito:user_status': ({ status }) => status,
  status: ({ enabled }) => (enabled ? 'Enabled' : 'Disabled'),
  ...Object.fromEntries(
    ['email', 'phone_number', 'name', 'given_name', 'family_name', 'preferred_username'].map(
      (name) => [name, ({ attributes }: DevUser) => attributes[name]],
    ),
  ),
}

/** `name = "value"` or `name ^= "value"` (begins with); a quote in the value has a backslash before it. */
export function parseFilter(filter: unknown): Match | ApiError {
  if (filter === undefined || filter === '') return () => true
  const parsed = /^\s*([\w:]+|"[\w:]+")\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*$/s.exec(String(filter))
  if (parsed === null) return refuse('Error while parsing filter')
  const [, quoted = '', operator, escaped = ''] = parsed
  const name = quoted.replaceAll('"', '')
  const read = Object.hasOwn(SEARCHABLE, name) ? SEARCHABLE[name] : undefined
  if (read === undefined) return refuse(`Cannot search by ${name}`)
  const wanted = escaped.replace(/\\(.)/gs, '$1')
  return (user) => {
    const value = read(user)
    if (typeof value !== 'string') return false
    return operator === '=' ? value === wanted : value.startsWith(wanted)
  }
}

function refuse(message: string): ApiError {
  return toApiError('InvalidParameterException', message)
}
