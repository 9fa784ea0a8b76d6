// The configurations that dev runs: the demo's loads without a word, and another's keeps all but pools and addresses.
import t from 'tap'
import { toDemoConfig, withDevPool } from '../../src/cli/dev-config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { findRouteProblems } from '../../src/gateway.ts'
import { createConfigText } from '../support/config-text.ts'

const POOL = {
  userPoolId: 'local_devpool',
  clientId: 'the-client',
  webClientId: 'the-web-client',
  origin: 'http://127.0.0.1:1',
  issuer: 'http://127.0.0.1:1/local_devpool',
  jwksUri: 'http://127.0.0.1:1/local_devpool/.well-known/jwks.json',
  identityPool: {
    id: 'eu-west-1:0de00001-0000-4000-8000-000000000001',
    loginKey: 'cognito-idp.eu-west-1.amazonaws.com/local_devpool',
  },
  scopes: () => ['openid', 'email', 'profile', 'orders/read', 'orders/write'],
  hasProvider: (name: string) => name === 'Google',
}
const UPSTREAMS = {
  demo: { origin: 'http://127.0.0.1:9' },
  files: { origin: 'http://127.0.0.1:7', region: 'eu-west-1', bucket: 'dev-files' },
}
const ADDRESSES = { port: 8080, adminPort: 0, verbose: false }

t.test('the demo configuration is free of problems and warnings', async (t) => {
  const text = toDemoConfig(POOL, UPSTREAMS, ADDRESSES)
  const loaded = loadConfig(text, '(demo)', {})
  t.same(loaded.warnings, [])
  t.same(findRouteProblems(loaded), [])
  t.match(loaded.config, {
    listen: { address: { kind: 'tcp', host: '127.0.0.1', port: 8080 } },
    admin: { address: { kind: 'tcp', host: '127.0.0.1', port: 0 } },
    userPools: {
      dev: {
        issuer: [POOL.issuer],
        jwksUri: POOL.jwksUri,
        clientIds: ['the-client', 'the-web-client'],
      },
    },
    identityPools: {
      main: {
        identityPoolId: POOL.identityPool.id,
        loginKey: POOL.identityPool.loginKey,
        endpoint: POOL.origin,
        stsEndpoint: POOL.origin,
        guests: true,
      },
    },
    upstreams: {
      demo: { targets: ['http://127.0.0.1:9'] },
      files: { aws: { service: 's3', bucket: 'dev-files', endpoint: 'http://127.0.0.1:7' } },
    },
    log: { level: 'warn', access: 'none' },
  })
})

t.test('in a given configuration every pool becomes the dev pool, on loopback', async (t) => {
  const text = createConfigText({ top: 'listen: 0.0.0.0:443\ntrustedProxies: [10.0.0.0/8]' })
  const given = loadConfig(text, 'c.yaml', {})
  const { config } = withDevPool(given, POOL, ADDRESSES)
  t.same(config.listen, { address: { kind: 'tcp', host: '127.0.0.1', port: 8080 }, http2: false })
  t.same(config.admin, { address: { kind: 'tcp', host: '127.0.0.1', port: 0 } })
  t.match(config.userPools.main, {
    issuer: [POOL.issuer],
    jwksUri: POOL.jwksUri,
    clientIds: [POOL.clientId, POOL.webClientId],
    jwksRefreshMs: 300_000,
  })
  t.same(config.routes, given.config.routes)
  t.same(config.trustedProxies, ['10.0.0.0/8'])
  t.same(given.config.userPools.main?.clientIds, ['client'], 'what was given stays as it was')
})

t.test(
  'browsers sign in at the dev pool, at the addresses of this gateway, and with secrets of their own',
  async (t) => {
    const text = createConfigText({
      top: `sessions:
  web:
    domain: https://a.auth.eu-west-1.amazoncognito.com
    clientId: client
    clientSecret: secret
    origins: [https://app.example.com, 'http://localhost:8000']
    keys: [${'k'.repeat(32)}]
    resource: https://api.example.com
    signedOut: /bye`,
      routes: `routes: [{name: a, match: {path: /*}, access: authenticated, signIn: web, upstream: orders}]`,
    })
    const { config } = withDevPool(loadConfig(text, 'c.yaml', {}), POOL, ADDRESSES)
    t.match(config.sessions.web, {
      domain: POOL.origin,
      clientId: POOL.webClientId,
      clientSecret: undefined,
      resource: undefined,
      // The last one is an ingress's, which may ask this gateway.
      origins: ['http://localhost:8080', 'http://127.0.0.1:8080', 'http://localhost:8000'],
      signedOut: '/bye',
    })
    const keysOf = () =>
      loadConfig(toDemoConfig(POOL, UPSTREAMS, ADDRESSES), 'd', {}).config.sessions.dev?.keys
    t.not(keysOf()?.[0], keysOf()?.[0])
  },
)

t.test('what the dev pool would refuse to sign in for is left out, with a word', async (t) => {
  const loadWith = (settings: string) => {
    const text = createConfigText({
      top: `sessions:
  web:
    domain: https://a.auth.eu-west-1.amazoncognito.com
    clientId: client
    origins: [https://app.example.com]
    keys: [${'k'.repeat(32)}]
    ${settings}`,
      routes: `routes: [{name: a, match: {path: /*}, access: authenticated, signIn: web, upstream: orders}]`,
    })
    const { config, warnings } = withDevPool(loadConfig(text, 'c.yaml', {}), POOL, ADDRESSES)
    return { session: config.sessions.web, warnings }
  }
  const scopes = loadWith('scopes: [openid, a/b, orders/read, c/d]')
  t.strictSame(scopes.session?.scopes, ['openid', 'orders/read'])
  t.match(scopes.warnings, [
    { path: 'sessions.web.scopes', line: 8, message: /left out.*a\/b, c\/d; the users file/ },
  ])
  for (const key of ['identityProvider', 'idpIdentifier'] as const) {
    const other = loadWith(`${key}: Okta`)
    t.equal(other.session?.[key], undefined)
    t.match(other.warnings, [{ path: `sessions.web.${key}`, message: /left out.*Okta/ }])
    const played = loadWith(`${key}: Google`)
    t.equal(played.session?.[key], 'Google')
    t.strictSame(played.warnings, [])
  }
})

t.test('several pools become one, which every route accepts', async (t) => {
  const text = createConfigText({
    userPools: `userPools:
  staff: {userPoolId: eu-west-1_A, clientIds: [a], clockTolerance: 5s, resource: https://api.example}
  partners: {userPoolId: eu-west-1_B, clientIds: [b]}`,
    routes: `routes:
  - {name: s, match: {path: /s/*}, access: {userPool: staff, groups: {anyOf: [x]}}, upstream: orders}
  - {name: p, match: {path: /p/*}, access: {userPool: partners, tokenUse: id}, upstream: orders}
  - {name: a, match: {path: /a/*}, access: authenticated, upstream: orders}`,
  })
  const given = loadConfig(text, 'c.yaml', {})
  const { config, warnings } = withDevPool(given, POOL, ADDRESSES)
  t.same(Object.keys(config.userPools), ['staff'])
  t.match(config.userPools.staff, { issuer: [POOL.issuer], clockToleranceMs: 5_000 })
  t.notHas(config.userPools.staff, { resource: ['https://api.example'] })
  t.same(
    config.routes.map(({ access }) => access),
    [{ tokenUse: 'access', groups: { anyOf: ['x'] } }, { tokenUse: 'id' }, 'authenticated'],
  )
  t.match(warnings, [
    { path: 'userPools', line: 2, message: /stands for all of them: staff, partners/ },
  ])
  t.same(given.warnings, [])
})

t.test(
  'identity pools become the one of the dev pool, and services stay where they are',
  async (t) => {
    const text = createConfigText({
      userPools: `userPools:
  staff: {userPoolId: eu-west-1_A, clientIds: [a]}
  partners: {userPoolId: eu-west-1_B, clientIds: [b]}
identityPools:
  ids:
    identityPoolId: us-east-2:01234567-89ab-cdef-0123-456789abcdef
    accountId: '123456789012'
    userPool: partners
    role: preferred`,
      upstreams: `upstreams:
  files: {aws: {service: s3, identityPool: ids, bucket: my-files}}
  local: {aws: {service: s3, identityPool: ids, region: eu-west-3, endpoint: 'http://127.0.0.1:1'}}
  own: {aws: {service: sqs, credentials: gateway, region: eu-west-3}}
  mine: {handOut: {identityPool: ids, clientIds: [b]}}`,
      routes: `routes:
  - {name: f, match: {path: /f/*}, access: {userPool: partners}, upstream: files}
  - {name: l, match: {path: /l/*}, access: {userPool: partners}, upstream: local}
  - {name: m, match: {path: /m, methods: [GET]}, access: {userPool: partners}, upstream: mine}
  - {name: o, match: {path: /o/*}, access: {userPool: partners}, upstream: own}`,
    })
    const given = loadConfig(text, 'c.yaml', {})
    const { config, warnings } = withDevPool(given, POOL, ADDRESSES)
    const { id: identityPoolId, loginKey } = POOL.identityPool
    t.match(config.identityPools.ids, { identityPoolId, loginKey, role: 'preferred' })
    t.match(config.identityPools.ids, { endpoint: POOL.origin, stsEndpoint: POOL.origin })
    t.notHas(config.identityPools.ids, 'userPool')
    t.notHas(config.identityPools.ids, 'accountId')
    const regions = Object.values(config.upstreams).map(({ aws }) => aws?.region)
    t.same(regions, ['us-east-2', 'eu-west-3', 'eu-west-3', undefined])
    t.same(config.upstreams.mine?.handOut?.clientIds, [POOL.clientId, POOL.webClientId])
    t.same(config.upstreams.local?.targets, given.config.upstreams.local?.targets)
    t.match(
      warnings.filter(({ path }) => path.startsWith('upstreams')),
      [{ path: 'upstreams.files.aws', message: /knows no credentials.*endpoint of an emulator/ }],
    )
  },
)

t.test('without a pool there is none, and nothing to say of it', async (t) => {
  const routes = 'routes: [{name: o, match: {path: /*}, access: public, upstream: orders}]'
  const given = loadConfig(createConfigText({ userPools: '', routes }), 'c.yaml', {})
  const { config, warnings } = withDevPool(given, POOL, ADDRESSES)
  t.same(config.userPools, {})
  t.same(warnings, [])
})

t.test('verbose logs requests and information', async (t) => {
  const settings = { ...ADDRESSES, verbose: true }
  const demo = loadConfig(toDemoConfig(POOL, UPSTREAMS, settings), '(demo)', {})
  t.same(demo.warnings, [])
  t.same(demo.config.log, { level: 'info', access: 'all' })
})

t.test('the log of a given configuration stays, and verbose only ever adds to it', async (t) => {
  for (const level of ['info', 'error']) {
    const log = `log: { level: ${level}, access: errors }`
    const given = loadConfig(createConfigText({ top: log }), 'c.yaml', {})
    t.same(withDevPool(given, POOL, ADDRESSES).config.log, { level, access: 'errors' })
    const verbose = withDevPool(given, POOL, { ...ADDRESSES, verbose: true })
    t.same(verbose.config.log, { level: 'info', access: 'all' })
  }
})
