// Taking a compact token apart: what is used of it, and in which order it is refused.
import t from 'tap'
import { parseJws } from '../../src/token/jws.ts'
import { isRejected } from '../../src/token/verifier.ts'
import { encode } from '../support/issuer.ts'

const HEADER = { kid: 'k+/=', alg: 'RS256' }

function reasonOf(token: string): string {
  const jws = parseJws(token)
  return isRejected(jws) ? jws.reason : 'parsed'
}

const withHeader = (header: unknown) => `${encode(header)}.e30.AAAA`

t.test('a token is taken apart into kid, signed text, payload and signature', async (t) => {
  const token = `${encode(HEADER)}.${encode({ sub: 'x' })}.AQID`
  t.same(parseJws(token), {
    kid: 'k+/=',
    headerSegment: encode(HEADER),
    signedText: token.slice(0, -5),
    payload: Buffer.from(JSON.stringify({ sub: 'x' })),
    signature: Buffer.from([1, 2, 3]),
  })
})

t.test('20480 characters are taken apart, one more is too long', async (t) => {
  const frame = `${encode(HEADER)}..AAAA`
  const payload = 'A'.repeat(20_480 - frame.length)
  const token = frame.replace('..', `.${payload}.`)
  t.equal(token.length, 20_480)
  t.equal(reasonOf(token), 'parsed')
  t.match(parseJws(frame.replace('..', `.${payload}A.`)), {
    reason: 'token_malformed',
    detail: /longer/,
  })
})

t.test('anything but three segments is malformed', async (t) => {
  const h = encode(HEADER)
  for (const token of [
    '',
    '.',
    '..',
    '...',
    'a',
    h,
    `${h}.e30`,
    `${h}.e30.AAAA.`,
    `.e30.AAAA`,
    `${h}.a.b.c.d`,
  ]) {
    t.equal(reasonOf(token), 'token_malformed', JSON.stringify(token))
  }
})

t.test('each segment must be canonical base64url', async (t) => {
  const h = encode(HEADER)
  for (const token of [
    `${h}=.e30.AAAA`,
    `${h}.e30=.AAAA`,
    `${h}.e30.AAAA=`,
    `${h}.e31.AAAA`,
    `${h}.e30.AB`,
  ]) {
    t.match(parseJws(token), { reason: 'token_malformed', detail: /canonical/ }, token)
  }
})

t.test('the header must be one strict JSON object', async (t) => {
  const texts = ['[]', 'null', '{"alg":"RS256"', '{"alg":"none","alg":"RS256","kid":"k"}']
  for (const text of texts) {
    t.match(parseJws(withHeader(text)), { reason: 'token_malformed', detail: /header/ }, text)
  }
})

t.test(
  'the algorithm is RS256, compared as a string, and is judged before all other members',
  async (t) => {
    for (const alg of [
      'none',
      'HS256',
      'rs256',
      'RS256 ',
      'RS512',
      '',
      null,
      256,
      true,
      ['RS256'],
      {},
    ]) {
      t.equal(reasonOf(withHeader({ alg, crit: ['exp'] })), 'token_algorithm', JSON.stringify(alg))
    }
    t.equal(reasonOf(withHeader({ kid: 'k' })), 'token_algorithm')
  },
)

t.test('a member that changes what is verified or carries a key is refused', async (t) => {
  const names = ['crit', 'b64', 'zip', 'enc', 'cty', 'jwk', 'jku', 'x5u', 'x5c', 'x5t', 'x5t#S256']
  for (const name of names) {
    t.match(parseJws(withHeader({ ...HEADER, [name]: null })), { detail: `header has ${name}` })
  }
})

t.test('an unknown member is ignored', async (t) => {
  t.equal(reasonOf(withHeader({ ...HEADER, extra: { a: 1 }, constructor: 1 })), 'parsed')
})

t.test('typ may be absent or JWT in any case, and nothing else', async (t) => {
  for (const typ of ['JWT', 'jwt']) t.equal(reasonOf(withHeader({ ...HEADER, typ })), 'parsed')
  for (const typ of ['logout+jwt', 'dpop+jwt', '', 5, null, ['JWT']]) {
    t.equal(reasonOf(withHeader({ ...HEADER, typ })), 'token_malformed', JSON.stringify(typ))
  }
})

t.test('kid must be a text of at least one character', async (t) => {
  for (const kid of [undefined, '', null, 1, ['k'], {}]) {
    t.match(parseJws(withHeader({ ...HEADER, kid })), {
      reason: 'token_malformed',
      detail: 'no kid',
    })
  }
  t.equal(reasonOf(withHeader({ ...HEADER, kid: 'k' })), 'parsed')
})

t.test(
  'a known header gives its kid unread, and the other segments are still checked',
  async (t) => {
    const known = [{ segment: 'known', kid: 'k' }]
    t.match(parseJws('known.e30.AAAA', known), {
      kid: 'k',
      headerSegment: 'known',
    })
    for (const token of ['known.e3.AAAA', 'known.e30.AAAB=', 'known.e30', 'Known.e30.AAAA']) {
      t.match(parseJws(token, known), { reason: 'token_malformed' }, token)
    }
    t.match(parseJws(`${encode({ ...HEADER, alg: 'none' })}.e30.AAAA`, known), {
      reason: 'token_algorithm',
    })
  },
)
