// Listener, limits and time-outs: what loads, what does not, each bound from both sides.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { createConfigText, messagesOf } from '../support/config-text.ts'

function load(top: string) {
  return loadConfig(createConfigText({ top }), 'c.yaml', {}).config
}

function problems(top: string) {
  return messagesOf(createConfigText({ top }))
}

t.test('HTTP/2 is on with TLS and off without, unless said otherwise', async (t) => {
  t.equal(load('listen: {address: 0.0.0.0:443, http2: true}').listen.http2, true)
  const tls = 'tls: {cert: /c, key: /k}'
  t.equal(load(`listen: {address: 0.0.0.0:443, http2: false, ${tls}}`).listen.http2, false)
  t.match(problems('listen: {address: 0.0.0.0:443, http2: h2c}'), [/^listen\.http2: expected true/])
  t.match(problems('admin: {address: 0.0.0.0:443, http2: true}'), [/^admin\.http2: unknown/])
})

t.test('a listener is an address, or a mapping with TLS', async (t) => {
  const address = { kind: 'tcp', host: '0.0.0.0', port: 443 }
  t.strictSame(load('listen: 0.0.0.0:443').listen, { address, http2: false })
  t.strictSame(load('listen: {address: 0.0.0.0:443, tls: {cert: /c, key: /k}}').listen, {
    address,
    tls: { cert: '/c', key: '/k' },
    http2: true,
  })
  t.strictSame(load('listen: unix:/run/p.sock').listen, {
    address: { kind: 'unix', path: '/run/p.sock' },
    http2: false,
  })
})

t.test('a half configured listener is refused', async (t) => {
  t.match(problems('listen: {tls: {cert: /c, key: /k}}'), [/^listen\.address: is required/])
  t.match(problems('listen: {address: 0.0.0.0:443, tls: {cert: /c}}'), [
    /^listen\.tls\.key: is required/,
  ])
  t.match(problems('listen: {adress: 0.0.0.0:443}'), [
    /^listen\.address: is required/,
    /^listen\.adress: .*"address"/,
  ])
  t.match(problems('listen: 8080'), [/^listen: expected an address .*, found a number/])
  t.match(problems('listen: [0.0.0.0:443]'), [/found a list/])
})

t.test('the admin listener can be switched off, in writing', async (t) => {
  t.equal(load('admin: none').admin, 'none')
  t.match(load('admin: {address: 127.0.0.1:0}').admin, { address: { port: 0 } })
  t.match(problems('admin: off'), [/^admin: /])
  t.match(problems('admin: false'), [/found a boolean/])
  t.match(problems('admin:'), [/found nothing/])
})

t.test('external authorization is answered nowhere, unless an address is given', async (t) => {
  const trusted = 'trustedProxies: [10.0.0.1]\n'
  t.equal(load('extAuthz: none').extAuthz, 'none')
  t.match(load(`${trusted}extAuthz: 127.0.0.1:0`).extAuthz, { address: { port: 0 } })
  t.match(problems(`${trusted}extAuthz: 127.0.0.1:8080`), [
    /^extAuthz: must be another address than listen/,
  ])
  t.match(problems('extAuthz: true'), [/^extAuthz: /])
})

t.test('trusted proxies are addresses and ranges', async (t) => {
  t.strictSame(load('trustedProxies: [10.0.0.0/8, 192.0.2.1, "FD00::/8"]').trustedProxies, [
    '10.0.0.0/8',
    '192.0.2.1/32',
    'FD00::/8',
  ])
  const unix = 'listen: unix:/tmp/s\ntrustedProxies: [unix]'
  t.strictSame(load(unix).trustedProxies, ['unix'])
  t.match(problems('trustedProxies: [10.0.0.0/33, proxy.example]'), [
    /^trustedProxies\[0\]: expected an address, a CIDR .*, or unix/,
    /^trustedProxies\[1\]/,
  ])
  t.match(problems('trustedProxies: 10.0.0.0/8'), [/expected a list of addresses/])
})

t.test('sizes and counts of limits are bounded on both sides', async (t) => {
  for (const [key, fits, breaks] of [
    ['headerBytes', ['9KiB', '1MiB'], ['1023B', '1048577B', '0B']],
    ['headerFields', ['1', '10000'], ['0', '10001', '-1', '1.5']],
    ['target', ['64B', '16KiB'], ['63B', '1048577B']],
    ['body', ['0B', '5GiB', 'none'], ['5', '5GB', 'null', 'unlimited']],
    ['connections', ['1', '1000000'], ['0', '1000001']],
    ['requestsPerConnection', ['1', '1000000000'], ['0', '1000000001']],
  ] as const) {
    for (const value of fits)
      t.strictSame(problems(`limits: {${key}: ${value}}`), [], `${key} ${value}`)
    for (const value of breaks) {
      t.match(problems(`limits: {${key}: ${value}}`)[0], `limits.${key}: `, `${key} ${value}`)
    }
  }
})

t.test("the client's time-outs are bounded on both sides", async (t) => {
  for (const [key, fits, breaks] of [
    ['headers', ['2001ms', '1h'], ['9ms', '3600001ms', '0s']],
    ['request', ['10001ms', '24h', 'none'], ['10s', '9ms', '25h', '0s']],
    ['idle', ['10ms', '24h'], ['9ms', '25h', 'none']],
    ['keepAlive', ['10ms', '1h'], ['9ms', '61m']],
    ['drain', ['0s', '1h'], ['61m']],
    ['tlsHandshake', ['10ms', '1h'], ['9ms', '61m']],
    ['checkInterval', ['10ms', '9999ms'], ['9ms', '61s']],
  ] as const) {
    for (const value of fits)
      t.strictSame(problems(`timeouts: {${key}: ${value}}`), [], `${key} ${value}`)
    for (const value of breaks) {
      t.match(problems(`timeouts: {${key}: ${value}}`)[0], `timeouts.${key}: `, `${key} ${value}`)
    }
  }
})

t.test('a request may take as long as it likes unless a time is given', async (t) => {
  t.notOk('requestMs' in load('timeouts: {request: none}').timeouts)
  t.equal(load('timeouts: {request: 5m}').timeouts.requestMs, 300_000)
})
