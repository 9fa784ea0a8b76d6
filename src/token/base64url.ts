// Base64url without padding (RFC 7515 section 2), canonical spellings only: one byte string, one text.

/** Last characters whose unused low bits are zero: after one character (12 bits for 8), and after two (18 bits for 16). */
const LAST_OF_TWO = 'AQgw'
const LAST_OF_THREE = 'AEIMQUYcgkosw048'

/**
 * The bytes of a segment, or undefined when its text holds anything outside the alphabet, padding, white space, an
 * impossible length or stray trailing bits. Node's decoder passes over all of those silently.
 */
export function parseBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return isCanonical(text, bytes.length) ? bytes : undefined
}

/**
 * The decoder skips what is in no alphabet and stops at padding: either leaves fewer bytes than the text has room for.
 * What it takes beside this alphabet is `+`, `/` and, for their low eight bits, characters beyond ASCII.
 */
function isCanonical(text: string, decodedBytes: number): boolean {
  const { length } = text
  const extra = length % 4
  if (extra === 1 || decodedBytes !== Math.floor((length * 3) / 4)) return false
  if (text.includes('+') || text.includes('/') || Buffer.byteLength(text) !== length) return false
  if (extra === 0) return true
  return (extra === 2 ? LAST_OF_TWO : LAST_OF_THREE).includes(text.charAt(length - 1))
}
