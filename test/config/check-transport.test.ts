// Settings of how an upstream is spoken to that would mean nothing beside others.
import t from 'tap'
import { checkTransport } from '../../src/config/check-transport.ts'

const check = (upstream: Record<string, unknown>) => checkTransport(['upstreams', 'up'], upstream)

t.test('an engine beside http2 would mean nothing', async (t) => {
  t.same(check({ http2: true }), [])
  t.same(check({ http2: true, engine: 'lean' }), [], 'the default, as it is printed')
  t.same(check({ http2: false, engine: 'undici' }), [])
  t.match(check({ http2: true, engine: 'undici' }), [{ path: ['upstreams', 'up', 'engine'] }])
})

t.test('tls without an https target would mean nothing', async (t) => {
  const tls = { serverName: 'a.test' }
  t.same(check({ tls, targets: ['http://a', 'https://b'] }), [])
  t.same(check({ tls, discover: { dns: 'https://a:8443' } }), [])
  t.same(check({ tls, discover: { ec2: { scheme: 'https' } } }), [])
  t.same(check({ tls, targets: 5 }), [], 'a problem of its own')
  const found = [{ path: ['upstreams', 'up', 'tls'] }]
  t.match(check({ tls, targets: ['http://a', 'unix:/b'] }), found)
  t.match(check({ tls, discover: { srv: 'http://_a._tcp.b' } }), found)
  t.match(check({ tls, discover: { ec2: { scheme: 'http' } } }), found)
  t.match(check({ tls, discover: { ec2: {} } }), found, 'http is its default')
})
