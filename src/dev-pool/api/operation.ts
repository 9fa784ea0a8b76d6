// What an operation of the user pool API is: what it stands on, and how it reads its input. No input is taken for what it is not.
import type { PoolParts } from '../pool-parts.ts'
import {
  type ApiError,
  type ApiResult,
  isApiError,
  missingParameter,
  toApiError,
} from '../api-error.ts'
import { type Attributes, parseAttributes } from '../attributes.ts'
import type { DevUser } from '../user.ts'

export type Input = Readonly<Record<string, unknown>>
export type Answered = ApiResult | Promise<ApiResult>
export type Operation = (options: PoolParts, input: Input) => Answered

export type UserOperation = (options: PoolParts, user: DevUser, input: Input) => Answered

/** What an operation answers that has nothing to tell, once what it asked for was done. */
export function toDone(result: object): ApiResult {
  return isApiError(result) ? result : { body: {} }
}

/** The named members, all of which have to be text. */
export function readTexts<Name extends string>(
  input: Input,
  ...names: readonly Name[]
): Readonly<Record<Name, string>> | ApiError {
  const missing = names.find((name) => typeof input[name] !== 'string')
  return missing === undefined ? (input as Record<Name, string>) : missingParameter(missing)
}

/** A member that may be left out. */
export function readText(input: Input, name: string): string | undefined {
  const value = input[name]
  return typeof value === 'string' ? value : undefined
}

/** A mapping; empty where there is none. */
export function readMapping(input: Input, name: string): Input {
  const value = input[name]
  return typeof value === 'object' && value !== null ? (value as Input) : {}
}

/** A list of `{Name, Value}`; empty where there is none. */
export function readAttributes(input: Input, name: string): Attributes | ApiError {
  const list = input[name] ?? []
  if (!Array.isArray(list) || !list.every(isPair)) {
    return toApiError('SerializationException', `${name}: expected a list of Name and Value`)
  }
  return parseAttributes(list.map(({ Name, Value = '' }) => [Name, Value] as const))
}

function isPair(value: unknown): value is { readonly Name: string; readonly Value?: string } {
  const { Name: name, Value: text = '' } = Object(value)
  return typeof name === 'string' && typeof text === 'string'
}
