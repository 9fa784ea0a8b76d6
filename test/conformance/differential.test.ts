// 10,000 tokens judged by Poolgate, by AWS's library and by jose: nothing is accepted here that both refuse, and
// wherever Poolgate is stricter than one of them a named rule says why.
import { constants, createHmac, sign } from 'node:crypto'
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import t from 'tap'
import { createFakeClock } from '../support/fake-clock.ts'
import { createKey, encode, signToken } from '../support/issuer.ts'
import { createSeeded } from '../support/seeded.ts'
import { createIssuerAt, createTestVerifier } from '../support/test-verifier.ts'

const TOKENS = 10_000
const SIGNED = 1_500
const seed = Number(process.env.POOLGATE_SEED ?? 20_261_123)
const random = createSeeded(seed)

const clock = createFakeClock()
const nowS = clock.now() / 1000
const issuer = createIssuerAt(clock)
const stranger = createKey(issuer.accessKey.kid)
const small = createKey('small', 1024)
const jwks = { keys: [...issuer.jwks().keys, small.jwk] }

/** What the rules look at: the token as a lenient reader sees it. */
interface Parts {
  readonly token: string
  readonly segments: readonly string[]
  readonly header: Record<string, unknown>
  readonly payload: Record<string, unknown>
  readonly texts: readonly string[]
}

/** Why Poolgate may refuse what a peer accepts. Each rule looks at the token alone, never at Poolgate's verdict. */
const RULES: Record<string, (parts: Parts) => boolean> = {
  'only canonical base64url': ({ segments }) =>
    segments.some((text) => Buffer.from(text, 'base64url').toString('base64url') !== text),
  'no member name twice': ({ texts }) =>
    texts.some((text) => /"(sub|alg|kid|exp|__proto__)":.*"\1":/.test(text)),
  'JSON is Unicode without a byte order mark': ({ texts }) =>
    texts.some((text) => /^\ufeff|\ufffd|\\ud8/.test(text)),
  'no nesting deeper than 64': ({ texts }) => texts.some((text) => /\[{64}/.test(text)),
  'at most 20480 characters': ({ token }) => token.length > 20_480,
  'no header member that changes what is verified': ({ header }) =>
    ['crit', 'b64', 'zip', 'enc', 'cty', 'jwk', 'jku', 'x5u', 'x5c', 'x5t'].some(
      (name) => name in header,
    ),
  'typ is JWT or absent': ({ header }) => 'typ' in header && !/^jwt$/i.test(`${header.typ}`),
  'keys of 2048 bits or more': ({ header }) => header.kid === small.kid,
  'exp is required, in whole seconds': ({ payload }) => !isTime(payload.exp),
  'expired at exp': ({ payload }) => payload.exp === nowS,
  'exp within 25 h': ({ payload }) => Number(payload.exp) > nowS + 25 * 3600,
  'nbf and iat in whole seconds': ({ payload }) =>
    !isTime(payload.nbf ?? 0) || !isTime(payload.iat ?? 0),
  'iat not ahead': ({ payload }) => Number(payload.iat) > nowS + 60,
  'sub, jti and scope are texts, aud a text or a list of them': ({ payload }) =>
    [payload.sub, payload.jti, payload.scope, ...[payload.aud].flat()].some(
      (claim) => claim !== undefined && typeof claim !== 'string',
    ),
}

const isTime = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0

const ours = await createTestVerifier([{ ...issuer, jwks: () => jwks }], { clock })

const aws = CognitoJwtVerifier.create({
  userPoolId: issuer.userPoolId,
  clientId: issuer.clientId,
  tokenUse: null,
})
aws.cacheJwks(jwks as unknown as Parameters<typeof aws.cacheJwks>[0])

function acceptedByAws(token: string): boolean {
  try {
    aws.verifySync(token)
    return true
  } catch {
    return false
  }
}

const findKey = createLocalJWKSet(jwks as unknown as JSONWebKeySet)

/** jose with the checks that Cognito's documentation asks for. */
async function acceptedByJose(token: string): Promise<boolean> {
  try {
    const { payload } = await jwtVerify(token, findKey, {
      algorithms: ['RS256'],
      issuer: issuer.issuer,
      currentDate: new Date(clock.now()),
    })
    const client = payload.token_use === 'id' ? payload.aud : payload.client_id
    return ['id', 'access'].includes(`${payload.token_use}`) && client === issuer.clientId
  } catch {
    return false
  }
}

/** What is signed: a claim, a header member or a text that somebody got wrong. */
const ODD_VALUES = [
  undefined,
  null,
  '',
  'x',
  0,
  -1,
  1.5,
  true,
  [],
  {},
  [['x']],
  ['x'],
  1e21,
  nowS,
  nowS - 1,
  nowS + 1,
  nowS + 61,
  nowS + 60.5,
  nowS + 90_001,
  nowS * 1000,
  `${nowS + 60}`,
  issuer.clientId,
  [issuer.clientId],
  issuer.issuer,
  `${issuer.issuer}/`,
  [issuer.issuer],
  'access',
  'id',
  'admins',
  ['admins'],
]
const CLAIMS = [
  'iss',
  'sub',
  'aud',
  'client_id',
  'token_use',
  'exp',
  'nbf',
  'iat',
  'jti',
  'scope',
  'cognito:groups',
  'auth_time',
  '__proto__',
  'constructor',
  'rejected',
]
const MEMBERS: Record<string, unknown[]> = {
  alg: ['none', 'HS256', 'RS384', 'PS256', 'rs256', '', null, 5, undefined],
  kid: [
    issuer.idKey.kid,
    issuer.accessKey.kid,
    'unknown',
    '',
    null,
    5,
    undefined,
    '__proto__',
    small.kid,
  ],
  typ: ['JWT', 'jwt', 'at+jwt', 'logout+jwt', null, 5],
  crit: [['exp'], [], 'exp', null, ['b64']],
  b64: [false, true],
  cty: ['JWT'],
  zip: ['DEF'],
  jwk: [stranger.jwk],
  jku: ['http://127.0.0.1:9/'],
  x5c: [['AAAA']],
  extra: [1, {}],
}

const base = JSON.parse(
  Buffer.from(issuer.access().split('.')[1] ?? '', 'base64url').toString(),
) as object
const goodId = JSON.parse(
  Buffer.from(issuer.id().split('.')[1] ?? '', 'base64url').toString(),
) as object

/** Ways to spoil the text of a payload or a header that JSON.stringify would never write. */
const TEXTS: ((text: string) => string | Buffer)[] = [
  (text) => text.replace(/}$/, ',"sub":"other"}'),
  (text) => text.replace(/}$/, ',"alg":"RS256","alg":"RS256"}'),
  (text) => text.replace(/}$/, ',"exp":9999999999}'),
  (text) => `\ufeff${text}`,
  (text) => ` ${text}\n`,
  (text) => `${text}x`,
  (text) => `[${text}]`,
  (text) => text.slice(0, -1),
  (text) => text.replace(/}$/, ',"n":"\\ud800"}'),
  (text) => Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from(',"n":"\xff"}', 'latin1')]),
  (text) => text.replace(/}$/, `,"n":${'['.repeat(70)}${']'.repeat(70)}}`),
  (text) => text.replace(/}$/, `,"n":"${'x'.repeat(16_000)}"}`),
  (text) => text.replace(/"exp":\d+/, '"exp":1e400'),
  (text) => text.replace(/"exp":(\d+)/, '"exp":$1.0'),
  (text) => text.replace(/}$/, ',"__proto__":{"token_use":"id"}}'),
]

function makeSigned(): string {
  const isId = random.chance(0.4)
  const key = random.chance(0.05) ? stranger : isId ? issuer.idKey : issuer.accessKey
  const header: Record<string, unknown> = { kid: key.kid, alg: 'RS256' }
  const payload: Record<string, unknown> = {
    ...(isId ? goodId : base),
    jti: `${random.below(1e9)}`,
  }
  for (let i = random.below(3); i > 0; i--)
    setOwn(payload, random.pick(CLAIMS), random.pick(ODD_VALUES))
  if (random.chance(0.1)) payload.exp = random.pick([nowS, nowS - 1, nowS + 1, nowS + 90_001])
  if (random.chance(0.3)) {
    const name = random.pick(Object.keys(MEMBERS))
    header[name] = random.pick(MEMBERS[name] ?? [])
  }
  const spoil = (text: string) => (random.chance(0.12) ? random.pick(TEXTS)(text) : text)
  const texts = [spoil(JSON.stringify(header)), spoil(JSON.stringify(payload))] as const
  if (header.kid === small.kid) return signToken(...texts, small.privateKey)
  return random.chance(0.05)
    ? signOtherwise(...texts, key.privateKey)
    : signToken(...texts, key.privateKey)
}

function setOwn(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  })
}

/** The same texts under another algorithm than the header may say. */
function signOtherwise(
  header: string | Buffer,
  payload: string | Buffer,
  key: typeof issuer.idKey.privateKey,
): string {
  const text = Buffer.from(`${encode(header)}.${encode(payload)}`)
  const pem = issuer.accessKey.publicKey.export({ type: 'spki', format: 'pem' })
  const signature = random.pick([
    () => sign('sha384', text, key),
    () => sign('sha256', text, { key, padding: constants.RSA_PKCS1_PSS_PADDING }),
    () => createHmac('sha256', pem).update(text).digest(),
    () => Buffer.alloc(256),
    () => Buffer.alloc(0),
  ])()
  return `${text}.${signature.toString('base64url')}`
}

const CHARACTERS = [...'AZaz09-_=+/. \t\n\r%!', '\0', '\u00a0', 'é']

/** Ways to spoil the text of a whole token. */
const MUTATIONS: ((token: string, other: string) => string)[] = [
  (token) => token,
  (token) => splice(token, random.below(token.length), 1, random.pick(CHARACTERS)),
  (token) => splice(token, random.below(token.length), 0, random.pick(CHARACTERS)),
  (token) => splice(token, random.below(token.length), 1, ''),
  (token) => splice(token, token.length - 1, 1, random.pick(CHARACTERS)),
  (token) => token + random.pick(['=', '==', '.', ' ', '\n', 'A', 'AAAA']),
  (token) => random.pick(['.', ' ', 'A', 'Bearer ']) + token,
  (token) => token.slice(0, random.below(token.length)),
  (token) => {
    const [head = '', payload = '', signature = ''] = token.split('.')
    const pad = (text: string) => text + '='.repeat((4 - (text.length % 4)) % 4)
    return random
      .pick([
        [pad(head), payload, signature],
        [head, pad(payload), signature],
        [head, payload, pad(signature)],
      ])
      .join('.')
  },
  (token, other) => [...token.split('.').slice(0, 2), other.split('.')[2]].join('.'),
  (token, other) => [token.split('.')[0], ...other.split('.').slice(1)].join('.'),
  (token) => [...token.split('.').slice(0, 2), ''].join('.'),
  (token) => [...token.split('.'), 'AAAA', 'AAAA'].join('.'),
]

function splice(text: string, at: number, removed: number, added: string): string {
  return text.slice(0, at) + added + text.slice(at + removed)
}

function toParts(token: string): Parts {
  const segments = token.split('.')
  const texts = segments.slice(0, 2).map((text) => Buffer.from(text, 'base64url').toString())
  const [header = {}, payload = {}] = texts.map(parseLeniently)
  return { token, segments, header, payload, texts }
}

function parseLeniently(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text.replace(/^\ufeff/, ''))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

t.test(
  `10,000 tokens of seed ${seed} are judged no more leniently than by both peers`,
  async (t) => {
    t.comment(`seed ${seed}; set POOLGATE_SEED to repeat another run`)
    t.intercept(Date, 'now', { value: () => clock.now() })
    const signed = Array.from({ length: SIGNED }, makeSigned)
    const counts = { accepted: 0, stricterThanAws: 0, stricterThanJose: 0 }
    const byRule: Record<string, number> = {}
    const findings: string[] = []
    for (let i = 0; i < TOKENS; i++) {
      const token =
        i < SIGNED
          ? (signed[i] ?? '')
          : random.pick(MUTATIONS)(random.pick(signed), random.pick(signed))
      const [verdict, aws, jose] = [
        await ours.judge(token),
        acceptedByAws(token),
        await acceptedByJose(token),
      ]
      const accepted = verdict === 'accepted'
      if (accepted) counts.accepted++
      if (accepted && !aws && !jose) findings.push(`both peers refuse ${i}: ${token}`)
      if (accepted && !aws && jose) findings.push(`AWS's library refuses ${i}: ${token}`)
      if (accepted || !(aws || jose)) continue
      if (aws) counts.stricterThanAws++
      if (jose) counts.stricterThanJose++
      const parts = toParts(token)
      const rules = Object.keys(RULES).filter((name) => RULES[name]?.(parts))
      for (const rule of rules) byRule[rule] = (byRule[rule] ?? 0) + 1
      if (rules.length === 0)
        findings.push(
          `${verdict} without a rule ${i} aws=${aws} jose=${jose}: ${token} ${parts.texts}`,
        )
    }
    t.comment(JSON.stringify({ ...counts, byRule }))
    t.same(findings.slice(0, 5), [])
    t.equal(findings.length, 0)
    t.ok(counts.accepted > 500, `${counts.accepted} accepted`)
    t.same(
      Object.keys(RULES).filter((rule) => byRule[rule] === undefined),
      [],
      'every rule was needed',
    )
  },
)
