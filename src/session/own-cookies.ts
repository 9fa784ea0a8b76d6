// The cookies that Poolgate itself gives browsers: how they are written and read. Each is bound to one host, encrypted transport and
// top-level requests by its prefix and attributes (RFC 6265bis sections 4.1.3 and 5.6.7).
import { type RawHeaders, trimBlanks, valuesOf } from '../http/headers.ts'

const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax'

/** @param maxAgeSeconds undefined: until the browser is closed */
export function toSetCookie(name: string, value: string, maxAgeSeconds?: number): string {
  const age = maxAgeSeconds === undefined ? '' : `Max-Age=${maxAgeSeconds}; `
  return `${name}=${value}; ${age}${ATTRIBUTES}`
}

/** Makes the browser forget it. */
export function toExpired(name: string): string {
  return toSetCookie(name, '', 0)
}

export interface Cookie {
  readonly name: string
  readonly value: string
}

/** The cookies of a request whose name begins so, in order. */
export function cookiesOf(headers: RawHeaders, prefix: string): Cookie[] {
  const pairs = valuesOf(headers, 'cookie').flatMap((field) => field.split(';'))
  return pairs.flatMap((pair) => {
    const equals = pair.indexOf('=')
    const name = trimBlanks(pair.slice(0, Math.max(equals, 0)))
    return name.startsWith(prefix) ? [{ name, value: trimBlanks(pair.slice(equals + 1)) }] : []
  })
}

/** Without lines that a later one for the same cookie makes void (RFC 6265 section 4.1.1: one line a name). */
export function lastOfEach(cookies: readonly string[]): string[] {
  const nameOf = (line: string) => line.slice(0, line.indexOf('='))
  const last = new Map(cookies.map((line) => [nameOf(line), line]))
  return [...last.values()]
}
