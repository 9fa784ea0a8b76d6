// Sessions, and the routes that name them: every contradiction is found at load, and what fits is not.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { createConfigText, messagesOf } from '../support/config-text.ts'

const KEY = 'a secret of no less than 32 characters'

const SESSION = {
  domain: 'https://a.example',
  clientId: 'client',
  origins: ['https://app.example'],
  keys: [KEY],
}

interface Changes {
  readonly session?: Readonly<Record<string, unknown>>
  readonly more?: string
  readonly access?: string
  readonly pools?: string
  readonly signIn?: string
}

function toText({
  session = {},
  more = '',
  access = 'authenticated',
  pools = '',
  signIn = 'web',
}: Changes = {}) {
  return createConfigText({
    top: `sessions:
  web: ${JSON.stringify({ ...SESSION, ...session })}
${more}`,
    ...(pools !== '' && { userPools: pools }),
    routes: `routes:
  - {name: all, match: {path: "/*"}, access: ${access}, signIn: ${signIn}, upstream: orders}`,
  })
}

const TWO_POOLS = `userPools:
  main: {userPoolId: eu-west-1_EXAMPLE01, clientIds: [client]}
  other: {userPoolId: eu-west-1_EXAMPLE02, clientIds: [client]}`

t.test('a session needs little, and has defaults for the rest', async (t) => {
  t.strictSame(messagesOf(toText()), [])
  const { web } = loadConfig(toText(), 'c.yaml', {}).config.sessions
  t.match(web, {
    scopes: ['openid', 'email', 'profile'],
    lifetimeMs: 12 * 3_600_000,
    idleMs: 3_600_000,
    refreshBeforeMs: 60_000,
  })
})

const BAD: readonly (readonly [what: string, changes: Changes, problem: RegExp])[] = [
  ['no openid', { session: { scopes: ['email'] } }, /scopes: needs openid/],
  ['a short key', { session: { keys: ['k'.repeat(31)] } }, /keys\.?\[?0.*at least 32/],
  [
    'a foreign client',
    { session: { clientId: 'other' } },
    /clientId: is none of userPools\.main\.clientIds/,
  ],
  [
    'an unknown pool',
    { session: { userPool: 'mian' } },
    /userPool: there is no user pool of this name.*main/,
  ],
  ['no pool among two', { pools: TWO_POOLS, access: '{userPool: main}' }, /userPool: is required/],
  [
    'another pool than the route',
    { pools: TWO_POOLS, session: { userPool: 'main' }, access: '{userPool: other}' },
    /signIn: signs in users of another/,
  ],
  ['an unknown session', { signIn: 'wbe' }, /signIn: there is no session of this name.*web/],
  ['a public route', { access: 'public' }, /signIn: has no effect on a public route/],
  ['a plain origin', { session: { origins: ['http://app.example'] } }, /origins.*https origin/],
  [
    'an origin with a path',
    { session: { origins: ['https://app.example/x'] } },
    /origins.*https origin/,
  ],
  ['a plain domain', { session: { domain: 'http://login.example' } }, /domain: .*https URL/],
  ...[
    'https://cognito-idp.eu-west-1.amazonaws.com',
    'https://cognito-idp-fips.us-east-1.amazonaws.com',
    'https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01',
  ].map((domain): (typeof BAD)[number] => [
    `the API at ${domain}`,
    { session: { domain } },
    /^sessions\.web\.domain: is where the user pool's API and keys are.*$/,
  ]),
  [
    'a domain with a path',
    { session: { domain: 'https://login.example/oauth2/authorize' } },
    /^sessions\.web\.domain: must not have a path.*$/,
  ],
  [
    'two ways past the first page',
    { session: { identityProvider: 'CorpAD', idpIdentifier: 'corp.example' } },
    /idpIdentifier: says the same as identityProvider/,
  ],
  ['a cookie without its prefix', { session: { cookie: 'session' } }, /cookie: .*__Host-/],
  ['a store without a place', { session: { store: {} } }, /store: expected either url or cluster/],
  [
    'a store in two places',
    { session: { store: { url: 'redis://a', cluster: ['redis://b'] } } },
    /store: expected either/,
  ],
  ...['redis://:%zz@a', 'redis://a:99999', 'redis://[::1', 'redis://:pw@', 'redis://a/b'].map(
    (url): (typeof BAD)[number] => [
      `a store at ${url}`,
      { session: { store: { url } } },
      /store\.url: expected a redis:\/\/ or rediss:\/\/ URL/,
    ],
  ),
  [
    'a name whose cookie has another use',
    { more: `  turns: ${JSON.stringify(SESSION)}` },
    /sessions\.turns\.cookie: has to be another one/,
  ],
  [
    'a cookie that looks like an attempt',
    { session: { cookie: '__Host-poolgate-attempt-' } },
    /sessions\.web\.cookie: has to be another one/,
  ],
  [
    'the cookie of a part',
    { session: { cookie: '__Host-app.1' } },
    /cookie: must not end in a dot and a number/,
  ],
  [
    'a cluster with TLS in part',
    { session: { store: { cluster: ['rediss://a', 'redis://b'] } } },
    /store: expected all nodes of the cluster with rediss/,
  ],
  [
    'a cookie twice',
    { more: `  b: ${JSON.stringify({ ...SESSION, cookie: '__Host-poolgate-web' })}` },
    /sessions\.b\.cookie: is the cookie of session web/,
  ],
  [
    'providers of an access token',
    { access: '{providers: {anyOf: [Google]}}' },
    /providers: needs tokenUse: id/,
  ],
  ['a refresh as soon as it can be', { session: { refreshBefore: '241s' } }, /refreshBefore: .*4m/],
  ['an empty acr', { access: '{acr: []}' }, /acr: expected at least one/],
  ['amr that asks for nothing', { access: '{amr: {}}' }, /amr: expected anyOf, allOf or noneOf/],
  ['no time at all', { access: '{maxAuthAge: 0s}' }, /maxAuthAge: must be at least 1s/],
]

t.test('what cannot work is refused', async (t) => {
  for (const [what, changes, problem] of BAD) {
    t.match(messagesOf(toText(changes)).join('\n'), problem, what)
  }
})

t.test('what comes near it is not', async (t) => {
  for (const changes of [
    { session: { scopes: ['openid'] } },
    { session: { cookie: '__Host-app' } },
    { session: { cookie: '__Host-app.one' } },
    { session: { store: { cluster: ['rediss://a', 'rediss://b:7000'] } } },
    { session: { store: { url: 'rediss://user:p%40w@cache:6380/2' } } },
    { session: { store: { cluster: ['redis://[::1]:6379', 'redis://a'] } } },
    { session: { signedOut: '/bye' } },
    { session: { domain: 'https://login.example/' } },
    { session: { domain: 'https://my-cognito-idp.example.com' } },
    { session: { refreshBefore: '4m' } },
    { session: { identityProvider: 'CorpAD' } },
    { session: { idpIdentifier: 'corp.example' } },
    { access: '{tokenUse: id, providers: {anyOf: [Google]}}' },
    { access: '{acr: [urn:cognito:loa:4], amr: {anyOf: [mfa]}, maxAuthAge: 1s}' },
    { pools: TWO_POOLS, session: { userPool: 'main' }, access: '{userPool: main}' },
  ]) {
    t.strictSame(messagesOf(toText(changes)), [], JSON.stringify(changes))
  }
})
