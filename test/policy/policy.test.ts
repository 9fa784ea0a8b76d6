// Which verified callers an access rule admits: groups, scopes and claims, compared exactly (catalogue rows T-39 to T-43).
import t from 'tap'
import { compilePolicy, type Requirements } from '../../src/policy/policy.ts'
import { compilePrincipal } from '../../src/policy/principal.ts'

function reasonFor(requirements: Requirements, claims: Record<string, unknown>): string {
  const principal = compilePrincipal({})({
    userPool: 'main',
    tokenUse: 'access',
    claims,
    validFromMs: 0,
    validUntilMs: 1,
  })
  return compilePolicy(requirements)(principal)?.reason ?? 'admitted'
}

const groups = (value: unknown) => ({ 'cognito:groups': value })

t.test('anyOf wants one of the groups, allOf every one, noneOf none', async (t) => {
  const cases: [Requirements['groups'], unknown, string][] = [
    [{ anyOf: ['a', 'b'] }, ['b'], 'admitted'],
    [{ anyOf: ['a', 'b'] }, ['c'], 'group_missing'],
    [{ anyOf: ['a', 'b'] }, [], 'group_missing'],
    [{ allOf: ['a', 'b'] }, ['b', 'c', 'a'], 'admitted'],
    [{ allOf: ['a', 'b'] }, ['a'], 'group_missing'],
    [{ noneOf: ['banned'] }, ['a'], 'admitted'],
    [{ noneOf: ['banned'] }, undefined, 'admitted'],
    [{ noneOf: ['banned'] }, ['a', 'banned'], 'policy_denied'],
    [{ anyOf: ['a'], noneOf: ['banned'] }, ['a', 'banned'], 'policy_denied'],
    [{ anyOf: ['a'], allOf: ['b'] }, ['a'], 'group_missing'],
  ]
  for (const [rule, value, verdict] of cases) {
    t.equal(reasonFor({ groups: rule }, groups(value)), verdict, JSON.stringify([rule, value]))
  }
})

t.test('T-39: only an array of strings that holds the very name makes a member', async (t) => {
  const forgeries = [
    'admins', 'a,admins', ['a,admins'], ['Admins'], ['admins '], [['admins']], [{ name: 'admins' }], { admins: true },
    { 0: 'admins', length: 1 }, 1, true, null, [null], ['ａdmins'], ['adm\u0131ns'], ['admins\u200b'], ['*'], ['.*'], undefined,
    ['admins', 1],
  ] // prettier-ignore
  for (const forgery of forgeries) {
    t.equal(
      reasonFor({ groups: { anyOf: ['admins'] } }, groups(forgery)),
      'group_missing',
      JSON.stringify(forgery),
    )
  }
  t.equal(reasonFor({ groups: { anyOf: ['admins'] } }, groups(['x', 'admins'])), 'admitted')
})

t.test('T-40: other claims that carry the name make no member', async (t) => {
  for (const name of ['custom:groups', 'groups', 'roles', 'scope', 'cognito:roles']) {
    t.equal(
      reasonFor({ groups: { anyOf: ['admins'] } }, { [name]: ['admins'] }),
      'group_missing',
      name,
    )
  }
})

t.test('a claim of an unknown shape does not prove that a group is absent', async (t) => {
  t.equal(reasonFor({ groups: { noneOf: ['banned'] } }, groups('banned')), 'group_missing')
  t.equal(reasonFor({ scopes: { noneOf: ['x'] } }, { scope: ['x'] }), 'scope_missing')
})

t.test('scopes are split at spaces and compared whole', async (t) => {
  const rule = { scopes: { allOf: ['orders/read'] } }
  t.equal(reasonFor(rule, { scope: 'orders/write orders/read' }), 'admitted')
  for (const scope of [
    'orders/readx',
    'orders',
    'Orders/read',
    'orders/read,x',
    '',
    undefined,
    ['orders/read'],
  ]) {
    t.equal(reasonFor(rule, { scope }), 'scope_missing', JSON.stringify(scope))
  }
})

t.test('T-41: claims are compared by value and type', async (t) => {
  const verified = { claims: { email_verified: true } }
  t.equal(reasonFor(verified, { email_verified: true }), 'admitted')
  for (const value of ['true', 1, false, null, [true], undefined]) {
    t.equal(reasonFor(verified, { email_verified: value }), 'claim_mismatch', JSON.stringify(value))
  }
  const tenant = { claims: { 'custom:tenant': ['a', 'b'] } }
  t.equal(reasonFor(tenant, { 'custom:tenant': 'b' }), 'admitted')
  for (const value of ['c', 'A', 'a,b', ['a'], undefined]) {
    t.equal(reasonFor(tenant, { 'custom:tenant': value }), 'claim_mismatch', JSON.stringify(value))
  }
})

t.test('a claim of that name on the prototype is no claim', async (t) => {
  t.equal(reasonFor({ claims: { constructor: 'x' } }, {}), 'claim_mismatch')
})

t.test('T-43: the verdict is the same a thousand times over', async (t) => {
  const verdicts = Array.from({ length: 1000 }, () =>
    reasonFor({ groups: { anyOf: ['a'] } }, groups(['a'])),
  )
  t.same([...new Set(verdicts)], ['admitted'])
})

t.test('every kind of rule has to hold', async (t) => {
  const rules = { groups: { anyOf: ['a'] }, scopes: { anyOf: ['s'] }, claims: { c: 1 } }
  t.equal(reasonFor(rules, { ...groups(['a']), scope: 's', c: 1 }), 'admitted')
  t.equal(reasonFor(rules, { ...groups(['a']), scope: 's', c: 2 }), 'claim_mismatch')
  t.equal(reasonFor(rules, { ...groups(['a']), scope: 'x', c: 1 }), 'scope_missing')
})

function reasonForId(requirements: Requirements, claims: Record<string, unknown>): string {
  const verified = {
    userPool: 'main',
    tokenUse: 'id',
    claims,
    validFromMs: 0,
    validUntilMs: 1,
  } as const
  return compilePolicy(requirements)(compilePrincipal({})(verified))?.reason ?? 'admitted'
}

t.test('providers are those that the ID token says the caller is linked with', async (t) => {
  const google = { providerName: 'Google', userId: '1', primary: 'true' }
  const corp = { providerName: 'CorpAD' }
  const cases: [Requirements['providers'], unknown, string][] = [
    [{ anyOf: ['Google'] }, [google], 'admitted'],
    [{ anyOf: ['Google'] }, [corp, google], 'admitted'],
    [{ anyOf: ['Google'] }, [corp], 'provider_denied'],
    [{ anyOf: ['Google'] }, undefined, 'provider_denied'],
    [{ anyOf: ['COGNITO'] }, undefined, 'admitted'],
    [{ noneOf: ['Google'] }, [corp], 'admitted'],
    [{ noneOf: ['Google'] }, [google], 'policy_denied'],
  ]
  for (const [providers, identities, verdict] of cases) {
    t.equal(
      reasonForId({ providers }, { identities }),
      verdict,
      JSON.stringify([providers, identities]),
    )
  }
})

t.test('identities of another shape prove neither a provider nor its absence', async (t) => {
  const shapes = [
    'Google',
    'COGNITO',
    {},
    [],
    [null],
    ['Google'],
    [{}],
    [{ providerName: 1 }],
    1,
    null,
  ]
  for (const identities of shapes) {
    for (const providers of [{ anyOf: ['Google', 'COGNITO'] }, { noneOf: ['Other'] }]) {
      t.equal(
        reasonForId({ providers }, { identities }),
        'provider_denied',
        JSON.stringify(identities),
      )
    }
  }
  t.equal(
    reasonFor({ providers: { noneOf: ['Google'] } }, {}),
    'provider_denied',
    'an access token does not say',
  )
})

t.test(
  'acr is one of the allowed values, and amr a list that is asked as groups are',
  async (t) => {
    const missing = 'insufficient_user_authentication'
    for (const [acr, verdict] of [
      ['a', 'admitted'],
      ['b', 'admitted'],
      ['A', missing],
      [['a'], missing],
      [undefined, missing],
      [1, missing],
    ] as const) {
      t.equal(reasonFor({ acr: ['a', 'b'] }, { acr }), verdict, String(acr))
    }
    for (const [amr, verdict] of [
      [['pwd', 'mfa'], 'admitted'],
      [['pwd'], missing],
      [[], missing],
      ['mfa', missing],
      [undefined, missing],
    ] as const) {
      t.equal(reasonFor({ amr: { anyOf: ['mfa'] } }, { amr }), verdict, String(amr))
    }
    t.equal(
      reasonFor({ amr: { noneOf: ['sms'] } }, { amr: ['sms'] }),
      missing,
      'another method would do',
    )
  },
)

t.test('whoever may not do it anyway is not asked for a stronger sign-in', async (t) => {
  t.equal(reasonFor({ acr: ['a'], groups: { anyOf: ['g'] } }, {}), 'group_missing')
})
