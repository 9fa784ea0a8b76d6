// What an ingress adds, and what it removes, leaves no field of a client's that could pass for Poolgate's (catalogue row F-07).
import t from 'tap'
import {
  namesToRemove,
  toCookieFields,
  toIdentityFields,
} from '../../src/external-auth/verdict-fields.ts'
import { compileOwnedHeaders } from '../../src/http/headers.ts'
import type { Allow } from '../../src/policy/decision.ts'
import type { Ruleset } from '../../src/proxy/ruleset.ts'
import type { SignIn } from '../../src/session/sign-in.ts'
import type { Principal } from '../../src/policy/principal.ts'

const identityHeaders = ['x-auth-subject', 'x-auth-email', 'x-tenant']
const cookies = (isSignIn: boolean): Pick<Ruleset, 'signIns' | 'isOwnCookie'> => ({
  signIns: new Map(isSignIn ? [['web', {} as SignIn]] : []),
  isOwnCookie: (name) => name.startsWith('__Host-poolgate-'),
})
const owned = {
  identityHeaders,
  ownerOf: compileOwnedHeaders(identityHeaders),
  ...cookies(false),
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

t.test('Poolgate’s own cookies are taken out where browsers sign in, and only there', async (t) => {
  const cookieOf = (...lines: string[]) =>
    toCookieFields(
      { headers: lines.flatMap((line) => ['Cookie', line]) },
      allow(false),
      cookies(true),
    )
  t.same(cookieOf(), [])
  t.same(cookieOf('a=b; c=d'), ['cookie', 'a=b; c=d'])
  t.same(cookieOf('a=b; __Host-poolgate-web=1.x', 'c=d; __Host-poolgate-attempt-1=x'), [
    'cookie',
    'a=b; c=d',
  ])
  t.same(cookieOf('__Host-poolgate-web=1.x'), ['cookie', ''])
  const headers = ['Cookie', '__Host-poolgate-web=1.x']
  t.same(toCookieFields({ headers }, allow(false), cookies(false)), [])
})

t.test('a Cookie field of which nothing is left is removed', async (t) => {
  const isRemoved = (line: string, isSignIn: boolean) =>
    namesToRemove({ headers: ['Cookie', line] }, allow(false), {
      ...owned,
      ...cookies(isSignIn),
    }).includes('cookie')
  t.equal(isRemoved('__Host-poolgate-web=1.x', true), true)
  t.equal(isRemoved('a=b; __Host-poolgate-web=1.x', true), false)
  t.equal(isRemoved('__Host-poolgate-web=1.x', false), false, 'nobody signs in here')
})
