// What an ingress adds, and what it removes, leaves no field of a client's that could pass for Poolgate's (catalogue row F-07).
import t from 'tap'
import { namesToRemove, toIdentityFields } from '../../src/external-auth/verdict-fields.ts'
import { compileOwnedHeaders } from '../../src/http/headers.ts'
import type { Allow } from '../../src/policy/decision.ts'
import type { Principal } from '../../src/policy/principal.ts'

const identityHeaders = ['x-auth-subject', 'x-auth-email', 'x-tenant']
const owned = { identityHeaders, ownerOf: compileOwnedHeaders(identityHeaders) }
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
