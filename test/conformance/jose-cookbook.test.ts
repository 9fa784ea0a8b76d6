// The JOSE cookbook (RFC 7520, RFC 7797, Curve25519): one of its examples is an RS256 token in the compact form.
import t from 'tap'
import { parseKeySet } from '../../src/token/key-set.ts'
import { loadCorpus } from '../support/corpora.ts'
import { passesSignature } from '../support/signature-stage.ts'

interface Example {
  readonly input?: { readonly key?: unknown }
  readonly output?: Readonly<Record<string, unknown>>
  readonly sign?: Example
  readonly encrypt?: Example
}

interface Corpus {
  readonly cases: readonly { readonly file: string; readonly data: Example }[]
}

t.test('of all tokens only the RS256 example passes, in its compact form alone', async (t) => {
  const corpus = loadCorpus<Corpus>(t, 'ietf_jose_cookbook')
  if (corpus === undefined) return
  const passed: string[] = []
  let run = 0
  for (const { file, data } of corpus.cases) {
    for (const { input, output } of [data, data.sign ?? {}, data.encrypt ?? {}]) {
      for (const [form, token] of Object.entries(output ?? {})) {
        run++
        const text = typeof token === 'string' ? token : JSON.stringify(token)
        const jwks = { keys: [data.sign?.input?.key ?? input?.key].flat() }
        if (await passesSignature(text, jwks)) passed.push(`${file} ${form}`)
      }
    }
  }
  t.same(passed, ['jws/4_1.rsa_v15_signature.json compact'])
  t.equal(run, 69)
})

t.test('of the six keys only the RSA ones are used, and of those the public part', async (t) => {
  const corpus = loadCorpus<Corpus>(t, 'ietf_jose_cookbook')
  if (corpus === undefined) return
  const usable: string[] = []
  const keys = corpus.cases.filter(({ file }) => file.startsWith('jwk/'))
  for (const { file, data } of keys) {
    const set = await parseKeySet({ keys: [data] })
    if (typeof set === 'string') continue
    usable.push(file)
    t.same(
      [...set.values()].map(({ key }) => key.type),
      ['public'],
    )
  }
  t.equal(keys.length, 6)
  t.same(usable, ['jwk/3_3.rsa_public_key.json', 'jwk/3_4.rsa_private_key.json'])
})
