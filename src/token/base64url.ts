// Base64url without padding (RFC 7515 section 2), canonical spellings only: one byte string, one text.

/**
 * The bytes of a segment, or undefined when its text holds anything outside the alphabet, padding, white space, an
 * impossible length or stray trailing bits. Node's decoder skips all of those silently, so the text is made again
 * from the bytes and compared.
 */
export function parseBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
