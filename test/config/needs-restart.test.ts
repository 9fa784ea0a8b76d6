// Which changes wait for a restart, by the names of the settings; everything else is in force at once.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { needsRestart } from '../../src/config/needs-restart.ts'
import { createConfigText } from '../support/config-text.ts'

function load(top = '') {
  return loadConfig(createConfigText({ top }), 'c.yaml', {}).config
}

const STARTED = load()
const TLS = "address: '127.0.0.1:1', tls: {cert: /c, key: /k}"

t.test('each setting of sockets and servers is named', async (t) => {
  for (const [top = '', ...names] of [
    ['listen: 127.0.0.1:8081', 'listen.address'],
    [`listen: {${TLS}}`, 'listen.address', 'listen.tls'],
    ['listen: {address: "127.0.0.1:8080", http2: true}', 'listen.http2'],
    ['admin: none', 'admin.address'],
    [`admin: {${TLS}}`, 'admin.address', 'admin.tls'],
    ['limits: {headerBytes: 64KiB}', 'limits.headerBytes'],
    ['limits: {connections: 5}', 'limits.connections'],
    ['limits: {requestsPerConnection: 5}', 'limits.requestsPerConnection'],
    ['timeouts: {headers: 20s}', 'timeouts.headers'],
    ['timeouts: {request: 1m}', 'timeouts.request'],
    ['timeouts: {idle: 1m, keepAlive: 1m}', 'timeouts.keepAlive'],
    ['timeouts: {idle: 30s}', 'timeouts.idle'],
    ['timeouts: {drain: 1s}', 'timeouts.drain'],
    ['timeouts: {tlsHandshake: 1s}', 'timeouts.tlsHandshake'],
    ['timeouts: {checkInterval: 1s}', 'timeouts.checkInterval'],
    ['log: {level: warn}', 'log.level'],
  ]) {
    t.strictSame(needsRestart(STARTED, load(top)), names, top)
    t.strictSame(needsRestart(load(top), STARTED), names, `${top}, and back`)
  }
})

t.test('what a reload takes over is not named', async (t) => {
  for (const top of [
    '',
    'listen: {address: "127.0.0.1:8080"}',
    'limits: {headerFields: 5, target: 1KiB, body: 1MiB}',
    'log: {access: none}',
    'trustedProxies: [10.0.0.0/8]',
    'pathPrefix: /x',
    'tokenCache: {entries: 5}',
    'identityHeaders: {x-user: sub}',
  ]) {
    t.strictSame(needsRestart(STARTED, load(top)), [], top)
  }
})

t.test('every setting of the listeners and of the client’s side is one or the other', async (t) => {
  const taken = ['headerFields', 'targetBytes', 'body']
  const changed = (value: unknown) => (typeof value === 'number' ? value + 1 : 1)
  for (const section of ['limits', 'timeouts'] as const) {
    for (const [key, value] of Object.entries({ ...STARTED[section], requestMs: undefined })) {
      if (section === 'limits' && key === 'requestMs') continue
      const next = { ...STARTED, [section]: { ...STARTED[section], [key]: changed(value) } }
      t.equal(needsRestart(STARTED, next).length, taken.includes(key) ? 0 : 1, `${section}.${key}`)
    }
  }
})
