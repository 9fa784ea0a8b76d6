// What to change, for every reason and for the mistakes that have one answer; nothing in it is left unsaid.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { adviseOn } from '../../src/explain/advice.ts'
import type { Situation } from '../../src/explain/situation.ts'
import { DENY_REASONS } from '../../src/policy/decision.ts'
import { compilePolicy } from '../../src/policy/policy.ts'
import { compilePrincipal } from '../../src/policy/principal.ts'
import { createConfigText } from '../support/config-text.ts'
import { RESERVED } from '../../src/proxy/obstacle.ts'

const { config } = loadConfig(
  createConfigText({
    userPools: `userPools:
  main: {userPoolId: eu-west-1_EXAMPLE01, clientIds: [first, second], resource: 'https://api.example'}
  staff: {userPoolId: eu-west-1_EXAMPLE02, clientIds: any}`,
    routes: `routes:
  - name: strict
    match: {path: /*}
    access:
      userPool: main
      groups: {anyOf: [admins, ops], allOf: [eu], noneOf: [blocked]}
      scopes: {allOf: [read]}
      claims: {email_verified: true, tenant: [a, b]}
    credentials: {cookie: tok, query: token}
    upstream: orders`,
  }),
  'c.yaml',
  {},
)
const [route] = config.routes
const toPrincipal = compilePrincipal({})

function advise(reason: (typeof DENY_REASONS)[number], changes: Partial<Situation> = {}): string {
  return adviseOn(reason, {
    ...{ config, detail: 'a detail', facts: undefined, route, userPool: 'main' },
    ...{ claims: undefined, principal: undefined, nearest: undefined, keyProblem: undefined },
    ...changes,
  })
}

/** By what the policy says of a caller with these claims. */
function adviseCaller(claims: Record<string, unknown>): string {
  const tokenUse = claims.token_use === 'id' ? 'id' : 'access'
  const all = { token_use: tokenUse, ...claims }
  const rest = { userPool: 'main', validFromMs: 0, validUntilMs: 0 }
  const principal = toPrincipal({ ...rest, tokenUse, claims: all })
  const access = route?.access as Exclude<NonNullable<typeof route>['access'], string>
  const { reason = 'internal_error' as const, detail = '' } = compilePolicy(access)(principal) ?? {}
  return `${reason}: ${advise(reason, { detail, claims: all, principal })}`
}

t.test('every reason has one line', async (t) => {
  for (const reason of DENY_REASONS) t.match(advise(reason), /^[^\n]{10,}$/, reason)
})

t.test('rules: what is missing, and what differs in spelling alone', async (t) => {
  const good = { 'cognito:groups': ['ops', 'eu'], scope: 'read' }
  const cases: [Record<string, unknown>, RegExp][] = [
    [{}, /^group_missing: add the user to the group admins or ops and get a new token/],
    [{ 'cognito:groups': ['Ops'] }, /^group_missing: the user is in Ops and the route wants ops/],
    [{ 'cognito:groups': ['ops'] }, /^group_missing: add the user to the group eu and/],
    [{ 'cognito:groups': ['ops', 'EU'] }, /^group_missing: the user is in EU and .* wants eu/],
    [{ 'cognito:groups': ['ops', 'eu', 'blocked'] }, /^policy_denied: .* on purpose/],
    [{ 'cognito:groups': ['ops', 'eu'] }, /^scope_missing: ask for the scope read at sign-in/],
    [{ ...good, scope: 'Read' }, /^scope_missing: the token has Read and the route wants read/],
    [
      { 'cognito:groups': ['ops', 'eu'], token_use: 'id' },
      /^scope_missing: send the access token: an ID token has no scopes/,
    ],
    [good, /^claim_mismatch: send the ID token and add tokenUse: id to access of route strict/],
    [
      { ...good, email_verified: 'true' },
      /^claim_mismatch: write "true" in claims of route strict: it differs from true/,
    ],
    [
      { ...good, email_verified: true, tenant: 'A' },
      /^claim_mismatch: write "A" in .*it differs from "a" in letter case/,
    ],
    [{ ...good, email_verified: true, tenant: 'c' }, /^claim_mismatch: change tenant of the user/],
    [
      { ...good, email_verified: true, token_use: 'id' },
      /^claim_mismatch: set the attribute tenant of the user/,
    ],
  ]
  for (const [claims, line] of cases) t.match(adviseCaller(claims), line, JSON.stringify(claims))
})

t.test('tokens: whose they are, and whose are wanted', async (t) => {
  const issuer = (id: string) => `https://cognito-idp.eu-west-1.amazonaws.com/${id}`
  const ofStaff = advise('token_issuer', { claims: { iss: issuer('eu-west-1_EXAMPLE02') } })
  t.match(ofStaff, /set access\.userPool of route strict to staff/)
  const ofNobody = advise('token_issuer', { claims: { iss: issuer('eu-west-1_Elsewhere') } })
  t.match(ofNobody, /is of eu-west-1_Elsewhere and userPools has eu-west-1_EXAMPLE01, eu-west-1_E/)
  t.match(advise('token_issuer', { claims: {} }), /no issuer that can be read/)
  const client = { claims: { token_use: 'access', client_id: 'third', aud: 'x' } }
  t.match(
    advise('token_client', client),
    /add "third" to userPools\.main\.clientIds, or .* first or/,
  )
  const resource = { ...client, detail: 'aud is "x", not a configured resource' }
  t.match(advise('token_client', resource), /a token for the resource https:\/\/api\.example/)
  const access = advise('token_use', { claims: { token_use: 'access' } })
  t.match(access, /send the ID token .*add tokenUse: access to access of route strict/)
  const open = route && { ...route, access: 'authenticated' as const }
  const id = advise('token_use', { claims: { token_use: 'id' }, route: open })
  t.match(id, /send the access token .*write access: \{tokenUse: id\} for route strict/)
  t.match(advise('credential_missing'), /\(or the cookie tok, query parameter token\)/)
})

t.test('keys, ingresses and routes are named', async (t) => {
  const keys = advise('keys_unavailable', { keyProblem: 'no answer' })
  t.match(keys, /make https:\/\/cognito-idp\S+\/jwks\.json reachable from here \(no answer\)/)
  t.match(advise('route_not_found', { detail: RESERVED.detail }), /below \/_poolgate/)
  const bytes = advise('headers_too_large', { detail: '20000 bytes of identity headers' })
  t.match(bytes, /fewer groups, or take headers out of identityHeaders/)
  const nearest = {
    name: 'strict',
    path: '/*',
    kind: 'method',
    why: 'it takes GET',
    faults: 1,
  } as const
  t.match(advise('route_not_found', { nearest }), /to match\.methods of route strict.*it takes GET/)
})
