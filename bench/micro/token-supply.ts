// Tokens for micro benchmarks, kept as bytes: every use makes a string of its own, as a server gets one with each request.
import { createPublicKey, type KeyObject } from 'node:crypto'
import { accessClaims, createSigningKey, signToken, toJwk } from '../tokens.ts'

export const FILLERS = 100

export interface TokenSupply {
  readonly jwks: { readonly keys: readonly object[] }
  readonly publicKey: KeyObject
  /** What is timed. */
  readonly tokens: readonly Buffer[]
  /** Good ones of others, enough to fill a cache of so many entries. */
  readonly fillers: readonly Buffer[]
  /** A good token beside them, for checks. */
  readonly spare: Buffer
  /** With the payload of another token, with the signature of another, and one that has expired. */
  readonly bad: readonly Buffer[]
}

export function createTokenSupply(count: number): TokenSupply {
  const key = createSigningKey()
  const mint = (changes: object = {}) => signToken(key, { ...accessClaims(), ...changes })
  const [, payload = '', signature = ''] = mint().split('.')
  const bad = [
    mint().replace(/\.[^.]+\./, `.${payload}.`),
    mint().replace(/[^.]+$/, signature),
    mint({ exp: Math.floor(Date.now() / 1000) - 10 }),
  ]
  const toBytes = (token: string) => Buffer.from(token, 'latin1')
  return {
    jwks: { keys: [toJwk(key), toJwk(createSigningKey())] },
    publicKey: createPublicKey(key.privateKey),
    tokens: Array.from({ length: count }, () => toBytes(mint())),
    fillers: Array.from({ length: FILLERS }, () => toBytes(mint())),
    spare: toBytes(mint()),
    bad: bad.map(toBytes),
  }
}

export function toFreshText(bytes: Buffer): string {
  return bytes.toString('latin1')
}
