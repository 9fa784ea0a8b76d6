// Where a browser is taken once it has signed in. Never to a place that is not ours, however it is written (open redirects).
import type { RequestFacts } from '../http/request-facts.ts'
import { parseRequestTarget } from '../http/request-target.ts'

export interface OwnPlaces {
  /** The one that the browser sees now. */
  readonly origin: string
  readonly origins: readonly string[]
  readonly pathPrefix: string
}

/** It is kept in a cookie. */
const MAX_LENGTH = 2048

/** Whatever some browser drops, or reads as a slash. */
const READ_IN_TWO_WAYS = /[\s\\\p{Cc}\p{Cf}]/u

/**
 * An absolute URL: what a caller asked for, where it is a path or a URL of our own origins that can be read in one way only; else the
 * root of the present origin. Refused are `//` anywhere, since pages pass on what they were given, and our own paths, which would
 * go round in a circle.
 */
export function toReturnTo(asked: string | undefined, places: OwnPlaces): string {
  return (asked === undefined ? undefined : parseReturnTo(asked, places)) ?? `${places.origin}/`
}

function parseReturnTo(asked: string, places: OwnPlaces): string | undefined {
  if (asked.length > MAX_LENGTH || READ_IN_TWO_WAYS.test(asked)) return undefined
  const origin = asked.startsWith('/')
    ? places.origin
    : places.origins.find((one) => asked === one || asked.startsWith(`${one}/`))
  if (origin === undefined) return undefined
  const rest = asked.startsWith('/') ? asked : asked.slice(origin.length)
  const url = rest.includes('//') ? null : URL.parse(`${origin}${rest}`)
  if (url === null || url.origin !== origin) return undefined
  const target = parseRequestTarget(url.pathname + url.search, url.host)
  if ('refused' in target || isSuspect(target.decodedPath)) return undefined
  return isBelow(target.decodedPath, places.pathPrefix) ? undefined : url.href
}

/** The page that was asked for; its target was found to be readable in one way only when the request came in. */
export function toOwnReturnTo({ target }: RequestFacts, origin: string): string {
  const url = `${origin}${target.path}${target.query}`
  return url.length > MAX_LENGTH ? `${origin}/` : url
}

/** Decoded once more it would have slashes or control characters of its own. */
function isSuspect(decodedPath: string): boolean {
  return /%(?:2f|5c|[01][0-9a-f]|7f)/i.test(decodedPath)
}

function isBelow(path: string, prefix: string): boolean {
  return `${path}/`.toLowerCase().startsWith(`${prefix}/`.toLowerCase())
}
