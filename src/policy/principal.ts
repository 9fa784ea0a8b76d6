// The verified caller of a request, made once for each verified token.
import type { RawHeaders } from '../http/headers.ts'
import { encodeHeaderList, encodeHeaderValue } from '../http/header-value.ts'
import { clientOf } from '../token/claims.ts'
import type { Verified } from '../token/verifier.ts'

export interface Principal extends Verified {
  /** `sub`, or '' when the token has none. */
  readonly subject: string
  /** The app client that the token was made for. */
  readonly clientId: string
  /** `cognito:groups`; empty when absent, undefined when it is anything but an array of strings. */
  readonly groups: readonly string[] | undefined
  /** `scope`, split at spaces; empty when absent, undefined when it is not a string. */
  readonly scopes: readonly string[] | undefined
  /** Ready identity header lines: name, value, name, value … */
  readonly identityHeaders: RawHeaders
}

/** Compiles `identityHeaders` (header → claim) into what turns a verified token into a Principal. */
export function compilePrincipal(
  identityHeaders: Readonly<Record<string, string>>,
): (verified: Verified) => Principal {
  const headers = Object.entries(identityHeaders)
  const toIdentityHeaders = (verified: Verified): RawHeaders => {
    const lines: string[] = []
    for (const [name, claim] of headers) {
      const value = toHeaderValue(claimOf(verified, claim))
      if (value !== undefined) lines.push(name, value)
    }
    return lines
  }
  return (verified) => {
    const { userPool, tokenUse, claims, validFromMs, validUntilMs } = verified
    const clientId = clientOf(claims, tokenUse)
    return {
      userPool,
      tokenUse,
      claims,
      validFromMs,
      validUntilMs,
      subject: typeof claims.sub === 'string' ? claims.sub : '',
      clientId: typeof clientId === 'string' ? clientId : '',
      groups: toTexts(claims['cognito:groups']),
      scopes: toScopes(claims.scope),
      identityHeaders: toIdentityHeaders(verified),
    }
  }
}

/** A claim that lists texts; empty when absent, undefined when it is anything else. */
export function toTexts(claim: unknown): readonly string[] | undefined {
  if (claim === undefined) return []
  return isStringList(claim) ? claim : undefined
}

/** What an ID token without `identities` says: the user pool itself asked for a password. */
const USER_POOL = 'COGNITO'

/** Names of the providers that the caller is linked with; undefined when `identities` is not as Cognito writes it. */
export function providersOf({ claims, tokenUse }: Verified): readonly string[] | undefined {
  // An access token says nothing of them.
  if (tokenUse !== 'id') return undefined
  if (claims.identities === undefined) return [USER_POOL]
  if (!Array.isArray(claims.identities) || claims.identities.length === 0) return undefined
  const names: unknown[] = claims.identities.map(
    (each: { providerName?: unknown } | null) => each?.providerName,
  )
  return isStringList(names) ? names : undefined
}

function toScopes(claim: unknown): readonly string[] | undefined {
  if (claim === undefined) return []
  return typeof claim === 'string' ? claim.split(' ') : undefined
}

function isStringList(claim: unknown): claim is readonly string[] {
  return Array.isArray(claim) && claim.every((member) => typeof member === 'string')
}

/** The claim of that name. `username` and `client_id` also find what an ID token calls otherwise. */
function claimOf({ claims, tokenUse }: Verified, name: string): unknown {
  if (tokenUse === 'id' && name === 'username') return claims['cognito:username']
  if (tokenUse === 'id' && name === 'client_id') return claims.aud
  return Object.hasOwn(claims, name) ? claims[name] : undefined
}

/** Undefined sends no header: a missing claim, null, or something that has no exact text. */
function toHeaderValue(claim: unknown): string | undefined {
  if (typeof claim === 'string') return encodeHeaderValue(claim)
  if (typeof claim === 'number' || typeof claim === 'boolean')
    return encodeHeaderValue(String(claim))
  if (claim === undefined || claim === null) return undefined
  if (isStringList(claim)) return encodeHeaderList(claim)
  return encodeHeaderValue(JSON.stringify(claim))
}
