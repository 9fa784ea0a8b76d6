// The token rows of the security catalogue, as far as the verifier alone decides them; each test is named after its row.
import {
  constants,
  createHash,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto'
import t from 'tap'
import { parseCredential } from '../../src/token/credential.ts'
import { parseKeySet } from '../../src/token/key-set.ts'
import { parseJsonObject } from '../../src/token/strict-json.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { createKey, encode, signToken } from '../support/issuer.ts'
import { startJwksServer } from '../support/jwks-server.ts'
import { createIssuerAt, createTestVerifier, type TestVerifier } from '../support/test-verifier.ts'

const clock = createFakeClock()
const nowS = clock.now() / 1000
const pool = createIssuerAt(clock)
const attacker = createKey('attacker')
const ours = await createTestVerifier([pool], { clock })
const { judge } = ours

/** Parsed payload of a good access token. */
const claims: Record<string, unknown> = JSON.parse(
  Buffer.from(pool.access().split('.')[1] ?? '', 'base64url').toString(),
)
const header = { kid: pool.accessKey.kid, alg: 'RS256' }
const signed = (head: unknown, payload: unknown = claims) =>
  signToken(head, payload, pool.accessKey.privateKey)

/** A token over `head` whose signature is whatever `make` says of the signed text. */
function forge(head: unknown, make: (text: Buffer) => Buffer, payload: unknown = claims): string {
  const text = `${encode(head)}.${encode(payload)}`
  return `${text}.${make(Buffer.from(text)).toString('base64url')}`
}

/** The shortest of five runs in milliseconds: what the work costs, not what else the machine did. */
function fastest(run: () => unknown): number {
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now()
    run()
    return performance.now() - start
  })
  return Math.min(...times)
}

function splitToken(token: string): [string, string, string] {
  const [head = '', payload = '', signature = ''] = token.split('.')
  return [head, payload, signature]
}

t.test('the control: good access and ID tokens are accepted', async (t) => {
  t.equal(await judge(pool.access()), 'accepted')
  t.equal(await judge(pool.id()), 'accepted')
  t.equal(await judge(signed(header)), 'accepted')
})

t.test('T-01 no spelling of the algorithm none is accepted, and no key is looked up', async (t) => {
  const before = ours.lookUps()
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'none ', 'none\0', ' none']) {
    const [head, payload] = splitToken(signed({ ...header, alg }))
    const kept = splitToken(pool.access())[2]
    for (const signature of ['', kept]) {
      t.equal(
        await judge(`${head}.${payload}.${signature}`),
        'token_algorithm',
        JSON.stringify(alg),
      )
    }
    t.equal(await judge(`${head}.${payload}`), 'token_malformed')
  }
  t.equal(ours.lookUps(), before)
})

t.test('T-02 the public key in any encoding is no HMAC secret', async (t) => {
  const { publicKey, jwk, kid } = pool.accessKey
  const spki = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const pkcs1 = publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  const secrets: (string | Buffer)[] = [
    ...[spki, spki.trimEnd(), `\n${spki}`, `x${spki}`, pkcs1, pkcs1.trimEnd()],
    publicKey.export({ type: 'spki', format: 'der' }),
    publicKey.export({ type: 'pkcs1', format: 'der' }),
    ...[JSON.stringify(jwk), JSON.stringify(pool.jwks()), jwk.n as string],
    ...[Buffer.from(jwk.n as string, 'base64url'), '', kid, 'undefined'],
  ]
  for (const secret of secrets) {
    for (const hash of ['sha256', 'sha512']) {
      const mac = (text: Buffer) => createHmac(hash, secret).update(text).digest()
      t.equal(
        await judge(forge({ ...header, alg: hash.replace('sha', 'HS') }, mac)),
        'token_algorithm',
      )
      t.equal(await judge(forge(header, mac)), 'token_signature')
    }
  }
})

t.test('T-03 a key without alg is still used for RS256 alone', async (t) => {
  const { alg: _, ...silent } = pool.accessKey.jwk
  const { judge } = await createTestVerifier([{ ...pool, jwks: () => ({ keys: [silent] }) }], {
    clock,
  })
  t.equal(await judge(pool.access()), 'accepted')
  for (const [alg, make] of otherAlgorithms(pool.accessKey.privateKey)) {
    t.equal(await judge(forge({ ...header, alg }, make)), 'token_algorithm', alg)
  }
})

t.test('T-04 a valid signature by the right key under another algorithm is refused', async (t) => {
  for (const [alg, make] of otherAlgorithms(pool.accessKey.privateKey)) {
    t.equal(await judge(forge({ ...header, alg }, make)), 'token_algorithm', alg)
    t.equal(await judge(forge(header, make)), 'token_signature', `${alg} called RS256`)
  }
})

t.test('T-05 alg of another type or spelling is refused and nothing throws', async (t) => {
  for (const alg of [
    null,
    256,
    true,
    ['RS256'],
    { a: 1 },
    'rs256',
    'RS256 ',
    'RSA-SHA256',
    undefined,
  ]) {
    t.equal(await judge(signed({ ...header, alg })), 'token_algorithm', JSON.stringify(alg))
  }
})

t.test('T-06 crit is refused in every form', async (t) => {
  for (const crit of [['exp'], ['x-unknown'], [], 'exp', null, ['b64'], ['alg'], ['exp', 'exp']]) {
    t.equal(await judge(signed({ ...header, crit })), 'token_malformed', JSON.stringify(crit))
  }
})

t.test('T-07 b64 is refused with and without crit', async (t) => {
  t.equal(await judge(signed({ ...header, b64: false })), 'token_malformed')
  t.equal(await judge(signed({ ...header, b64: false, crit: ['b64'] })), 'token_malformed')
  t.equal(await judge(signed({ ...header, b64: true })), 'token_malformed')
  const raw = `${encode({ ...header, b64: false, crit: ['b64'] })}.${JSON.stringify(claims)}`
  const signature = sign('sha256', Buffer.from(raw), pool.accessKey.privateKey).toString(
    'base64url',
  )
  t.equal(await judge(`${raw}.${signature}`), 'token_malformed')
})

t.test('T-08 a key in the header is never used', async (t) => {
  const head = { ...header, jwk: attacker.jwk }
  t.equal(await judge(signToken(head, claims, attacker.privateKey)), 'token_malformed')
  t.equal(await judge(signed(head)), 'token_malformed')
})

t.test('T-09 no address in the header is ever asked', async (t) => {
  const server = await startJwksServer({ keys: [{ ...attacker.jwk, kid: header.kid }] })
  t.teardown(() => server.close())
  for (const name of ['jku', 'x5u']) {
    const head = { ...header, [name]: server.url }
    t.equal(await judge(signToken(head, claims, attacker.privateKey)), 'token_malformed')
    t.equal(await judge(signed(head)), 'token_malformed')
  }
  t.equal(server.count(), 0)
})

t.test('T-10 certificates in the header are not parsed', async (t) => {
  for (const [name, value] of [
    ['x5c', ['garbage']],
    ['x5c', 5],
    ['x5t', 'garbage'],
    ['x5t#S256', null],
  ] as const) {
    t.equal(await judge(signed({ ...header, [name]: value })), 'token_malformed', name)
  }
})

t.test('T-11 the key is the one of that kid, and never another one', async (t) => {
  t.equal(await judge(signed({ alg: 'RS256' })), 'token_malformed', 'no kid')
  t.equal(await judge(signed({ ...header, kid: pool.idKey.kid })), 'token_signature')
  t.equal(await judge(signed({ ...header, kid: 'unknown' })), 'token_key_unknown')
})

t.test('T-12 a kid that names a property of objects finds no key', async (t) => {
  for (const kid of ['__proto__', 'constructor', 'hasOwnProperty', 'toString']) {
    t.equal(await judge(signed({ ...header, kid })), 'token_key_unknown', kid)
  }
  t.equal(await judge(signed({ ...header, kid: '' })), 'token_malformed')
})

t.test('T-13 a kid of any content is refused, and reaches the log short and escaped', async (t) => {
  const kids = [
    'k'.repeat(10_000),
    'a\r\nb',
    'a\0b',
    '../../etc/passwd',
    "' OR 1=1 --",
    'http://127.0.0.1:9/',
  ]
  for (const kid of kids) {
    const outcome = await ours.verifier.verify(signed({ ...header, kid }), {
      userPool: undefined,
      tokenUse: 'any',
    })
    t.match(outcome, { reason: 'token_key_unknown' })
    const { detail } = outcome as unknown as { detail: string }
    t.ok(detail.length < 120)
    t.match(detail, /^[\x20-\x7e…]+$/)
  }
})

t.test('T-14 a kid that is no text is refused and nothing throws', async (t) => {
  for (const kid of [null, 1, [header.kid], { a: 1 }, true]) {
    t.equal(await judge(signed({ ...header, kid })), 'token_malformed', JSON.stringify(kid))
  }
})

t.test(
  'T-15 a kid with plus, slash and equals sign works, and only as it is written',
  async (t) => {
    t.match(header.kid, /\+\/=$/)
    t.equal(await judge(signed(header)), 'accepted')
    for (const kid of [
      encodeURIComponent(header.kid),
      header.kid.replace('+', ' '),
      header.kid.slice(0, -1),
    ]) {
      t.equal(await judge(signed({ ...header, kid })), 'token_key_unknown', kid)
    }
  },
)

t.test('T-16 a weak key is refused at load, and so is what it signs', async (t) => {
  const small = createKey('small', 1024)
  const { n } = pool.accessKey.jwk
  const e = (...bytes: number[]) => ({ e: Buffer.from(bytes).toString('base64url') })
  const weak = [
    small.jwk,
    ...[e(1), e(2), e(0xff, 0xff, 0xff, 0xff, 0xff), { e: n }, e(0, 1)].map((exponent, i) => ({
      ...pool.accessKey.jwk,
      ...exponent,
      kid: `weak-${i}`,
    })),
  ]
  for (const key of weak)
    t.equal(await parseKeySet({ keys: [key] }), 'no usable key', key.kid as string)
  const keys = [...weak, ...pool.jwks().keys]
  const { judge } = await createTestVerifier([{ ...pool, jwks: () => ({ keys }) }], { clock })
  t.equal(
    await judge(signToken({ ...header, kid: 'small' }, claims, small.privateKey)),
    'token_key_unknown',
  )
  t.equal(
    await judge(forge({ ...header, kid: 'weak-0' }, signWithExponentOne)),
    'token_key_unknown',
  )
  t.equal(await judge(pool.access()), 'accepted')
})

t.test('T-17 a signature of any other content or length is refused', async (t) => {
  const [head, payload, signature] = splitToken(pool.access())
  const good = Buffer.from(signature, 'base64url')
  const one = Buffer.alloc(256)
  one[255] = 1
  const wrong = [
    ...[Buffer.alloc(0), Buffer.alloc(256), one, Buffer.alloc(256, 0xff)],
    ...[good.subarray(1), good.subarray(0, 255), Buffer.concat([Buffer.alloc(1), good])],
    ...[Buffer.concat([good, Buffer.alloc(1)]), Buffer.concat([good, good])],
  ]
  for (const bytes of wrong) {
    t.equal(await judge(`${head}.${payload}.${bytes.toString('base64url')}`), 'token_signature')
  }
  const huge = Buffer.alloc(48 * 1024, 1).toString('base64url')
  t.equal(await judge(`${head}.${payload}.${huge}`), 'token_malformed')
})

t.test('T-18 parts of two valid tokens do not make a third', async (t) => {
  const [headA, payloadA, signatureA] = splitToken(pool.access({ 'cognito:groups': ['users'] }))
  const [headB, payloadB, signatureB] = splitToken(pool.id())
  for (const token of [
    `${headA}.${payloadB}.${signatureA}`,
    `${headB}.${payloadA}.${signatureA}`,
    `${headA}.${payloadA}.${signatureB}`,
    `${headA}.${encode({ ...claims, 'cognito:groups': ['admins'] })}.${signatureA}`,
  ]) {
    t.equal(await judge(token), 'token_signature')
  }
})

t.test('T-19 encrypted, nested and compressed tokens are refused at once', async (t) => {
  const jwe = (head: object) => `${encode(head)}.AAAA.AAAA.${'A'.repeat(2000)}.AAAA`
  const tokens = [
    jwe({ alg: 'RSA-OAEP', enc: 'A256GCM' }),
    jwe({ alg: 'PBES2-HS512+A256KW', enc: 'A128CBC-HS256', p2c: 2 ** 31 - 1, p2s: 'AAAA' }),
    jwe({ alg: 'dir', enc: 'A128GCM', zip: 'DEF' }),
    jwe({ ...header, cty: 'JWT' }),
    signed({ ...header, cty: 'JWT' }, pool.access()),
    signed({ ...header, zip: 'DEF' }),
    signed({ ...header, enc: 'A128GCM' }),
  ]
  for (const token of tokens) {
    t.equal(await judge(token), 'token_malformed')
    t.ok(fastest(() => judge(token)) < 5)
  }
})

t.test('T-20 the JSON serialisations are refused', async (t) => {
  const [head, payload, signature] = splitToken(pool.access())
  const flattened = { protected: head, payload, signature }
  const general = { payload, signatures: [{ protected: head, signature }] }
  for (const form of [flattened, general]) {
    t.equal(await judge(JSON.stringify(form)), 'token_malformed')
    t.equal(await judge(encode(form)), 'token_malformed')
  }
})

t.test('T-21 other kinds of token are refused by their typ', async (t) => {
  for (const typ of ['logout+jwt', 'dpop+jwt', 'secevent+jwt', 5, null]) {
    t.equal(await judge(signed({ ...header, typ })), 'token_malformed', `${typ}`)
  }
  t.equal(await judge(signed({ ...header, typ: 'JWT' })), 'accepted')
})

t.test('T-22 no foreign character is accepted in any place of any segment', async (t) => {
  const token = pool.access()
  const [head, payload] = splitToken(token)
  const places = [
    0,
    5,
    head.length,
    head.length + 1,
    head.length + payload.length,
    token.length - 5,
    token.length,
  ]
  for (const character of ['=', '+', '/', ' ', '\t', '\r', '\n', '\0', '\u00a0', '!', '%', '%3D']) {
    for (const place of places) {
      const spoilt = token.slice(0, place) + character + token.slice(place)
      t.equal(await judge(spoilt), 'token_malformed', JSON.stringify([character, place]))
    }
  }
})

t.test(
  'T-23 of the 16 spellings of one signature only the canonical one is accepted',
  async (t) => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const token = pool.access()
    const bytes = Buffer.from(splitToken(token)[2], 'base64url')
    const spellings = [...alphabet]
      .map((last) => token.slice(0, -1) + last)
      .filter((text) => Buffer.from(splitToken(text)[2], 'base64url').equals(bytes))
    t.equal(spellings.length, 16)
    const verdicts = await Promise.all(spellings.map((spelling) => judge(spelling)))
    t.equal(verdicts.filter((verdict) => verdict === 'accepted').length, 1)
    t.equal(verdicts.filter((verdict) => verdict === 'token_malformed').length, 15)
  },
)

t.test('T-24 impossible shapes and sizes are refused at once', async (t) => {
  const [head, payload, signature] = splitToken(pool.access())
  const tokens = [
    ...['', '.', '..', '...', '.'.repeat(1_000_000), 'A'.repeat(1_048_576)],
    ...[`A.${payload}.${signature}`, `${head}.AAAAA.${signature}`, `${head}.${payload}.AAAAA`],
    ...[`.${head}.${payload}.${signature}`, `${head}.${payload}.${signature}.`],
    ...[`${head}..${payload}.${signature}`, `${head}.${payload}..${signature}`],
  ]
  for (const token of tokens) {
    t.equal(await judge(token), 'token_malformed')
    t.ok(fastest(() => judge(token)) < 5)
  }
})

t.test('T-25 a header or payload that is not one strict JSON object is refused', async (t) => {
  const json = (value: object) => JSON.stringify(value)
  const broken = (value: object): (string | Buffer)[] => [
    ...[`[${json(value)}]`, `"${'x'.repeat(9)}"`, 'null', '5', '', json(value).slice(0, -1)],
    ...[
      json(value).replace(/}$/, ',}'),
      `${json(value)}//`,
      `/**/${json(value)}`,
      `\ufeff${json(value)}`,
    ],
    ...[
      json(value).repeat(2),
      json(value).replace(/}$/, ',"x":NaN}'),
      json(value).replace(/"/g, "'"),
    ],
    Buffer.from(json(value), 'utf16le'),
    Buffer.concat([Buffer.from(json(value).slice(0, -1)), Buffer.from(',"x":"\xff"}', 'latin1')]),
  ]
  for (const text of broken(header))
    t.equal(await judge(signed(text)), 'token_malformed', `${text}`)
  for (const text of broken(claims))
    t.equal(await judge(signed(header, text)), 'token_malformed', `${text}`)
})

t.test('T-26 deep nesting costs little and overflows nothing', async (t) => {
  for (const levels of [1_000, 5_000, 20_000]) {
    for (const text of [
      `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`,
      `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`,
    ]) {
      t.equal(await judge(signed(text)), 'token_malformed')
      t.equal(await judge(signed(header, text)), 'token_malformed')
      t.ok(fastest(() => parseJsonObject(Buffer.from(text))) < 20)
    }
  }
})

t.test('T-27 a member name that comes twice is refused in header and payload', async (t) => {
  const twice = (value: object, member: string) =>
    JSON.stringify(value).replace(/}$/, `,${member}}`)
  for (const member of [
    '"alg":"RS256"',
    `"kid":${JSON.stringify(header.kid)}`,
    '"\\u0061lg":"RS256"',
  ]) {
    t.equal(await judge(signed(twice(header, member))), 'token_malformed', member)
  }
  const grouped = { ...claims, 'cognito:groups': ['users'] }
  for (const member of [
    '"sub":"other"',
    '"cognito:groups":["admins"]',
    '"cognito\\u003agroups":["admins"]',
  ]) {
    t.equal(await judge(signed(header, twice(grouped, member))), 'token_malformed', member)
  }
})

t.test(
  'T-28 members called __proto__ and constructor pollute nothing and grant nothing',
  async (t) => {
    const text = JSON.stringify({ ...claims, token_use: undefined }).replace(
      /}$/,
      ',"__proto__":{"token_use":"access","polluted":true},"constructor":{"prototype":{"polluted":true}}}',
    )
    t.equal(await judge(signed(header, text)), 'token_use')
    t.equal(await judge(signed('{"alg":"RS256","__proto__":{"kid":"x"}}')), 'token_malformed')
    t.equal(({} as Record<string, unknown>).polluted, undefined)
  },
)

t.test('T-29 only the exact issuer is accepted', async (t) => {
  const { issuer } = pool
  const wrong = [
    ...[
      issuer.replace('TestPool1', 'TestPool2'),
      issuer.replace('eu-west-1.', 'eu-west-2.'),
      `${issuer}/`,
    ],
    ...[
      issuer.replace('https', 'http'),
      issuer.toUpperCase(),
      issuer.replace('.com', '.com.evil.example'),
    ],
    ...[
      issuer.replace('https://', 'https://x@'),
      `https://evil.example/${issuer}`,
      issuer.slice(0, -1),
    ],
    ...[
      `${issuer}1`,
      ` ${issuer}`,
      issuer.replaceAll('.', 'x'),
      `${issuer}?`,
      `${issuer}#`,
      '',
      undefined,
    ],
    ...[null, [issuer], { a: issuer }, 5],
  ]
  for (const iss of wrong)
    t.equal(await judge(pool.access({ iss })), 'token_issuer', JSON.stringify(iss))
})

t.test('T-30 the keys of one pool verify no token of another', async (t) => {
  const second = createIssuerAt(clock, {
    issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Second',
  })
  const { judge } = await createTestVerifier([pool, second], { clock })
  const secondKid = { alg: 'RS256', kid: second.accessKey.kid }
  t.equal(await judge(second.access()), 'accepted')
  t.equal(await judge(signed(header, { ...claims, iss: second.issuer })), 'token_key_unknown')
  t.equal(await judge(signed(secondKid, { ...claims, iss: second.issuer })), 'token_signature')
  t.equal(await judge(second.access({ iss: pool.issuer })), 'token_key_unknown')
})

t.test('T-31 an access token of another app client is refused', async (t) => {
  const { clientId } = pool
  for (const client of [
    'other',
    undefined,
    null,
    '',
    5,
    [clientId],
    { 0: clientId, length: 1 },
    `${clientId} `,
  ]) {
    t.equal(await judge(pool.access({ client_id: client })), 'token_client', JSON.stringify(client))
  }
  t.equal(await judge(pool.access({ client_id: 'other', aud: clientId })), 'token_client')
})

t.test('T-32 an ID token for another audience is refused', async (t) => {
  const { clientId } = pool
  const wrong = [
    ...[
      'other',
      undefined,
      null,
      '',
      clientId.slice(0, 5),
      `${clientId} `,
      ` ${clientId}`,
      `other,${clientId}`,
    ],
    ...[
      [],
      [[clientId]],
      [{ a: clientId }],
      { 0: clientId, length: 1 },
      [clientId],
      [clientId, 'other'],
    ],
  ]
  for (const aud of wrong)
    t.equal(await judge(pool.id({ aud })), 'token_client', JSON.stringify(aud))
})

t.test('T-33 an ID token is no access token, and the reverse', async (t) => {
  const access = { userPool: undefined, tokenUse: 'access' } as const
  const id = { userPool: undefined, tokenUse: 'id' } as const
  t.equal(await judge(pool.id(), access), 'token_use')
  t.equal(await judge(pool.access(), id), 'token_use')
  for (const use of [undefined, null, '', 'Access', 'refresh', ['access'], { a: 1 }]) {
    t.equal(await judge(pool.access({ token_use: use }), access), 'token_use', JSON.stringify(use))
  }
  t.equal(await judge(pool.id({ token_use: 'access' }), access), 'token_client')
  t.equal(await judge(pool.access({ token_use: 'id' }), id), 'token_client')
})

t.test('T-34 exp must be a whole number of seconds that is ahead', async (t) => {
  for (const exp of [undefined, null, '', `${nowS + 60}`, '9e99', true, [nowS + 60], {}, -1]) {
    t.equal(await judge(pool.access({ exp })), 'token_malformed', JSON.stringify(exp))
  }
  t.equal(await judge(pool.access({ exp: 0 })), 'token_expired')
  const infinite = JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e400')
  t.equal(await judge(signed(header, infinite)), 'token_malformed')
})

t.test(
  'T-35 a token is refused at exp, and with a tolerance at exp and the tolerance',
  async (t) => {
    t.equal(await judge(pool.access({ exp: nowS + 1 })), 'accepted')
    t.equal(await judge(pool.access({ exp: nowS })), 'token_expired')
    t.equal(await judge(pool.access({ exp: nowS - 1 })), 'token_expired')
    const tolerant = await createTestVerifier([pool], {
      clock,
      settings: { clockToleranceMs: 60_000 },
    })
    t.equal(await tolerant.judge(pool.access({ exp: nowS - 59 })), 'accepted')
    t.equal(await tolerant.judge(pool.access({ exp: nowS - 60 })), 'token_expired')
    t.equal(await tolerant.judge(pool.access({ exp: nowS - 61 })), 'token_expired')
  },
)

t.test(
  'T-36 exp in milliseconds, or further ahead than Cognito ever sets it, is refused',
  async (t) => {
    t.equal(await judge(pool.access({ exp: clock.now() + 3_600_000 })), 'token_malformed')
    t.equal(await judge(pool.access({ exp: nowS + 25 * 3600 + 1 })), 'token_malformed')
    t.equal(await judge(pool.access({ exp: nowS + 25 * 3600 })), 'accepted')
  },
)

t.test('T-37 nbf and iat that are ahead or no times are refused', async (t) => {
  t.equal(await judge(pool.access({ nbf: nowS + 1 })), 'token_not_yet_valid')
  t.equal(await judge(pool.access({ nbf: nowS })), 'accepted')
  t.equal(await judge(pool.access({ iat: nowS + 61 })), 'token_not_yet_valid')
  t.equal(await judge(pool.access({ iat: nowS + 60 })), 'accepted')
  for (const value of ['soon', `${nowS}`, null, -1, [nowS]]) {
    t.equal(await judge(pool.access({ nbf: value })), 'token_malformed', `nbf ${value}`)
    t.equal(await judge(pool.access({ iat: value })), 'token_malformed', `iat ${value}`)
  }
})

t.test('T-43 the verdict on a credential and a token is the same a thousand times', async (t) => {
  const cache = { entries: 1, bytes: 1024 * 1024, ttlMs: 1 }
  const forgetful = await createTestVerifier([pool], { clock, cache })
  const tokens = [pool.access(), pool.access({ exp: nowS }), pool.id({ aud: 'other' }), 'x.y.z']
  const expected = await verdictsOf(forgetful, tokens)
  t.same(expected, ['accepted', 'token_expired', 'token_client', 'token_malformed'])
  for (let i = 0; i < 1000; i++) {
    t.equal(parseCredential('bEARER abc'), 'abc')
    t.same(await verdictsOf(forgetful, tokens), expected)
  }
})

t.test('T-45 elliptic and Edwards curve tokens are refused, whoever signed them', async (t) => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ed = generateKeyPairSync('ed25519')
  const keys = [
    ...pool.jwks().keys,
    { ...ec.publicKey.export({ format: 'jwk' }), kid: 'ec', use: 'sig', alg: 'ES256' },
    { ...ed.publicKey.export({ format: 'jwk' }), kid: 'ed', use: 'sig', alg: 'EdDSA' },
  ]
  const { judge } = await createTestVerifier([{ ...pool, jwks: () => ({ keys }) }], { clock })
  const es256 = (text: Buffer) =>
    sign('sha256', text, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })
  t.equal(await judge(forge({ alg: 'ES256', kid: 'ec' }, es256)), 'token_algorithm')
  t.equal(
    await judge(forge({ alg: 'ES256', kid: 'ec' }, () => Buffer.alloc(64))),
    'token_algorithm',
  )
  t.equal(
    await judge(forge({ alg: 'EdDSA', kid: 'ed' }, (text) => sign(null, text, ed.privateKey))),
    'token_algorithm',
  )
  t.equal(await judge(forge({ alg: 'RS256', kid: 'ec' }, es256)), 'token_key_unknown')
})

t.test(
  'T-46 a revoked token stays good until exp, as is documented, and not a moment longer',
  async (t) => {
    const own = createFakeClock()
    const { judge } = await createTestVerifier([pool], { clock: own })
    const token = pool.access({ origin_jti: 'revoked at Cognito', exp: nowS + 600 })
    t.equal(await judge(token), 'accepted')
    await own.advance(599_999)
    t.equal(await judge(token), 'accepted')
    await own.advance(1)
    t.equal(await judge(token), 'token_expired')
  },
)

/** Valid signatures, or MACs, of every algorithm that a JWS library knows for an RSA key but RS256. */
function otherAlgorithms(key: KeyObject): [string, (text: Buffer) => Buffer][] {
  const pss = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  return [
    ['RS384', (text) => sign('sha384', text, key)],
    ['RS512', (text) => sign('sha512', text, key)],
    ['PS256', (text) => sign('sha256', text, pss)],
    ['HS256', (text) => createHmac('sha256', 'secret').update(text).digest()],
  ]
}

/** With e = 1 the padded digest (RFC 8017 section 9.2) is its own signature, and nobody needs a key. */
function signWithExponentOne(text: Buffer): Buffer {
  const prefix = Buffer.from('3031300d060960864801650304020105000420', 'hex')
  const digest = Buffer.concat([prefix, createHash('sha256').update(text).digest()])
  const padding = Buffer.alloc(256 - 3 - digest.length, 0xff)
  return Buffer.concat([Buffer.from([0, 1]), padding, Buffer.from([0]), digest])
}

async function verdictsOf(verifier: TestVerifier, tokens: readonly string[]): Promise<string[]> {
  return Promise.all(tokens.map((token) => verifier.judge(token)))
}
