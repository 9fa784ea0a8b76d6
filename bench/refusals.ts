// The requests that every verifying contender must refuse, and with which status: the rule that makes them equals.
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Contender } from './contender.ts'
import { accessClaims, signedPart } from './tokens.ts'
import type { BenchWorld } from './world.ts'

export const REFUSALS = [
  'no token',
  'bad signature',
  'changed claims',
  'algorithm none',
  'algorithm HS256',
  'unknown key',
  'expired',
  'other issuer',
  'other client',
  'ID token',
  'missing group',
] as const
export type Refusal = (typeof REFUSALS)[number]

export interface CheckedContender extends Contender {
  /** Where a peer cannot do what is asked: the status that it answers instead, 200 where it does not check at all. */
  readonly deviations?: Readonly<Partial<Record<Refusal, number>>>
}

export function expectedStatus(contender: CheckedContender, refusal: Refusal): number {
  return contender.deviations?.[refusal] ?? (refusal === 'missing group' ? 403 : 401)
}

/** Undefined for the request without one. */
export function refusedToken(refusal: Refusal, bench: BenchWorld): string | undefined {
  const now = Math.floor(Date.now() / 1000)
  switch (refusal) {
    case 'no token':
      return undefined
    case 'bad signature':
      return bench.badSignatureTokens(1)[0]!
    case 'changed claims':
      return withGroupAdded(bench)
    case 'algorithm none':
      return `${signedPart({ kid: bench.world.keyId, alg: 'none' }, accessClaims())}.`
    case 'algorithm HS256':
      return signedWithPublicKey(bench)
    case 'unknown key':
      return bench.unknownKidTokens(1)[0]!
    case 'expired':
      return bench.tokenWith({ iat: now - 7_200, auth_time: now - 7_200, exp: now - 300 })
    case 'other issuer':
      return bench.tokenWith({ iss: `${bench.world.issuer}2` })
    case 'other client':
      return bench.tokenWith({ client_id: 'another' })
    case 'ID token':
      return bench.tokenWith({ token_use: 'id' })
    case 'missing group':
      return bench.tokenWithoutGroup()
  }
}

/** A caller without the group gives it to himself and keeps the signature. */
function withGroupAdded(bench: BenchWorld): string {
  const signature = bench.tokenWithoutGroup().split('.')[2]
  return `${signedPart({ kid: bench.world.keyId, alg: 'RS256' }, accessClaims())}.${signature}`
}

/** RFC 8725 section 2.1: the public key taken for an HMAC secret. */
function signedWithPublicKey({ world }: BenchWorld): string {
  const signed = signedPart({ kid: world.keyId, alg: 'HS256' }, accessClaims())
  const secret = readFileSync(world.publicKeyFile)
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
