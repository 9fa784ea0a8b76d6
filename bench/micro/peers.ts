// The libraries that Poolgate's verification stands beside, each as strict as it can be told to be.
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { CLIENT_ID, ISSUER } from '../tokens.ts'
import type { TokenSupply } from './token-supply.ts'

/** Length of the subject; 0, or an error, when the token is refused. */
export type VerifyToken = (token: string) => number
export type VerifyTokenLater = (token: string) => Promise<number>

interface AccessClaims {
  readonly sub?: string | undefined
  readonly iss?: unknown
  readonly client_id?: unknown
  readonly token_use?: unknown
}

type CreateFastJwt = (options: {
  readonly key: string
  readonly algorithms: readonly string[]
  readonly allowedIss: string
  readonly cache: number | false
}) => (token: string) => AccessClaims

export function createJose({ jwks }: TokenSupply): VerifyTokenLater {
  const keys = createLocalJWKSet(jwks as JSONWebKeySet)
  const options = { issuer: ISSUER, algorithms: ['RS256'] }
  return async (token) => subjectOf((await jwtVerify(token, keys, options)).payload)
}

export function createAwsJwtVerify({ jwks }: TokenSupply): VerifyToken {
  const userPoolId = ISSUER.slice(ISSUER.lastIndexOf('/') + 1)
  const verifier = CognitoJwtVerifier.create({
    userPoolId,
    clientId: CLIENT_ID,
    tokenUse: 'access',
  })
  verifier.cacheJwks(jwks as Parameters<typeof verifier.cacheJwks>[0])
  return (token) => subjectOf(verifier.verifySync(token))
}

/** With a cache of so many tokens, or none. */
export type CreateFastJwtVerify = (cache: number | false) => VerifyToken

/** Undefined where it is not installed; bench/setup.sh does that. */
export async function loadFastJwt({
  publicKey,
}: TokenSupply): Promise<CreateFastJwtVerify | undefined> {
  // A name that the compiler does not follow: it may be absent.
  const name: string = 'fast-jwt'
  const loaded = (await import(name).catch(() => undefined)) as
    { readonly createVerifier: CreateFastJwt } | undefined
  if (loaded === undefined) return undefined
  const key = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  return (cache) => {
    const options = { key, algorithms: ['RS256'], allowedIss: ISSUER, cache }
    const verify = loaded.createVerifier(options)
    return (token) => subjectOf(verify(token))
  }
}

/** What not every library asks for by itself. */
function subjectOf({ sub = '', client_id, token_use }: AccessClaims): number {
  return client_id === CLIENT_ID && token_use === 'access' ? sub.length : 0
}
