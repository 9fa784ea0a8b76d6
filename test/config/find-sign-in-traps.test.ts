// Sign-in that would go wrong in browsers: each trap is warned of where it is, and what comes near it is not.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { createConfigText } from '../support/config-text.ts'

interface Changes {
  readonly session?: Readonly<Record<string, unknown>>
  readonly more?: readonly object[]
  readonly route?: Readonly<Record<string, unknown>>
  readonly top?: string
  readonly env?: Readonly<Record<string, string>>
}

function warningsOf({
  session = {},
  more = [],
  route = {},
  top = '',
  env = {},
}: Changes): string[] {
  const web = {
    domain: 'https://a.auth.eu-west-1.amazoncognito.com',
    clientId: 'client',
    origins: ['https://app.example', 'http://localhost:8080'],
    keys: ['a secret of no less than 32 characters'],
    ...session,
  }
  const app = {
    name: 'app',
    match: { path: '/*' },
    access: 'authenticated',
    signIn: 'web',
    ...route,
  }
  const routes = [app, ...more].map((one) => ({ upstream: 'orders', ...one }))
  const text = createConfigText({
    top: `${top}\nsessions: ${JSON.stringify({ web })}`,
    routes: `routes: ${JSON.stringify(routes)}`,
  })
  const { warnings } = loadConfig(text, 'c.yaml', env)
  return warnings
    .filter(({ message }) => !message.endsWith('a route of its own to avoid that'))
    .map(({ path, message }) => `${path}: ${message}`)
}

t.test('what is as it should be is not warned of', async (t) => {
  t.strictSame(warningsOf({}), [])
})

t.test('a session that no route names', async (t) => {
  t.match(warningsOf({ route: { signIn: undefined } }), [/^sessions\.web: no route names this/])
})

t.test('a domain in another region than the user pool', async (t) => {
  for (const label of ['auth', 'auth-fips']) {
    const domain = `https://a.${label}.us-east-1.amazoncognito.com`
    t.match(warningsOf({ session: { domain } }), [/^sessions\.web\.domain: is in another region/])
  }
  for (const domain of [
    'https://a.auth-fips.eu-west-1.amazoncognito.com',
    'https://login.example',
    'https://auth.us-east-1.amazoncognito.com.example',
  ]) {
    t.strictSame(warningsOf({ session: { domain } }), [], domain)
  }
})

const BYE = { name: 'bye', match: { path: '/bye' }, access: 'public' }

t.test('a path after sign-out that asks to sign in', async (t) => {
  const session = { signedOut: '/bye' }
  const trap = [/^sessions\.web\.signedOut: a route with signIn answers this path/]
  t.match(warningsOf({ session }), trap)
  t.match(warningsOf({ session, more: [{ ...BYE, match: { path: '/bye/*' } }] }), trap)
  // At one of two origins.
  const elsewhere = { ...BYE, match: { path: '/bye', hosts: ['app.example'] } }
  t.match(warningsOf({ session, more: [elsewhere] }), trap)
  t.strictSame(warningsOf({ session, more: [BYE] }), [])
  t.strictSame(warningsOf({ session, route: { match: { path: '/app/*' } } }), [])
  t.strictSame(warningsOf({ session: { signedOut: '/_poolgate/signed-out' } }), [])
  const top = 'pathPrefix: /gate'
  t.strictSame(warningsOf({ top, session: { signedOut: '/gate/signed-out' } }), [])
  t.match(warningsOf({ top, session: { signedOut: '/_poolgate/signed-out' } }), trap)
})

t.test('a host at which nobody is sent to sign in', async (t) => {
  const at = (...hosts: string[]) => warningsOf({ route: { match: { path: '/*', hosts } } })
  t.strictSame(at('app.example', 'localhost', 'APP.example.'), [])
  t.strictSame(at('*.example'), [])
  t.match(at('app.example', 'api.example'), [
    /^routes\[0\]\.match\.hosts\[1\]: none of the origins .* has this host/,
  ])
  t.match(at('*.app.example'), [/hosts\[0\]: none of the origins/])
  const route = { signIn: undefined, match: { path: '/*', hosts: ['api.example'] } }
  const other = { name: 'web', match: { path: '/web' }, access: 'authenticated', signIn: 'web' }
  t.strictSame(warningsOf({ route, more: [other] }), [])
})

t.test('a claim that the access token of a session does not have', async (t) => {
  const claims = {
    email: 'ada@example.com',
    'custom:tenant': 'acme',
    sub: '1',
    client_id: 'client',
  }
  const trap = [
    /^routes\[0\]\.access\.claims\.email: access tokens do not have this claim/,
    /^routes\[0\]\.access\.claims\["custom:tenant"\]: access tokens do not have this claim/,
  ]
  t.match(warningsOf({ route: { access: { claims } } }), trap)
  t.match(warningsOf({ route: { access: { claims, tokenUse: 'any' } } }), trap)
  t.strictSame(warningsOf({ route: { access: { claims, tokenUse: 'id' } } }), [])
  const route = { access: { claims }, signIn: undefined }
  const other = { name: 'web', match: { path: '/web' }, access: 'authenticated', signIn: 'web' }
  t.strictSame(warningsOf({ route, more: [other] }), [])
})

t.test('no warning tells a value that was substituted', async (t) => {
  const from = (name: string) => `\${${name}}`
  const warnings = warningsOf({
    session: { domain: from('DOMAIN'), signedOut: from('BYE') },
    route: { match: { path: '/*', hosts: [from('HOST'), 'app.example'] } },
    env: {
      DOMAIN: 'https://s3cr3t.auth.us-east-1.amazoncognito.com',
      BYE: '/s3cr3t',
      HOST: 's3cr3t.example',
    },
  })
  t.equal(warnings.length, 3)
  t.notMatch(warnings.join('\n'), 's3cr3t')
})
