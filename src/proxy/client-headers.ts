// Builds the field lines that a client gets of an upstream's response. Connection matters stay on each side.
import {
  compileOwnedHeaders,
  connectionNamed,
  isHopByHop,
  isPlainConnection,
  normaliseFieldName,
  type RawHeaders,
} from '../http/headers.ts'
import { rememberByName } from '../http/name-memo.ts'
import { compileOwnCookies, type IsOwnCookie, setsOwnCookie } from '../http/own-cookies.ts'

export type BuildClientHeaders = (headers: RawHeaders) => string[]

/** Drops hop-by-hop fields and every name by which an upstream could pretend to be Poolgate. */
export function compileClientHeaders(
  identityHeaders: readonly string[],
  isOwnCookie: IsOwnCookie = compileOwnCookies([]),
): BuildClientHeaders {
  const owned = compileOwnedHeaders(identityHeaders)
  const passes = rememberByName((name) => {
    const normalised = normaliseFieldName(name)
    return !isHopByHop(normalised) && owned(normalised) !== 'always'
  })
  return (headers) => {
    const lines: string[] = []
    let named: ReadonlySet<string> | undefined
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string
      const value = headers[i + 1] as string
      if (isSetCookie(name) && setsOwnCookie(value, isOwnCookie)) continue
      if (passes(name)) lines.push(name, value)
      else if (isConnection(name) && !isPlainConnection(value)) {
        named ??= connectionNamed(headers)
      }
    }
    if (named === undefined || named.size === 0) return lines
    const ends = named
    return lines.filter((_, i) => {
      const name = (lines[i - (i % 2)] as string).toLowerCase()
      return name === 'content-length' || !ends.has(name)
    })
  }
}

function isConnection(name: string): boolean {
  return name.length === 10 && name.toLowerCase() === 'connection'
}

function isSetCookie(name: string): boolean {
  return name.length === 10 && name.toLowerCase() === 'set-cookie'
}
