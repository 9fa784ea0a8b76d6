// JSONTestSuite's documents as JWS header and as payload: a strict object is read, all else is refused, nothing throws.
import t from 'tap'
import { parseJsonObject } from '../../src/token/strict-json.ts'
import { loadCorpus } from '../support/corpora.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { signToken } from '../support/issuer.ts'
import { createIssuerAt, createTestVerifier } from '../support/test-verifier.ts'

interface Corpus {
  readonly cases: readonly {
    readonly name: string
    readonly expect: 'accept' | 'reject' | 'either'
    readonly bytes_b64?: string
  }[]
}

/** Objects that the suite accepts, or leaves open, and that I-JSON (RFC 7493) does not allow. */
const NOT_STRICT = [
  'y_object_duplicated_key.json',
  'y_object_duplicated_key_and_value.json',
  'i_object_key_lone_2nd_surrogate.json',
]

/** The two that the corpus only describes, because they are long. */
const GENERATED: Record<string, Buffer> = {
  'n_structure_100000_opening_arrays.json': Buffer.from('['.repeat(100_000)),
  'n_structure_open_array_object.json': Buffer.from(`${'[{"":'.repeat(50_000)}\n`),
}

const clock = createFakeClock()
const issuer = createIssuerAt(clock)
const { judge } = await createTestVerifier([issuer], { clock })
const { kid, privateKey } = issuer.accessKey

t.test('every document as payload and as header', async (t) => {
  const corpus = loadCorpus<Corpus>(t, 'json_test_suite')
  if (corpus === undefined) return
  const counts = { run: 0, read: 0 }
  for (const { name, expect, bytes_b64: text } of corpus.cases) {
    const bytes = text === undefined ? GENERATED[name] : Buffer.from(text, 'base64')
    if (bytes === undefined) throw new Error(`no bytes for ${name}`)
    const strict = expect !== 'reject' && startsAsObject(bytes) && !NOT_STRICT.includes(name)
    t.equal(parseJsonObject(bytes) !== undefined, strict, name)
    const asPayload = await judge(signToken({ kid, alg: 'RS256' }, bytes, privateKey))
    t.equal(asPayload, strict ? 'token_issuer' : 'token_malformed', `${name} as payload`)
    const asHeader = await judge(signToken(bytes, '{}', privateKey))
    t.equal(asHeader, strict ? 'token_algorithm' : 'token_malformed', `${name} as header`)
    counts.run++
    if (strict) counts.read++
  }
  t.same(counts, { run: 318, read: 10 })
})

function startsAsObject(bytes: Buffer): boolean {
  return /^\s*\{/.test(bytes.toString('latin1'))
}
