// Further places of a token, beside Authorization, and how it is taken out of each of them: one function finds it for the decision
// and says what is left to be forwarded.
import { trimBlanks } from '../http/headers.ts'

/** Where a route's callers may put their token. */
export interface CredentialPlaces {
  /** Name of a cookie. */
  readonly cookie?: string | undefined
  /** Origins whose pages may do something with the cookie, beside those of the request's own host. */
  readonly origins?: readonly string[] | undefined
  /** Name of a query parameter. */
  readonly query?: string | undefined
  /** A subprotocol `bearer.<token>` that is offered with a WebSocket (RFC 6455 section 1.9). */
  readonly webSocketProtocol?: boolean | undefined
}

export interface Taken {
  /** Every value that stood there, as written. */
  readonly values: readonly string[]
  /** What is left, byte for byte as it was; '' when nothing is. */
  readonly rest: string
}

const PROTOCOL_PREFIX = 'bearer.'

/** From the value of a Cookie field (RFC 6265 section 4.2). */
export function takeCookie(field: string, name: string): Taken {
  return take(field, ';', (pair) => {
    const equals = pair.indexOf('=')
    const isNamed = equals !== -1 && trimBlanks(pair.slice(0, equals)) === name
    return isNamed ? trimBlanks(pair.slice(equals + 1)) : undefined
  })
}

/** The value of a Cookie field without those cookies, byte for byte as it was; '' when none is left. */
export function withoutCookies(field: string, isOut: (name: string) => boolean): string {
  return take(field, ';', (pair) => {
    const name = trimBlanks(pair.split('=', 1)[0] ?? '')
    return isOut(name) ? name : undefined
  }).rest
}

/** From a query with its `?`. The name is compared decoded, as an upstream would; the value is as written. */
export function takeParameter(query: string, name: string): Taken {
  const { values, rest } = take(query.slice(1), '&', (pair) => {
    const equals = pair.indexOf('=')
    const written = equals === -1 ? pair : pair.slice(0, equals)
    if (decodeParameter(written) !== name) return undefined
    return equals === -1 ? '' : pair.slice(equals + 1)
  })
  if (values.length === 0) return { values, rest: query }
  return { values, rest: rest === '' ? '' : `?${rest}` }
}

/** From the value of a Sec-WebSocket-Protocol field. */
export function takeProtocol(field: string): Taken {
  return take(field, ',', (item) => {
    const protocol = trimBlanks(item)
    return protocol.startsWith(PROTOCOL_PREFIX) ? protocol.slice(PROTOCOL_PREFIX.length) : undefined
  })
}

/** One percent-decoding, `+` as a space; undefined where it is broken. */
export function decodeParameter(written: string): string | undefined {
  if (!/[%+]/.test(written)) return written
  try {
    return decodeURIComponent(written.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

/** @param valueIn undefined for a part that stays */
function take(
  text: string,
  separator: string,
  valueIn: (part: string) => string | undefined,
): Taken {
  const values: string[] = []
  const parts = text.split(separator)
  const rest = parts.filter((part) => {
    const value = valueIn(part)
    if (value !== undefined) values.push(value)
    return value === undefined
  })
  if (values.length === 0) return { values, rest: text }
  return { values, rest: trimBlanks(rest.join(separator)) }
}
