// The rule as the Node peers enforce it, by either of two libraries. It must not be made slower than its library is.
import { readFileSync } from 'node:fs'
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import { CognitoJwtInvalidGroupError } from 'aws-jwt-verify/error'
import { createVerifier } from 'fast-jwt'
import type { World } from '../contender.ts'

export interface Caller {
  readonly subject: string
  readonly groups: string
  readonly clientId: string
  /** Seconds since the epoch. */
  readonly expiry: number
}

/** The caller, or the status to refuse with. */
export type Verify = (authorization: string | undefined) => Caller | 401 | 403

interface AccessClaims {
  readonly sub: string
  readonly exp: number
  readonly client_id: string
  readonly token_use: string
  readonly 'cognito:groups'?: readonly string[]
}

const BEARER = 'Bearer '
const CACHE_ENTRIES = 10_000

/** Keys are loaded at start, so that it verifies without awaiting. It has no cache of tokens. */
export function createAwsJwtVerify(world: World): Verify {
  const userPoolId = world.issuer.slice(world.issuer.lastIndexOf('/') + 1)
  const rule = {
    userPoolId,
    tokenUse: 'access',
    clientId: world.clientId,
    groups: world.group,
  } as const
  const verifier = CognitoJwtVerifier.create(rule)
  verifier.cacheJwks(JSON.parse(readFileSync(world.jwksFile, 'utf8')))
  return (authorization) => {
    if (authorization?.startsWith(BEARER) !== true) return 401
    try {
      return toCaller(verifier.verifySync(authorization.slice(BEARER.length)) as AccessClaims)
    } catch (error) {
      return error instanceof CognitoJwtInvalidGroupError ? 403 : 401
    }
  }
}

/** With its cache of tokens on, and one key as text, which is its fastest way. */
export function createFastJwt(world: World): Verify {
  const verify = createVerifier({
    key: readFileSync(world.publicKeyFile, 'utf8'),
    algorithms: ['RS256'],
    allowedIss: world.issuer,
    requiredClaims: ['exp', 'iss', 'sub'],
    cache: CACHE_ENTRIES,
  })
  return (authorization) => {
    if (authorization?.startsWith(BEARER) !== true) return 401
    try {
      const claims = verify(authorization.slice(BEARER.length)) as AccessClaims
      if (claims.token_use !== 'access' || claims.client_id !== world.clientId) return 401
      return claims['cognito:groups']?.includes(world.group) === true ? toCaller(claims) : 403
    } catch {
      return 401
    }
  }
}

/** Remembers the last CACHE_ENTRIES callers until their tokens expire; refusals are not remembered. */
export function rememberCallers(verify: Verify): Verify {
  const callers = new Map<string, Caller>()
  return (authorization) => {
    const known = callers.get(authorization ?? '')
    if (known !== undefined && known.expiry * 1000 > Date.now()) return known
    const result = verify(authorization)
    if (typeof result === 'number') return result
    if (callers.size >= CACHE_ENTRIES) callers.delete(callers.keys().next().value!)
    callers.set(authorization!, result)
    return result
  }
}

function toCaller(claims: AccessClaims): Caller {
  return {
    subject: claims.sub,
    groups: claims['cognito:groups']?.join(',') ?? '',
    clientId: claims.client_id,
    expiry: claims.exp,
  }
}
