// A stand-in for a user pool's signing side: fresh keys, Cognito-shaped tokens, and every way to get them wrong.
import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'

export interface TestKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly jwk: Record<string, unknown>
}

export interface TestIssuer {
  readonly userPoolId: string
  readonly issuer: string
  readonly clientId: string
  /** Signs access tokens. */
  readonly accessKey: TestKey
  /** Signs ID tokens. */
  readonly idKey: TestKey
  jwks(): { keys: Record<string, unknown>[] }
  /** A good access token with these claims changed; `undefined` removes a claim. */
  access(changes?: Record<string, unknown>, header?: Record<string, unknown>): string
  /** A good ID token with these claims changed. */
  id(changes?: Record<string, unknown>, header?: Record<string, unknown>): string
}

export interface TestIssuerOptions {
  readonly nowMs?: number
  readonly issuer?: string
  readonly clientId?: string
}

export function createKey(kid: string = `${randomUUID()}+/=`, bits = 2048): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }
  return { kid, privateKey, publicKey, jwk }
}

export function encode(value: unknown): string {
  const bytes = Buffer.isBuffer(value)
    ? value
    : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  return bytes.toString('base64url')
}

/** A compact JWS over exactly these header and payload texts, values or bytes. */
export function signToken(header: unknown, payload: unknown, key: KeyObject): string {
  const text = `${encode(header)}.${encode(payload)}`
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
}

export function createIssuer(options: TestIssuerOptions = {}): TestIssuer {
  const userPoolId = 'eu-west-1_TestPool1'
  const issuer = options.issuer ?? `https://cognito-idp.eu-west-1.amazonaws.com/${userPoolId}`
  const clientId = options.clientId ?? '4exampleclient0000000000001'
  const accessKey = createKey()
  const idKey = createKey()
  const nowS = () => Math.floor((options.nowMs ?? Date.now()) / 1000)
  const common = () => ({
    sub: '6235a4f4-0001-7000-a000-000000000001',
    iss: issuer,
    origin_jti: randomUUID(),
    event_id: randomUUID(),
    auth_time: nowS() - 10,
    iat: nowS() - 10,
    exp: nowS() + 3600,
    jti: randomUUID(),
  })
  return {
    userPoolId,
    issuer,
    clientId,
    accessKey,
    idKey,
    jwks: () => ({ keys: [idKey.jwk, accessKey.jwk] }),
    access: (changes = {}, header = {}) =>
      signToken(
        { kid: accessKey.kid, alg: 'RS256', ...header },
        {
          ...common(),
          version: 2,
          client_id: clientId,
          token_use: 'access',
          scope: 'aws.cognito.signin.user.admin',
          username: 'jane',
          ...changes,
        },
        accessKey.privateKey,
      ),
    id: (changes = {}, header = {}) =>
      signToken(
        { kid: idKey.kid, alg: 'RS256', ...header },
        {
          ...common(),
          aud: clientId,
          token_use: 'id',
          email: 'jane@example.com',
          email_verified: true,
          'cognito:username': 'jane',
          ...changes,
        },
        idKey.privateKey,
      ),
  }
}
