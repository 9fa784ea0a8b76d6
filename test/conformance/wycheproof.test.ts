// Wycheproof's vectors for signatures, keys and encryption: only RS256 signatures by sound keys get through.
import t from 'tap'
import { parseJws } from '../../src/token/jws.ts'
import { isRejected } from '../../src/token/verifier.ts'
import { loadCorpus } from '../support/corpora.ts'
import { passesSignature } from '../support/signature-stage.ts'

interface FlatCase {
  readonly tcId: number
  readonly group: string
  readonly comment: string
  readonly jwk: Record<string, unknown>
  readonly jws: string
  readonly expect_rs256_pinned: 'signature-valid' | 'reject'
}

interface Suite {
  readonly numberOfTests: number
  readonly testGroups: readonly {
    readonly comment: string
    readonly public?: object
    readonly private: object
    readonly tests: readonly {
      readonly tcId: number
      readonly comment: string
      readonly jws?: string
      readonly jwe?: string
      readonly result: string
    }[]
  }[]
}

t.test('T-44 of 401 signature vectors exactly the 8 RS256 ones are accepted', async (t) => {
  const corpus = loadCorpus<{ cases: FlatCase[] }>(t, 'wycheproof_jws_flat')
  if (corpus === undefined) return
  const counts = { accepted: 0, refused: 0 }
  for (const { tcId, group, comment, jwk, jws, expect_rs256_pinned: expected } of corpus.cases) {
    const passes = await passesSignature(jws, { keys: [jwk] })
    counts[passes ? 'accepted' : 'refused']++
    t.equal(passes, expected === 'signature-valid', `${tcId} ${group} ${comment}`)
  }
  t.same(counts, { accepted: 8, refused: 393 })
})

t.test('of the key set vectors only the sound RS256 key verifies anything', async (t) => {
  const suite = loadCorpus<Suite>(t, 'wycheproof_json_web_key_test')
  if (suite === undefined) return
  t.same(await acceptedBy(suite), ['rs256 acceptsValid'])
})

t.test('of the mixed vectors only the sound RS256 signature is accepted', async (t) => {
  const suite = loadCorpus<Suite>(t, 'wycheproof_json_web_crypto_test')
  if (suite === undefined) return
  t.same(await acceptedBy(suite), ['jws_rsa acceptsValid'])
})

t.test('every encrypted token is refused before any key is looked up', async (t) => {
  const suite = loadCorpus<Suite>(t, 'wycheproof_json_web_encryption_test')
  if (suite === undefined) return
  const tokens = suite.testGroups.flatMap(({ tests }) => tests.map(({ jwe = '' }) => jwe))
  t.equal(tokens.length, 139)
  for (const [i, token] of tokens.entries()) t.ok(isRejected(parseJws(token)), `${i}`)
})

/** Runs every vector with the keys of its group; tells those that got past the signature. */
async function acceptedBy(suite: Suite): Promise<string[]> {
  const accepted: string[] = []
  let run = 0
  for (const group of suite.testGroups) {
    const keys = group.public ?? group.private
    const jwks = 'keys' in keys ? keys : { keys: [keys] }
    for (const { jws, jwe, comment } of group.tests) {
      run++
      const passes = await passesSignature(jws ?? jwe ?? '', jwks)
      if (passes) accepted.push(`${group.comment} ${comment}`)
    }
  }
  t.equal(run, suite.numberOfTests)
  return accepted
}
