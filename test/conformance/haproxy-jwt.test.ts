// The tokens of HAProxy's own tests: many algorithms, all refused by a verifier that knows RS256 with a kid alone.
import t from 'tap'
import { parseCredential } from '../../src/token/credential.ts'
import { loadCorpus } from '../support/corpora.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { createIssuerAt, createTestVerifier } from '../support/test-verifier.ts'

interface Corpus {
  readonly cases: readonly {
    readonly url: string
    readonly scheme: string
    readonly token: string
    readonly expect: Readonly<Record<string, string>>
  }[]
}

t.test('every token is refused, those of HAProxy’s good RS256 key for want of a kid', async (t) => {
  const corpus = loadCorpus<Corpus>(t, 'haproxy_jwt_cases')
  if (corpus === undefined) return
  const clock = createFakeClock()
  const { judge } = await createTestVerifier([createIssuerAt(clock)], { clock })
  const counts: Record<string, number> = {}
  for (const { url, scheme, token, expect } of corpus.cases) {
    const credential = parseCredential(`${scheme} ${token}`)
    const verdict = typeof credential === 'string' ? await judge(credential) : credential.reason
    t.not(verdict, 'accepted', url)
    if (expect['x-jwt-verify'] === '-3')
      t.match(verdict, /malformed|algorithm/, `${url}, not a token`)
    if (url === '/none') t.equal(verdict, 'token_algorithm')
    counts[verdict] = (counts[verdict] ?? 0) + 1
  }
  t.same(counts, { token_algorithm: 16, token_malformed: 12, credential_malformed: 1 })
})
