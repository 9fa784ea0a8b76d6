// What is sealed opens for its purpose and with its key, and for nothing else; why it does not open is never said (B-09, B-13).
import { randomBytes } from 'node:crypto'
import { CompactEncrypt } from 'jose'
import t from 'tap'
import { createSeal } from '../../src/session/seal.ts'
import { loadCorpus } from '../support/corpora.ts'
import { SESSION_KEYS } from '../support/sessions.ts'

const [FIRST = '', SECOND = ''] = SESSION_KEYS
const seal = createSeal([FIRST])

t.test('what was sealed opens, whatever the text', async (t) => {
  for (const text of ['', 'a', '{"ä":"\u{1f600}"}', 'x'.repeat(11_000)]) {
    t.equal(await seal.open('p', await seal.seal('p', text)), text)
  }
})

t.test('the same text is sealed in another way each time, with a key of its own', async (t) => {
  const sealed = await Promise.all(Array.from({ length: 50 }, () => seal.seal('p', 'text')))
  t.equal(new Set(sealed).size, 50)
  t.equal(
    new Set(sealed.map((each) => each.split('.', 1)[0])).size,
    50,
    'each has a salt of its own',
  )
})

t.test('nothing opens for another purpose', async (t) => {
  const sealed = await seal.seal('session web', 'text')
  for (const purpose of ['session we', 'session web ', 'attempt web', '']) {
    t.equal(await seal.open(purpose, sealed), undefined, purpose)
  }
})

t.test('a new key comes first and the old one still opens, until it goes', async (t) => {
  const old = await seal.seal('p', 'old')
  const both = createSeal([SECOND, FIRST])
  t.equal(await both.open('p', old), 'old')
  const fresh = await both.seal('p', 'fresh')
  t.equal(await createSeal([SECOND]).open('p', fresh), 'fresh', 'the first one seals')
  t.equal(await seal.open('p', fresh), undefined)
  t.equal(await createSeal([SECOND]).open('p', old), undefined, 'without the old key')
})

t.test('one changed bit anywhere, or one character less, opens nothing', async (t) => {
  const sealed = await seal.seal('p', '{"subject":"someone"}')
  for (let at = 0; at < sealed.length; at++) {
    const code = sealed.charCodeAt(at)
    for (const bit of [1, 2, 16]) {
      const changed = sealed.slice(0, at) + String.fromCharCode(code ^ bit) + sealed.slice(at + 1)
      if ((await seal.open('p', changed)) !== undefined) t.fail(`${at} ^ ${bit}`)
    }
    if (at > 0) t.equal(await seal.open('p', sealed.slice(0, at)), undefined)
  }
})

t.test('what is no seal of ours opens nothing, and is not even decrypted', async (t) => {
  const good = await seal.seal('p', 'text')
  const [header = '', ...rest] = good.split('.')
  const said = JSON.parse(Buffer.from(header, 'base64url').toString())
  const withHeader = (changes: object) =>
    [Buffer.from(JSON.stringify({ ...said, ...changes })).toString('base64url'), ...rest].join('.')
  t.equal(await seal.open('p', withHeader({})), 'text')
  for (const changes of [
    { alg: 'A256KW' },
    { alg: 'PBES2-HS256+A128KW', p2c: 1e9, p2s: 'aa' },
    { alg: 'none' },
    { enc: 'A128CBC-HS256' },
    { zip: 'DEF' },
    { crit: ['exp'] },
    { kid: 'other' },
    { kid: `${said.kid}x` },
    { salt: '' },
    { salt: `${said.salt}A` },
    { jwk: {} },
  ]) {
    t.equal(await seal.open('p', withHeader(changes)), undefined, JSON.stringify(changes))
  }
  for (const text of [
    '',
    '.',
    '....',
    'x',
    '{}',
    `${good}.`,
    `.${good}`,
    good.replaceAll('.', ''),
    randomBytes(100_000).toString('base64url'),
    `${good.slice(0, 20)}${'A'.repeat(100_000)}`,
  ]) {
    t.equal(await seal.open('p', text), undefined, text.slice(0, 20))
  }
})

t.test('somebody who makes his own with a key of his own gets nowhere', async (t) => {
  const [header = ''] = (await seal.seal('p', 'text')).split('.')
  const forged = await new CompactEncrypt(Buffer.from('{"admin":true}'))
    .setProtectedHeader(JSON.parse(Buffer.from(header, 'base64url').toString()))
    .encrypt(randomBytes(32))
  t.equal(await seal.open('p', forged), undefined)
})

interface Wycheproof {
  readonly testGroups: readonly {
    readonly tests: readonly { readonly tcId: number; readonly jwe: string }[]
  }[]
}

t.test('no vector of Wycheproof opens: they are all sealed by somebody else', async (t) => {
  const corpus = loadCorpus<Wycheproof>(t, 'wycheproof_json_web_encryption_test')
  const tests = corpus?.testGroups.flatMap((group) => group.tests) ?? []
  for (const { tcId, jwe } of tests) {
    if ((await seal.open('p', typeof jwe === 'string' ? jwe : JSON.stringify(jwe))) !== undefined)
      t.fail(String(tcId))
  }
  if (corpus !== undefined) t.ok(tests.length > 100)
})
