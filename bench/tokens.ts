// The benchmark's user pool: its keys, and tokens of the size and shape that Cognito issues.
// The keys live in one run's directory only and sign for nobody else.
import { generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from 'node:crypto'

/** Shaped like a pool's of AWS, because aws-jwt-verify derives the issuer from the pool's id. */
export const ISSUER = 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_BenchPool'
export const CLIENT_ID = '7benchclient00000000000001'
export const GROUP = 'admins'

const LIFETIME_S = 3_600
const SIGNATURE_BYTES = 256

export interface SigningKey {
  readonly keyId: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export function createSigningKey(): SigningKey {
  return { keyId: createKeyId(), ...generateKeyPairSync('rsa', { modulusLength: 2048 }) }
}

/** As long as Cognito's. */
export function createKeyId(): string {
  return randomBytes(32).toString('base64')
}

export function toJwk({ keyId, publicKey }: SigningKey): object {
  return { kid: keyId, alg: 'RS256', use: 'sig', ...publicKey.export({ format: 'jwk' }) }
}

/** The claims of an access token that an hour is left of, with a subject of its own. */
export function accessClaims(): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000)
  const subject = randomUUID()
  return {
    sub: subject,
    'cognito:groups': [GROUP, 'staff'],
    iss: ISSUER,
    version: 2,
    client_id: CLIENT_ID,
    origin_jti: randomUUID(),
    event_id: randomUUID(),
    token_use: 'access',
    scope: 'openid profile email orders/read',
    auth_time: now,
    exp: now + LIFETIME_S,
    iat: now,
    jti: randomUUID(),
    username: subject,
  }
}

export function signToken(key: SigningKey, claims: object): string {
  const signed = signedPart({ kid: key.keyId, alg: 'RS256' }, claims)
  return `${signed}.${sign('sha256', Buffer.from(signed), key.privateKey).toString('base64url')}`
}

/** In shape a signature of a 2048-bit key, and below its modulus, so that nothing but the whole RSA check finds out. */
export function forgeToken(keyId: string, claims: object): string {
  const signature = randomBytes(SIGNATURE_BYTES)
  signature[0] = signature[0]! & 0x7f
  return `${signedPart({ kid: keyId, alg: 'RS256' }, claims)}.${signature.toString('base64url')}`
}

export function signedPart(header: object, claims: object): string {
  return `${encode(header)}.${encode(claims)}`
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
