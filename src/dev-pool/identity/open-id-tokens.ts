// Tokens of the basic flow: they say which identity somebody has, for ten minutes, to STS alone. Not to be verified by anybody else, so their key
// is a secret made at the start.
import { randomBytes } from 'node:crypto'
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type { Clock } from '../../base/clock.ts'

export interface OpenIdIdentity {
  readonly identityId: string
  /** Undefined: a guest. */
  readonly provider: string | undefined
  /** Of the ID token: a group's role is for its members alone. */
  readonly roles: readonly string[]
  readonly tags: Readonly<Record<string, string>>
}

export interface OpenIdTokens {
  mint(identity: OpenIdIdentity): Promise<string>
  verify(token: string): Promise<OpenIdIdentity | 'expired' | 'invalid'>
}

const ISSUER = 'https://cognito-identity.amazonaws.com'
const LIFE_SECONDS = 600
const TAGS = 'https://aws.amazon.com/tags'

/** @param identityPoolId whom the tokens are for */
export function createOpenIdTokens(clock: Clock, identityPoolId: string): OpenIdTokens {
  const secret = randomBytes(32)
  return {
    mint({ identityId, provider, roles, tags }) {
      const iat = Math.floor(clock.now() / 1000)
      const amr = provider === undefined ? ['unauthenticated'] : ['authenticated', provider]
      const lists = Object.entries(tags).map(([tag, value]) => [tag, [value]])
      const claims = {
        sub: identityId,
        aud: identityPoolId,
        amr,
        'cognito:roles': roles,
        [TAGS]: { principal_tags: Object.fromEntries(lists) },
        iss: ISSUER,
        exp: iat + LIFE_SECONDS,
        iat,
      }
      return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWS' }).sign(secret)
    },
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, secret, {
          issuer: ISSUER,
          audience: identityPoolId,
          algorithms: ['HS256'],
          currentDate: new Date(clock.now()),
        })
        return toIdentity(payload)
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error
        return error instanceof errors.JWTExpired ? 'expired' : 'invalid'
      }
    },
  }
}

/** Signed here, so it has the shape that `mint` gave it. */
function toIdentity(payload: JWTPayload): OpenIdIdentity {
  const [, provider] = payload.amr as string[]
  const { principal_tags: lists } = payload[TAGS] as { principal_tags: Record<string, [string]> }
  return {
    identityId: String(payload.sub),
    provider,
    roles: payload['cognito:roles'] as string[],
    tags: Object.fromEntries(Object.entries(lists).map(([tag, [value]]) => [tag, value])),
  }
}
