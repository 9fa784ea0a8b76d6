// Which members of a jwks document become signing keys, and which documents are refused whole.
import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { parseKeySet } from '../../src/token/key-set.ts'
import { createKey } from '../support/issuer.ts'
import { loadKeys } from '../support/test-verifier.ts'

const key = createKey('k1')
const other = createKey('k2')
const modulus = Buffer.from(key.jwk.n as string, 'base64url')

async function kidsOf(...keys: unknown[]): Promise<string | string[]> {
  const set = await parseKeySet({ keys })
  return typeof set === 'string' ? set : [...set.keys()]
}

const withMembers = (changes: object) => kidsOf({ ...key.jwk, ...changes })

t.test('every usable key is found by its kid, with the length of its signatures', async (t) => {
  const set = await loadKeys({ keys: [key.jwk, other.jwk] })
  t.same([...set.keys()], ['k1', 'k2'])
  const found = set.get('k1')
  t.match(found, { kid: 'k1', signatureBytes: 256, retired: false })
  t.ok(found?.key.equals(key.publicKey))
  t.equal(found?.key.type, 'public')
  t.not(found?.material, set.get('k2')?.material)
})

t.test('a document without a list of keys is refused', async (t) => {
  for (const document of [null, undefined, 5, 'keys', [], {}, { keys: null }, { keys: {} }]) {
    t.equal(await parseKeySet(document), 'no list of keys', JSON.stringify(document))
  }
})

t.test('a document without a usable key is refused', async (t) => {
  t.equal(await kidsOf(), 'no usable key')
  t.equal(await kidsOf(null, 5, 'k', [], {}), 'no usable key')
})

t.test('members that are no keys are skipped and the good ones used', async (t) => {
  t.same(await kidsOf(null, 5, [], {}, { ...key.jwk, n: '!', kid: 'bad' }, other.jwk), ['k2'])
})

t.test(
  'the same kid twice refuses the document, even when the second key is unusable',
  async (t) => {
    t.equal(await kidsOf(key.jwk, { ...other.jwk, kid: 'k1' }), 'the same kid twice')
    t.equal(await kidsOf(key.jwk, key.jwk), 'the same kid twice')
    t.equal(await kidsOf(key.jwk, { kty: 'oct', k: 'AAAA', kid: 'k1' }), 'the same kid twice')
  },
)

t.test('kid must be a text of at least one character', async (t) => {
  for (const kid of [undefined, '', null, 5]) t.equal(await withMembers({ kid }), 'no usable key')
})

t.test(
  'use may be absent or sig, alg absent or RS256, key_ops absent or with verify',
  async (t) => {
    for (const good of [
      { use: undefined },
      { alg: undefined },
      { key_ops: ['verify'] },
      { key_ops: ['sign', 'verify'] },
    ]) {
      t.same(await withMembers(good), ['k1'], JSON.stringify(good))
    }
    for (const bad of [
      { use: 'enc' },
      { use: null },
      { alg: 'PS256' },
      { alg: 'HS256' },
      { alg: null },
      { key_ops: ['encrypt'] },
      { key_ops: [] },
      { key_ops: 'verify' },
    ]) {
      t.equal(await withMembers(bad), 'no usable key', JSON.stringify(bad))
    }
  },
)

t.test('only RSA keys are used', async (t) => {
  for (const kty of ['EC', 'OKP', 'oct', 'rsa', undefined, null]) {
    t.equal(await withMembers({ kty }), 'no usable key')
  }
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  t.equal(await kidsOf({ ...ec, kid: 'ec', use: 'sig' }), 'no usable key')
})

t.test('n and e must be canonical base64url texts', async (t) => {
  for (const bad of [undefined, null, 5, '', '!', 'AQAB=']) {
    t.equal(await withMembers({ n: bad }), 'no usable key', `n ${bad}`)
    t.equal(await withMembers({ e: bad }), 'no usable key', `e ${bad}`)
  }
})

t.test('2048 bits are enough, fewer are not', async (t) => {
  t.same(await kidsOf(createKey('big', 3072).jwk), ['big'])
  t.equal(await kidsOf(createKey('small', 1024).jwk), 'no usable key')
  const bits2047 = Buffer.from(modulus)
  bits2047[0] = 0x7f
  t.equal(await withMembers({ n: bits2047.toString('base64url') }), 'no usable key')
})

t.test('a modulus of 1024 bytes is taken, one more is not', async (t) => {
  const ofLength = (length: number) => Buffer.alloc(length, 0xff).toString('base64url')
  t.same(await withMembers({ n: ofLength(1024) }), ['k1'])
  t.equal(await withMembers({ n: ofLength(1025) }), 'no usable key')
})

t.test('an even modulus and one with a leading zero are refused', async (t) => {
  const even = Buffer.from(modulus)
  even[255] = (even[255] ?? 0) & 0xfe
  t.equal(await withMembers({ n: even.toString('base64url') }), 'no usable key')
  const padded = Buffer.concat([Buffer.alloc(1), modulus])
  t.equal(await withMembers({ n: padded.toString('base64url') }), 'no usable key')
})

t.test('the exponent is odd, at least 3 and at most four bytes', async (t) => {
  const ofBytes = (...bytes: number[]) => ({ e: Buffer.from(bytes).toString('base64url') })
  t.same(await withMembers(ofBytes(3)), ['k1'])
  t.same(await withMembers(ofBytes(0x7f, 0xff, 0xff, 0xff)), ['k1'])
  for (const bytes of [[0], [1], [2], [4], [1, 0], [1, 0, 0, 0, 1]]) {
    t.equal(await withMembers(ofBytes(...bytes)), 'no usable key', `e ${bytes}`)
  }
})

t.test('private members are not imported', async (t) => {
  const jwk = { ...key.privateKey.export({ format: 'jwk' }), kid: 'k1' }
  t.equal((await loadKeys({ keys: [jwk] })).get('k1')?.key.type, 'public')
})

t.test('a key that cannot be imported is skipped', async (t) => {
  const importJWK = async (jwk: { n: string }) => {
    if (jwk.n === key.jwk.n) throw new Error('not today')
    return other.publicKey.toCryptoKey({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, true, [
      'verify',
    ])
  }
  const mocked = await t.mockImport<typeof import('../../src/token/key-set.ts')>(
    '../../src/token/key-set.ts',
    { jose: { importJWK } },
  )
  const set = await mocked.parseKeySet({ keys: [key.jwk, other.jwk] })
  t.same(typeof set === 'string' ? set : [...set.keys()], ['k2'])
})
