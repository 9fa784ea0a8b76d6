// The checks on a verified payload, each bound from both sides.
import t from 'tap'
import {
  checkClient,
  checkIssuer,
  checkTimes,
  checkTypes,
  clientOf,
  parseTokenUse,
} from '../../src/token/claims.ts'
import type { UserPoolSettings } from '../../src/token/user-pool.ts'
import { isRejected } from '../../src/token/verifier.ts'

const NOW_S = 1_800_000_000
const HOUR_S = 3600
const POOL: UserPoolSettings = {
  name: 'main',
  issuers: ['https://issuer.example/a', 'https://issuer.example/b'],
  clientIds: ['client-1', 'client-2'],
  resources: undefined,
  clockToleranceMs: 0,
}

const judge = (outcome: object | string | undefined) =>
  outcome !== undefined && isRejected(outcome) ? outcome.reason : 'fine'

const judgeTimes = (claims: object, pool: Partial<UserPoolSettings> = {}) =>
  judge(checkTimes({ exp: NOW_S + 60, ...claims }, { ...POOL, ...pool }, NOW_S * 1000))

t.test('any of the configured issuers is accepted, exactly as written', async (t) => {
  for (const iss of POOL.issuers) t.equal(checkIssuer({ iss }, POOL), undefined)
  for (const iss of [
    'https://issuer.example/a/',
    'HTTPS://issuer.example/a',
    '',
    null,
    undefined,
    1,
  ]) {
    t.equal(judge(checkIssuer({ iss }, POOL)), 'token_issuer', JSON.stringify(iss))
  }
  t.equal(judge(checkIssuer({ iss: [POOL.issuers[0]] }, POOL)), 'token_issuer')
})

t.test('token_use is access or id', async (t) => {
  t.equal(parseTokenUse({ token_use: 'access' }), 'access')
  t.equal(parseTokenUse({ token_use: 'id' }), 'id')
  for (const use of [undefined, null, '', 'Access', 'refresh', 'any', ['id'], {}]) {
    t.equal(judge(parseTokenUse({ token_use: use })), 'token_use', JSON.stringify(use))
  }
})

t.test('sub, jti and scope are texts where they are present', async (t) => {
  t.equal(checkTypes({}), undefined)
  t.equal(checkTypes({ sub: '', jti: 'j', scope: 'a b' }), undefined)
  for (const name of ['sub', 'jti', 'scope']) {
    for (const value of [null, 1, true, ['a'], {}]) {
      t.equal(judge(checkTypes({ [name]: value })), 'token_malformed', name)
    }
  }
})

t.test('aud is a text or a list of texts where it is present', async (t) => {
  for (const aud of ['', 'a', [], ['a', 'b']]) t.equal(checkTypes({ aud }), undefined)
  for (const aud of [null, 1, true, {}, [1], ['a', null], [['a']]]) {
    t.equal(judge(checkTypes({ aud })), 'token_client', JSON.stringify(aud))
  }
})

t.test('the app client is client_id in an access token and aud in an ID token', async (t) => {
  const claims = { client_id: 'of-access', aud: 'of-id' }
  t.equal(clientOf(claims, 'access'), 'of-access')
  t.equal(clientOf(claims, 'id'), 'of-id')
})

t.test('only a configured app client is accepted', async (t) => {
  t.equal(checkClient({ client_id: 'client-2' }, 'access', POOL), undefined)
  t.equal(checkClient({ aud: 'client-1' }, 'id', POOL), undefined)
  for (const client of [
    'client',
    'client-1 ',
    'Client-1',
    '',
    undefined,
    null,
    1,
    ['client-1'],
    {},
  ]) {
    t.equal(judge(checkClient({ client_id: client }, 'access', POOL)), 'token_client')
    t.equal(judge(checkClient({ aud: client }, 'id', POOL)), 'token_client')
  }
  t.equal(judge(checkClient({ aud: 'client-1' }, 'access', POOL)), 'token_client')
  t.equal(judge(checkClient({ client_id: 'client-1' }, 'id', POOL)), 'token_client')
})

t.test('with any every app client is accepted, but there must be one', async (t) => {
  const pool: UserPoolSettings = { ...POOL, clientIds: 'any' }
  t.equal(checkClient({ client_id: 'whoever' }, 'access', pool), undefined)
  for (const client of [undefined, '', ['a']]) {
    t.equal(judge(checkClient({ client_id: client }, 'access', pool)), 'token_client')
  }
})

t.test(
  'configured resources bind the aud of access tokens and leave ID tokens alone',
  async (t) => {
    const pool = { ...POOL, resources: ['https://api.example'] }
    const access = { client_id: 'client-1' }
    t.equal(checkClient({ ...access, aud: 'https://api.example' }, 'access', pool), undefined)
    for (const aud of [undefined, 'https://api.example/', ['https://api.example'], null]) {
      t.equal(judge(checkClient({ ...access, aud }, 'access', pool)), 'token_client')
    }
    t.equal(checkClient({ aud: 'client-1' }, 'id', pool), undefined)
  },
)

t.test('a token is good until exp, and no longer at exp', async (t) => {
  t.equal(judgeTimes({ exp: NOW_S + 1 }), 'fine')
  t.equal(judgeTimes({ exp: NOW_S }), 'token_expired')
  t.equal(judgeTimes({ exp: NOW_S - 1 }), 'token_expired')
})

t.test('the tolerance moves exp and nbf by its length', async (t) => {
  const pool = { clockToleranceMs: 30_000 }
  t.equal(judgeTimes({ exp: NOW_S - 29 }, pool), 'fine')
  t.equal(judgeTimes({ exp: NOW_S - 30 }, pool), 'token_expired')
  t.equal(judgeTimes({ nbf: NOW_S + 30 }, pool), 'fine')
  t.equal(judgeTimes({ nbf: NOW_S + 31 }, pool), 'token_not_yet_valid')
})

t.test('a token is good from nbf on', async (t) => {
  t.equal(judgeTimes({ nbf: NOW_S }), 'fine')
  t.equal(judgeTimes({ nbf: NOW_S + 1 }), 'token_not_yet_valid')
})

t.test('iat may be 60 s ahead and no more', async (t) => {
  t.equal(judgeTimes({ iat: NOW_S + 60 }), 'fine')
  t.equal(judgeTimes({ iat: NOW_S + 61 }), 'token_not_yet_valid')
})

t.test('exp may be 25 h ahead and no more', async (t) => {
  t.equal(judgeTimes({ exp: NOW_S + 25 * HOUR_S }), 'fine')
  t.equal(judgeTimes({ exp: NOW_S + 25 * HOUR_S + 1 }), 'token_malformed')
})

t.test('times are whole, safe, non-negative numbers of seconds', async (t) => {
  const wrong = [
    null,
    '',
    `${NOW_S + 60}`,
    true,
    [],
    {},
    -1,
    NOW_S + 0.5,
    Number.POSITIVE_INFINITY,
    2 ** 53,
  ]
  for (const value of wrong) {
    for (const name of ['exp', 'nbf', 'iat']) {
      t.equal(judgeTimes({ [name]: value }), 'token_malformed', `${name} ${String(value)}`)
    }
  }
  t.equal(judgeTimes({ exp: undefined }), 'token_malformed')
  t.equal(judgeTimes({ nbf: 0, iat: 0 }), 'fine')
})

t.test('the window of a good token is told in milliseconds', async (t) => {
  const claims = { exp: NOW_S + 60, nbf: NOW_S - 5, iat: NOW_S - 10 }
  t.same(checkTimes(claims, { ...POOL, clockToleranceMs: 2000 }, NOW_S * 1000), {
    validFromMs: (NOW_S - 7) * 1000,
    validUntilMs: (NOW_S + 62) * 1000,
  })
})
