// Finds the presented, still unverified credential of a request (RFC 6750 section 2.1). A body is never read for one, and any place
// but Authorization only where the route names it.
import { type RawHeaders, valuesOf } from '../http/headers.ts'
import type { RequestFacts } from '../http/request-facts.ts'
import {
  type CredentialPlaces,
  decodeParameter,
  type Taken,
  takeCookie,
  takeParameter,
  takeProtocol,
} from './credential-places.ts'
import { type Rejected, toRejected } from './rejected.ts'

export type Credential = string | Rejected

/** A token from one of several places. */
export interface Presented {
  readonly token: string
  /** From a cookie: a browser sends it with whatever any page asks for. */
  readonly isAmbient: boolean
}

const MISSING = toRejected('credential_missing', 'no Authorization field')
const NOWHERE = toRejected('credential_missing', 'in none of the places that the route names')
const NOT_BEARER = toRejected('credential_malformed', 'Authorization is not "Bearer" and one token')
const EMPTY = toRejected('credential_malformed', 'an empty or broken value')
const TWO_PLACES = toRejected('credential_ambiguous', 'in more than one place')
const TWICE = toRejected('credential_ambiguous', 'twice in its place')

/** The token of one Authorization value. The scheme's case does not matter; exactly one space follows it. */
export function parseCredential(authorization: string | undefined): Credential {
  if (authorization === undefined) return MISSING
  if (!authorization.startsWith('Bearer ') && !/^bearer /i.test(authorization)) return NOT_BEARER
  const token = authorization.slice(7)
  // Bearer's own alphabet (token68) ends where these begin; the JWS parser refuses the rest of what is not base64url.
  if (token === '' || token.includes(' ') || token.includes('\t') || token.includes(','))
    return NOT_BEARER
  return token
}

/**
 * The token of a request to a route with further places. A client puts it into Authorization, a subprotocol or the query on
 * purpose, so two of them are ambiguous; a cookie comes along by itself, and counts where there is nothing else.
 */
export function findCredential(
  { authorization, headers, target, upgrade }: RequestFacts,
  places: CredentialPlaces,
): Presented | Rejected {
  const offered =
    places.webSocketProtocol === true && upgrade === 'websocket'
      ? takenFrom(headers, 'sec-websocket-protocol', takeProtocol)
      : []
  const asked = places.query === undefined ? [] : takeParameter(target.query, places.query).values
  const deliberate = [authorization !== undefined, offered.length > 0, asked.length > 0]
  if (deliberate.filter(Boolean).length > 1) return TWO_PLACES
  if (authorization !== undefined) return toPresented(parseCredential(authorization))
  if (offered.length > 0) return theOne(offered)
  if (asked.length > 0) return theOne(asked.map((value) => decodeParameter(value) ?? ''))
  const { cookie } = places
  const kept =
    cookie === undefined ? [] : takenFrom(headers, 'cookie', (field) => takeCookie(field, cookie))
  return kept.length === 0 ? NOWHERE : theOne(kept, true)
}

/** Of all lines of a field; `name` in lower case. */
function takenFrom(headers: RawHeaders, name: string, take: (field: string) => Taken): string[] {
  return valuesOf(headers, name).flatMap((field) => take(field).values)
}

function theOne([token = '', ...more]: readonly string[], isAmbient = false): Presented | Rejected {
  if (more.length > 0) return TWICE
  return token === '' ? EMPTY : { token, isAmbient }
}

function toPresented(credential: Credential): Presented | Rejected {
  return typeof credential === 'string' ? { token: credential, isAmbient: false } : credential
}
