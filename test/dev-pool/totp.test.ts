// Codes of authenticator apps against RFC 6238's own vectors, and the bounds of when one counts.
import t from 'tap'
import {
  createTotpSecret,
  createTotpVerifier,
  toOtpauthUri,
  totpAt,
} from '../../src/dev-pool/totp.ts'

/** '12345678901234567890' of RFC 6238 appendix B. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const NOW = 1_111_111_109_000

t.test('codes are those of RFC 6238 appendix B, last six digits', async (t) => {
  const vectors: [number, string][] = [
    [59, '287082'],
    [1111111109, '081804'],
    [1111111111, '050471'],
    [1234567890, '005924'],
    [2000000000, '279037'],
    [20000000000, '353130'],
  ]
  for (const [seconds, code] of vectors) t.equal(totpAt(SECRET, seconds * 1000), code)
})

t.test('a code counts one step before and after its own, and no further', async (t) => {
  for (const [offset, counts] of [
    [-2, false],
    [-1, true],
    [0, true],
    [1, true],
    [2, false],
  ] as const) {
    const { verify } = createTotpVerifier(() => NOW)
    t.equal(verify(SECRET, totpAt(SECRET, NOW + offset * 30_000)), counts, String(offset))
  }
})

t.test('a code counts once, and after it none that is older', async (t) => {
  const { verify } = createTotpVerifier(() => NOW)
  t.ok(verify(SECRET, totpAt(SECRET, NOW)))
  t.notOk(verify(SECRET, totpAt(SECRET, NOW)))
  t.notOk(verify(SECRET, totpAt(SECRET, NOW - 30_000)))
  t.ok(verify(SECRET, totpAt(SECRET, NOW + 30_000)))
})

t.test('what is no code does not count', async (t) => {
  const { verify } = createTotpVerifier(() => NOW)
  for (const code of ['', '000000', '81804', ' 081804', '0818040']) t.notOk(verify(SECRET, code))
})

t.test('a secret is 160 random bits in base32, and goes into an app by its URI', async (t) => {
  const secret = createTotpSecret()
  t.match(secret, /^[A-Z2-7]{32}$/)
  t.not(secret, createTotpSecret())
  t.equal(
    toOtpauthUri(SECRET, 'jane@example.com', 'Dev pool'),
    `otpauth://totp/Dev%20pool:jane%40example.com?secret=${SECRET}&issuer=Dev%20pool`,
  )
})
