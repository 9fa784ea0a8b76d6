// The one form of a target that is signed and sent to AWS: every octet decoded and encoded again as RFC 3986 has it. The decoded path, by
// which the request was matched and authorised, stays what it was.
import { decodeParameter } from '../token/credential-places.ts'

export interface CanonicalTarget {
  readonly path: string
  /** Decoded, in the order in which they were asked. */
  readonly parameters: readonly (readonly [name: string, value: string])[]
  /** '' or with its `?`. */
  readonly query: string
}

/** @param target path and query as matched; the path is known to be well formed. Undefined where the query is not. */
export function toCanonicalTarget(target: string): CanonicalTarget | undefined {
  const mark = target.indexOf('?')
  const path = mark === -1 ? target : target.slice(0, mark)
  const parameters: [string, string][] = []
  for (const pair of mark === -1 ? [] : target.slice(mark + 1).split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decodeParameter(equals === -1 ? pair : pair.slice(0, equals))
    const value = equals === -1 ? '' : decodeParameter(pair.slice(equals + 1))
    // The library that signs keeps parameters by name, and not this one.
    if (name === undefined || value === undefined || name === '__proto__') return undefined
    parameters.push([name, value])
  }
  return { path: toCanonicalPath(path), parameters, query: toQuery(parameters) }
}

/** RFC 3986 section 2.3: nothing but unreserved characters stands as itself, between slashes. */
export function toCanonicalPath(path: string): string {
  if (/^[A-Za-z0-9\-._~/]*$/.test(path)) return path
  return path
    .split('/')
    .map((segment) => encodeStrictly(decodeURIComponent(segment)))
    .join('/')
}

/** encodeURIComponent leaves these as they are. */
export function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function toQuery(parameters: CanonicalTarget['parameters']): string {
  if (parameters.length === 0) return ''
  const pairs = parameters.map(
    ([name, value]) => `${encodeStrictly(name)}=${encodeStrictly(value)}`,
  )
  return `?${pairs.join('&')}`
}
