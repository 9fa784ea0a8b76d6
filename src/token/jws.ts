// The compact JWS form (RFC 7515 section 7.1) as Cognito writes it: RS256 and a kid. Nothing else in the header is ever used.
import { parseBase64url } from './base64url.ts'
import { type Rejected, toQuoted, toRejected } from './rejected.ts'
import { type JsonObject, parseJsonObject } from './strict-json.ts'

export interface Jws {
  readonly kid: string
  readonly headerSegment: string
  /** What was signed: header and payload segments with their dot. */
  readonly signedText: string
  readonly payload: Buffer
  readonly signature: Buffer
}

/** Characters: a user in 100 groups of 128 characters has a token of about 17,000 (Cognito's limits). */
const MAX_TOKEN_LENGTH = 20_480

/** Members that would change what is verified, or that carry or point to keys (RFC 7515 section 4.1, RFC 7797, RFC 7516). */
const REFUSED_MEMBERS = [
  'crit',
  'b64',
  'zip',
  'enc',
  'cty',
  'jwk',
  'jku',
  'x5u',
  'x5c',
  'x5t',
  'x5t#S256',
]

/** A header segment that was read before and found good. */
export interface KnownHeader {
  readonly segment: string
  readonly kid: string
}

/** Takes a token apart: length, three segments, canonical base64url, header JSON, alg, kid, in that order. */
export function parseJws(token: string, knownHeaders: readonly KnownHeader[] = []): Jws | Rejected {
  if (token.length > MAX_TOKEN_LENGTH)
    return toRejected('token_malformed', 'longer than 20480 characters')
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first <= 0 || second === -1 || token.indexOf('.', second + 1) !== -1) {
    return toRejected('token_malformed', 'not three segments')
  }
  const headerSegment = token.slice(0, first)
  // No Map: it would hash and intern each text that it is asked for.
  const known = knownHeaders.find(({ segment }) => segment === headerSegment)
  const header = known?.kid ?? parseBase64url(headerSegment)
  const payload = parseBase64url(token.slice(first + 1, second))
  const signature = parseBase64url(token.slice(second + 1))
  if (header === undefined || !payload || !signature) {
    return toRejected('token_malformed', 'a segment is not canonical base64url')
  }
  const kid = typeof header === 'string' ? header : parseHeader(header)
  if (typeof kid !== 'string') return kid
  return { kid, headerSegment, signedText: token.slice(0, second), payload, signature }
}

/** The `kid` of a header that changes nothing about what is verified. */
function parseHeader(bytes: Buffer): string | Rejected {
  const unverifiedHeader = parseJsonObject(bytes)
  return unverifiedHeader
    ? checkHeader(unverifiedHeader)
    : toRejected('token_malformed', 'header is not one strict JSON object')
}

function checkHeader(header: JsonObject): string | Rejected {
  if (header.alg !== 'RS256')
    return toRejected('token_algorithm', `alg is ${toQuoted(header.alg)}, not RS256`)
  for (const name of REFUSED_MEMBERS) {
    if (Object.hasOwn(header, name)) return toRejected('token_malformed', `header has ${name}`)
  }
  if (Object.hasOwn(header, 'typ') && !isJwtType(header.typ)) {
    return toRejected('token_malformed', `typ is ${toQuoted(header.typ)}`)
  }
  const kid = header.kid
  if (typeof kid !== 'string' || kid === '') return toRejected('token_malformed', 'no kid')
  return kid
}

/** RFC 8725 section 3.11: another kind of token, such as a logout token, is not an ID or access token. */
function isJwtType(typ: unknown): boolean {
  return typeof typ === 'string' && typ.toUpperCase() === 'JWT'
}
