// The cases of jwt_verify_lib, the library behind Envoy's jwt_authn: what it refuses is refused here, and often more.
import t from 'tap'
import { parseKeySet } from '../../src/token/key-set.ts'
import { loadCorpus } from '../support/corpora.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { passesSignature } from '../support/signature-stage.ts'
import { createIssuerAt, createTestVerifier } from '../support/test-verifier.ts'

interface Case {
  readonly file: string
  readonly suite: string
  readonly test: string
  readonly expected_statuses: readonly string[]
  readonly literals: readonly string[]
  readonly const_refs: readonly string[]
}

interface Corpus {
  readonly cases: readonly Case[]
  readonly constants: readonly {
    readonly file: string
    readonly const: string
    readonly value: string
  }[]
}

/** Suites that the tests below run, with the number of their cases. */
const APPLYING: Record<string, number> = {
  JwksParseTest: 72,
  JwtParseTest: 33,
  VerifyJwkRsaTest: 7,
  VerifyJwkRsaPssTest: 3,
  VerifyKidMatchingTest: 3,
  VerifyJwkECTest: 7,
  VerifyJwkHmacTest: 8,
  VerifyJwkOKPTest: 6,
}

/** Suites that do not apply, and why. */
const NOT_APPLYING: Record<string, string> = {
  CheckAudienceTest:
    'its audiences are equal with and without scheme and last slash; ours are equal or not',
  VerifyAudTest: 'the same',
  VerifyExpTest:
    'its times are arithmetic in C++, not in the vectors; test/token/claims.test.ts has each bound',
  VerifyPKCSTestRs256: 'keys are PEM files; ours come as jwks documents alone',
  VerifyPKCSTestRs384: 'the same',
  VerifyPKCSTestRs512: 'the same',
  VerifyPKCSTestES384: 'the same',
  VerifyPKCSTestES512: 'the same',
  VerifyPEMTestOKP: 'the same',
  VerifyX509Test: 'keys are a map of certificates; ours come as jwks documents alone',
}

/** Documents that it accepts and that hold keys which may verify Cognito's tokens, by their kids. */
const USABLE: Record<string, string[]> = {
  GoodJwks: [
    '62a93512c9ee4c7f8067b5a216dade2763d32a47',
    'b3319a147514df7ee5e4bcdee51350cc890cc89e',
  ],
}

/** RSA tokens that it accepts and that name their key; those without a kid are refused here. */
const PASSING = ['JwtTextWithCorrectKid', 'JwtTextWithLongClaimsCorrectKid']

const clock = createFakeClock()
const issuer = createIssuerAt(clock)
const { judge } = await createTestVerifier([issuer], { clock })

t.test('every suite is either run or named with the reason why not', async (t) => {
  const corpus = loadCorpus<Corpus>(t, 'jwt_verify_lib_tests')
  if (corpus === undefined) return
  const counts: Record<string, number> = {}
  for (const { suite } of corpus.cases) {
    if (NOT_APPLYING[suite] === undefined) counts[suite] = (counts[suite] ?? 0) + 1
  }
  t.same(counts, APPLYING)
  t.equal(corpus.cases.length, 169)
})

t.test('key documents give RSA keys for RS256 or are refused', async (t) => {
  const corpus = loadCorpus<Corpus>(t, 'jwt_verify_lib_tests')
  if (corpus === undefined) return
  let documents = 0
  for (const { suite, test, literals } of corpus.cases) {
    if (suite !== 'JwksParseTest') continue
    for (const text of literals.filter((literal) => literal.trimStart().startsWith('{'))) {
      documents++
      const keys = await parseKeySet(parseOrNothing(text))
      t.same(typeof keys === 'string' ? [] : [...keys.keys()], USABLE[test] ?? [], test)
    }
  }
  t.equal(documents, 57, 'all but ten PEM files and five cases without a document of their own')
})

t.test('every token of its parser tests is refused', async (t) => {
  const corpus = loadCorpus<Corpus>(t, 'jwt_verify_lib_tests')
  if (corpus === undefined) return
  let tokens = 0
  for (const { suite, test, expected_statuses: statuses, literals } of corpus.cases) {
    if (suite !== 'JwtParseTest') continue
    for (const token of literals.filter(isTokenText)) {
      tokens++
      const verdict = await judge(token)
      t.not(verdict, 'accepted', test)
      const [status = ''] = statuses
      if (/BadFormat|BadBase64|BadJson|BadKid/.test(status) && !status.includes('Payload')) {
        t.equal(verdict, 'token_malformed', test)
      }
      if (/Alg$/.test(status)) t.equal(verdict, 'token_algorithm', test)
    }
  }
  t.equal(tokens, 29, 'all but four cases without a token of their own')
})

t.test('a claim that its parser refuses is refused in an otherwise good token', async (t) => {
  const corpus = loadCorpus<Corpus>(t, 'jwt_verify_lib_tests')
  if (corpus === undefined) return
  const seen: string[] = []
  for (const { test, literals } of corpus.cases) {
    const claim = /^TestParsePayload(Iss|Sub|Iat|Nbf|Exp|Jti|Aud)/.exec(test)?.[1]?.toLowerCase()
    const [token] = literals.filter(isTokenText)
    if (claim === undefined || token === undefined) continue
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    t.ok(claim in payload, `${test} has ${claim}`)
    t.not(await judge(issuer.id({ [claim]: payload[claim] })), 'accepted', test)
    seen.push(claim)
  }
  t.equal(seen.length, 15)
  t.equal(await judge(issuer.id()), 'accepted')
})

t.test('tokens that name their RSA key pass its signature, all others do not', async (t) => {
  const corpus = loadCorpus<Corpus>(t, 'jwt_verify_lib_tests')
  if (corpus === undefined) return
  const { constants } = corpus
  const passed: string[] = []
  let tokens = 0
  for (const { file, const: name, value: token } of constants) {
    if (!file.startsWith('verify_jwk_') || !isTokenText(token)) continue
    tokens++
    for (const keys of constants.filter(
      (other) => other.file === file && other.value.includes('"keys"'),
    )) {
      if (await passesSignature(token, parseOrNothing(keys.value))) passed.push(name)
    }
  }
  t.same(passed, PASSING)
  t.equal(tokens, 28)
})

function isTokenText(text: string): boolean {
  return (
    /^[\w+/=-]+(\.[\w+/=-]*)+$/.test(text) && (text.startsWith('eyJ') || text.startsWith('aaa.'))
  )
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
