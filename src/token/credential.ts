// Finds the presented, still unverified credential of a request (RFC 6750 section 2.1). Query and body are never read for one.
import { type Rejected, toRejected } from './rejected.ts'

export type Credential = string | Rejected

const MISSING = toRejected('credential_missing', 'no Authorization field')
const NOT_BEARER = toRejected('credential_malformed', 'Authorization is not "Bearer" and one token')

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
