// Codes of an authenticator app: RFC 6238 with its defaults (SHA-1, six digits, 30 s). A code counts once.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const STEP_MS = 30_000
/** Steps that a device's clock may be off, either way. */
const TOLERANCE = [0, -1, 1]

/** 32 characters of base32 (RFC 4648 section 6), 160 bits. */
export function createTotpSecret(): string {
  return Array.from(randomBytes(32), (byte) => ALPHABET[byte % 32]).join('')
}

/** What an authenticator app reads from a QR code. */
export function toOtpauthUri(secret: string, account: string, issuer: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`
  return `otpauth://totp/${label}?secret=${secret}&issuer=${encodeURIComponent(issuer)}`
}

/** The code of a moment. */
export function totpAt(secret: string, nowMs: number): string {
  return codeOf(secret, Math.floor(nowMs / STEP_MS))
}

export interface TotpVerifier {
  /** Whether the code is the secret's now, or one step away, and newer than the last one that was right. */
  verify(secret: string, code: string): boolean
}

export function createTotpVerifier(now: () => number): TotpVerifier {
  const lastSteps = new Map<string, number>()
  return {
    verify(secret, code) {
      const current = Math.floor(now() / STEP_MS)
      const last = lastSteps.get(secret) ?? -1
      const step = TOLERANCE.map((offset) => current + offset).find(
        (candidate) => candidate > last && isSame(codeOf(secret, candidate), code),
      )
      if (step === undefined) return false
      lastSteps.set(secret, step)
      return true
    },
  }
}

/** RFC 4226 section 5.3. */
function codeOf(secret: string, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const digest = createHmac('sha1', decodeBase32(secret)).update(counter).digest()
  const offset = (digest.at(-1) ?? 0) & 15
  const number = digest.readUInt32BE(offset) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}

function decodeBase32(text: string): Buffer {
  const bits = [...text].map((character) =>
    ALPHABET.indexOf(character).toString(2).padStart(5, '0'),
  )
  return Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

function isSame(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)]
  return left.length === right.length && timingSafeEqual(left, right)
}
