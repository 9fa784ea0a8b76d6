// The configurations that dev runs: the demo's loads without a word, and another's keeps all but pools and addresses.
import t from 'tap'
import { toDemoConfig, withDevPool } from '../../src/cli/dev-config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { findRouteProblems } from '../../src/gateway.ts'
import { createConfigText } from '../support/config-text.ts'

const POOL = {
  userPoolId: 'local_devpool',
  clientId: 'the-client',
  issuer: 'http://127.0.0.1:1/local_devpool',
  jwksUri: 'http://127.0.0.1:1/local_devpool/.well-known/jwks.json',
}
const ADDRESSES = { port: 8080, adminPort: 0 }

t.test('the demo configuration is free of problems and warnings', async (t) => {
  const text = toDemoConfig(POOL, 'http://127.0.0.1:9', ADDRESSES)
  const loaded = loadConfig(text, '(demo)', {})
  t.same(loaded.warnings, [])
  t.same(findRouteProblems(loaded), [])
  t.match(loaded.config, {
    listen: { address: { kind: 'tcp', host: '127.0.0.1', port: 8080 } },
    admin: { address: { kind: 'tcp', host: '127.0.0.1', port: 0 } },
    userPools: { dev: { issuer: [POOL.issuer], jwksUri: POOL.jwksUri, clientIds: ['the-client'] } },
    upstreams: { demo: { targets: ['http://127.0.0.1:9'] } },
  })
})

t.test('in a given configuration every pool becomes the dev pool, on loopback', async (t) => {
  const text = createConfigText({ top: 'listen: 0.0.0.0:443\ntrustedProxies: [10.0.0.0/8]' })
  const given = loadConfig(text, 'c.yaml', {})
  const { config } = withDevPool(given, POOL, ADDRESSES)
  t.same(config.listen, { address: { kind: 'tcp', host: '127.0.0.1', port: 8080 } })
  t.same(config.admin, { address: { kind: 'tcp', host: '127.0.0.1', port: 0 } })
  t.match(config.userPools.main, {
    issuer: [POOL.issuer],
    jwksUri: POOL.jwksUri,
    clientIds: [POOL.clientId],
    jwksRefreshMs: 300_000,
  })
  t.same(config.routes, given.config.routes)
  t.same(config.trustedProxies, ['10.0.0.0/8'])
  t.same(given.config.userPools.main?.clientIds, ['client'], 'what was given stays as it was')
})
