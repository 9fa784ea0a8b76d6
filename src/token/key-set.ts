// A key set: the RSA signing keys of one user pool, read from its jwks document. Nothing but RS256 public keys gets in.
import { KeyObject } from 'node:crypto'
import { importJWK } from 'jose'
import { parseBase64url } from './base64url.ts'

export interface SigningKey {
  readonly kid: string
  readonly key: KeyObject
  /** Bytes of the modulus, and so of every signature by this key. */
  readonly signatureBytes: number
  /** The key's material, for telling a new key under an old kid. */
  readonly material: string
  /** Set once, when the key has left its pool's key set or the set has grown too old. */
  retired: boolean
}

export type KeySet = ReadonlyMap<string, SigningKey>

const MIN_MODULUS_BYTES = 256
const MAX_MODULUS_BYTES = 1024

/**
 * The usable keys of a jwks document (RFC 7517 section 5); members that are not RSA keys for RS256 signatures of at
 * least 2048 bits with an odd exponent of 3 or more are skipped.
 * A string says why the whole document is refused: no `keys` list, the same kid twice, or no usable key.
 */
export async function parseKeySet(document: unknown): Promise<KeySet | string> {
  const members = (document as { keys?: unknown } | null)?.keys
  if (!Array.isArray(members)) return 'no list of keys'
  const kids = members.map((member) => member?.kid).filter((kid) => typeof kid === 'string')
  if (new Set(kids).size !== kids.length) return 'the same kid twice'
  const keys = new Map<string, SigningKey>()
  for (const member of members) {
    const key = await toSigningKey(member)
    if (key) keys.set(key.kid, key)
  }
  return keys.size > 0 ? keys : 'no usable key'
}

async function toSigningKey(member: unknown): Promise<SigningKey | undefined> {
  if (typeof member !== 'object' || member === null) return undefined
  const { kty, kid, n, e, use, alg, key_ops: operations } = member as Record<string, unknown>
  if (kty !== 'RSA' || typeof kid !== 'string' || kid === '') return undefined
  if (use !== undefined && use !== 'sig') return undefined
  if (alg !== undefined && alg !== 'RS256') return undefined
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return undefined
  }
  if (typeof n !== 'string' || typeof e !== 'string') return undefined
  const modulus = parseBase64url(n)
  if (!modulus || !isStrongModulus(modulus) || !isSoundExponent(parseBase64url(e))) return undefined
  const key = await importPublicKey(n, e)
  return key && { kid, key, signatureBytes: modulus.length, material: `${n}.${e}`, retired: false }
}

/** Only the public members are imported, whatever else the document holds. */
async function importPublicKey(n: string, e: string): Promise<KeyObject | undefined> {
  try {
    const imported = await importJWK({ kty: 'RSA', n, e }, 'RS256')
    return imported instanceof Uint8Array ? undefined : KeyObject.from(imported)
  } catch {
    return undefined
  }
}

/** RFC 7518 section 3.3: 2048 bits or more; the upper bound keeps one verification cheap. An even modulus is no RSA key, and one that is
 * not a whole number of bytes long comes from a broken key generator. */
function isStrongModulus(modulus: Buffer): boolean {
  const { length } = modulus
  if (length < MIN_MODULUS_BYTES || length > MAX_MODULUS_BYTES) return false
  return (modulus[0] ?? 0) >= 0x80 && ((modulus[length - 1] ?? 0) & 1) === 1
}

/** With e = 1 anybody can write a signature; a large e only costs time. */
function isSoundExponent(exponent: Buffer | undefined): boolean {
  if (!exponent || exponent.length === 0 || exponent.length > 4) return false
  const value = exponent.readUIntBE(0, exponent.length)
  return value >= 3 && value % 2 === 1
}
