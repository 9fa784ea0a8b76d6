// The world that contenders are started in: keys, tokens and the upstream, which serves the key set too.
// Nothing that a contender asks for is served by this process, which may be busy signing.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { World } from './contender.ts'
import {
  accessClaims,
  CLIENT_ID,
  createKeyId,
  createSigningKey,
  forgeToken,
  GROUP,
  ISSUER,
  signToken,
  toJwk,
} from './tokens.ts'
import { startUpstream } from './upstream.ts'

export interface BenchWorld {
  readonly world: World
  /** Good access tokens, all distinct; about 0.3 ms of CPU each. */
  tokens(count: number): string[]
  /** Distinct tokens with the right key id, whose signature is of the right length and wrong. */
  badSignatureTokens(count: number): string[]
  /** The same, each with a key id of its own. */
  unknownKidTokens(count: number): string[]
  tokenWithoutGroup(): string
  /** Signed by the pool, with these claims instead of the good ones. */
  tokenWith(claims: Readonly<Record<string, unknown>>): string
  stop(): Promise<void>
}

/** Pins the upstream to `cpus`; everything generated goes to `dir`. */
export async function createWorld(dir: string, cpus: string): Promise<BenchWorld> {
  mkdirSync(dir, { recursive: true })
  const key = createSigningKey()
  // A pool of Cognito's has two keys, of which one signs access tokens.
  const keys = [toJwk(key), toJwk(createSigningKey())]
  const jwksFile = join(dir, 'jwks.json')
  writeFileSync(jwksFile, JSON.stringify({ keys }))
  const publicKeyFile = join(dir, 'public.pem')
  writeFileSync(publicKeyFile, key.publicKey.export({ type: 'spki', format: 'pem' }))
  const upstream = await startUpstream(dir, cpus, jwksFile)
  const tokenWith = (claims: object) => signToken(key, { ...accessClaims(), ...claims })
  return {
    world: {
      dir,
      upstreamPort: upstream.port,
      issuer: ISSUER,
      jwksUrl: `http://127.0.0.1:${upstream.port}/.well-known/jwks.json`,
      jwksFile,
      publicKeyFile,
      keyId: key.keyId,
      clientId: CLIENT_ID,
      group: GROUP,
    },
    tokens: (count) => Array.from({ length: count }, () => tokenWith({})),
    badSignatureTokens: (count) =>
      Array.from({ length: count }, () => forgeToken(key.keyId, accessClaims())),
    unknownKidTokens: (count) =>
      Array.from({ length: count }, () => forgeToken(createKeyId(), accessClaims())),
    tokenWithoutGroup: () => tokenWith({ 'cognito:groups': ['staff'] }),
    tokenWith,
    stop: upstream.stop,
  }
}
