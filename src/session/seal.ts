// Seals what a browser keeps for the gateway, so that nobody else can read, change or make it: JWE (RFC 7516) with AES-256-GCM. What does
// not open is nothing at all: no reason is ever given.
import { createHash, hkdfSync, randomBytes } from 'node:crypto'
import { CompactEncrypt, compactDecrypt } from 'jose'

export interface Seal {
  /** @param purpose what alone it can be opened for */
  seal(purpose: string, text: string): Promise<string>
  open(purpose: string, sealed: string): Promise<string | undefined>
}

interface SealKey {
  /** Tells keys apart, and nothing of their secret. */
  readonly id: string
  readonly secret: string
}

/** More than four cookies hold; whatever is longer is not even looked at. */
const MAX_CHARS = 16 * 1024
const ALGORITHM = 'dir'
const ENCRYPTION = 'A256GCM'
const SALT_BYTES = 16
/** Header, key (none), nonce, text, tag (RFC 7516 section 7.1). */
const SEGMENTS = 5

/** @param keys secrets: the first one seals, all of them open */
export function createSeal(keys: readonly string[]): Seal {
  const ring = keys.map((secret): SealKey => ({ id: toKeyId(secret), secret }))
  return {
    async seal(purpose, text) {
      const [key] = ring as [SealKey]
      const salt = randomBytes(SALT_BYTES).toString('base64url')
      return new CompactEncrypt(new TextEncoder().encode(text))
        .setProtectedHeader(toHeader(key, salt))
        .encrypt(toSubkey(key, salt, purpose))
    },
    async open(purpose, sealed) {
      const found = sealed.length <= MAX_CHARS ? findKey(sealed, ring) : undefined
      if (found === undefined) return undefined
      try {
        const { plaintext } = await compactDecrypt(
          sealed,
          toSubkey(found.key, found.salt, purpose),
          {
            keyManagementAlgorithms: [ALGORITHM],
            contentEncryptionAlgorithms: [ENCRYPTION],
          },
        )
        return new TextDecoder('utf-8', { fatal: true }).decode(plaintext)
      } catch {
        return undefined
      }
    },
  }
}

/** The only header that is ever written, so the only one that is read. */
function toHeader({ id }: SealKey, salt: string) {
  return { alg: ALGORITHM, enc: ENCRYPTION, kid: id, salt }
}

function findKey(
  sealed: string,
  ring: readonly SealKey[],
): { readonly key: SealKey; readonly salt: string } | undefined {
  const segments = sealed.split('.')
  if (segments.length !== SEGMENTS || !segments.every(isCanonical)) return undefined
  const [segment = ''] = segments
  const text = Buffer.from(segment, 'base64url').toString('latin1')
  const [, id, salt = ''] = /"kid":"([\w-]{1,64})","salt":"([\w-]{22})"\}$/.exec(text) ?? []
  const key = ring.find((each) => each.id === id)
  if (key === undefined) return undefined
  const only = Buffer.from(JSON.stringify(toHeader(key, salt))).toString('base64url')
  return only === segment ? { key, salt } : undefined
}

/**
 * A key for this one seal and its purpose (RFC 5869): two seals never share a key and a nonce, however many there are
 * (NIST SP 800-38D section 8.3), and what was sealed for one purpose opens for no other.
 */
function toSubkey({ secret }: SealKey, salt: string, purpose: string): Uint8Array {
  const info = `poolgate ${ENCRYPTION} ${purpose}`
  return new Uint8Array(hkdfSync('sha256', secret, Buffer.from(salt, 'base64url'), info, 32))
}

function toKeyId(secret: string): string {
  return createHash('sha256').update(`poolgate key id ${secret}`).digest('base64url').slice(0, 8)
}

/** The one spelling of its bytes: whatever is changed, it is another one. */
function isCanonical(segment: string): boolean {
  return Buffer.from(segment, 'base64url').toString('base64url') === segment
}
