// What an ingress adds, and what it removes, leaves no field of a client's that could pass for Poolgate's (catalogue row F-07).
import t from 'tap'
import {
  namesToRemove,
  toChangedCookieFields,
  toCookieFields,
  toIdentityFields,
} from '../../src/external-auth/verdict-fields.ts'
import { compileOwnedHeaders } from '../../src/http/headers.ts'
import { compileOwnCookies } from '../../src/http/own-cookies.ts'
import type { Allow } from '../../src/policy/decision.ts'
import type { Principal } from '../../src/policy/principal.ts'

const identityHeaders = ['x-auth-subject', 'x-auth-email', 'x-tenant']
const owned = {
  identityHeaders,
  ownerOf: compileOwnedHeaders(identityHeaders),
  isOwnCookie: compileOwnCookies([]),
}
const principal = {
  identityHeaders: ['x-auth-subject', 'a', 'x-tenant', 't'],
} as unknown as Principal
const allow = (forwardToken: boolean) =>
  ({ kind: 'allow', route: { forwardToken }, principal }) as unknown as Allow

t.test('every identity header is said, empty where there is nothing to say', async (t) => {
  t.same(toIdentityFields(owned, principal), [
    ...['x-auth-subject', 'a'],
    ...['x-auth-email', ''],
    ...['x-tenant', 't'],
  ])
  t.same(
    toIdentityFields(owned, undefined),
    identityHeaders.flatMap((name) => [name, '']),
  )
})

t.test(
  'names that are owned and not set are removed, in whatever spelling they came',
  async (t) => {
    const headers = [
      ...['X-Auth-Subject', 'x', 'X_Auth_Subject', 'x', 'X-Auth-Role', 'x', 'X-Tenant', 'x'],
      ...[
        'x_tenant',
        'x',
        'X%2DAuth',
        'x',
        'X-Amzn-Oidc-Identity',
        'x',
        'X-HTTP-Method-Override',
        'DELETE',
      ],
      ...['X-Forwarded-For', '1.2.3.4', 'Accept', '*/*', 'authorization', 'Bearer a'],
    ]
    t.same(namesToRemove({ headers }, allow(true), owned).sort(), [
      'x%2dauth',
      'x-amzn-oidc-identity',
      'x-auth-email',
      'x-auth-role',
      'x-http-method-override',
      'x_auth_subject',
      'x_tenant',
    ])
    t.same(namesToRemove({ headers: [] }, allow(false), owned), ['x-auth-email', 'authorization'])
    const nobody = { ...allow(true), principal: undefined }
    t.same(namesToRemove({ headers: [] }, nobody, owned), identityHeaders)
  },
)

/** Lines of a client's Cookie fields → what a service gets, and whether that is another. */
const COOKIES: readonly [lines: readonly string[], kept: string, isChanged: boolean][] = [
  [[], '', false],
  [[''], '', false],
  [['a=b; c=d'], 'a=b; c=d', false],
  [['a="b,c";c=;  d'], 'a="b,c";c=;  d', false],
  [['__Host-a=b', '__host-poolgate-web=1'], '__Host-a=b; __host-poolgate-web=1', false],
  [['a=b; __Host-poolgate-web=1.x; c=d'], 'a=b; c=d', true],
  [['a=b; __Host-poolgate-web=1.x', '__Host-poolgate-attempt-1=x; c=d'], 'a=b; c=d', true],
  [['__Host-poolgate-web.1=x', 'a=b'], 'a=b', true],
  [['__Host-poolgate-web=1.x'], '', true],
  [['a=b,__Host-poolgate-web=1.x; c=d, __Host-poolgate-web.1=y'], 'a=b; c=d', true],
]

t.test('what a service gets of the cookies is said of every request', async (t) => {
  for (const [lines, kept, isChanged] of COOKIES) {
    const facts = { headers: lines.flatMap((line) => ['Cookie', line]) }
    const about = lines.join(' + ')
    t.same(toCookieFields(facts, allow(true), owned), ['cookie', kept], about)
    const changed = toChangedCookieFields(facts, allow(true), owned)
    t.same(changed, isChanged ? ['cookie', kept] : [], about)
    const isRemoved = namesToRemove(facts, allow(true), owned).includes('cookie')
    t.equal(isRemoved, isChanged && kept === '', about)
  }
})

t.test('a token that the route keeps back goes with them', async (t) => {
  const facts = { headers: ['cookie', 'id=abc; a=b'] }
  const withToken = (forwardToken: boolean) =>
    ({ kind: 'allow', route: { forwardToken, places: { cookie: 'id' } } }) as unknown as Allow
  t.same(toCookieFields(facts, withToken(false), owned), ['cookie', 'a=b'])
  t.same(toChangedCookieFields(facts, withToken(false), owned), ['cookie', 'a=b'])
  t.same(toChangedCookieFields(facts, withToken(true), owned), [])
})
