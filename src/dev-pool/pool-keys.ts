// The dev pool's two signing keys, made anew at each start and kept in memory only.
import { randomBytes } from 'node:crypto'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose'

export interface PoolKey {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  /** The public part, as the jwks document lists it. */
  readonly jwk: JWK
}

/** Cognito signs ID tokens with one key and access tokens with another. */
export interface PoolKeys {
  readonly id: PoolKey
  readonly access: PoolKey
}

export async function createPoolKeys(): Promise<PoolKeys> {
  const [id, access] = await Promise.all([createPoolKey(), createPoolKey()])
  return { id, access }
}

async function createPoolKey(): Promise<PoolKey> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { modulusLength: 2048 })
  const { e = '', n = '' } = await exportJWK(publicKey)
  const kid = createKid()
  return { kid, privateKey, publicKey, jwk: { alg: 'RS256', e, kid, kty: 'RSA', n, use: 'sig' } }
}

/** Plain base64 of 32 bytes, as Cognito's; always with the characters that careless code trips over. */
function createKid(): string {
  for (;;) {
    const kid = randomBytes(32).toString('base64')
    if (kid.includes('+') && kid.includes('/')) return kid
  }
}
