// Upstreams: plain origins, bounded connections and time-outs.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { createConfigText, messagesOf } from '../support/config-text.ts'

function textFor(settings: string) {
  return createConfigText({ upstreams: `upstreams:\n  orders: ${settings}` })
}

const problems = (settings: string) => messagesOf(textFor(settings))

t.test('a target is brought to its plain origin', async (t) => {
  const { config } = loadConfig(textFor('{targets: ["http://Orders:80/"]}'), 'c.yaml', {})
  t.strictSame(config.upstreams.orders?.targets, ['http://orders'])
})

t.test('there is one target at least, and each is named once', async (t) => {
  const several = loadConfig(textFor('{targets: [http://a, http://b, "https://a"]}'), 'c.yaml', {})
  t.equal(several.config.upstreams.orders?.targets.length, 3)
  t.match(problems('{targets: []}'), [/^upstreams\.orders\.targets: expected a list of origins/])
  t.match(problems('{targets: [http://a, http://A:80]}'), [
    /targets\[1\]: is the same as targets\[0\]/,
  ])
  t.match(problems('{}'), [/^upstreams\.orders\.targets: is required/])
  t.match(problems('{targets: http://a}'), [/targets: expected a list of origins.*, found text/])
})

t.test(
  'how requests are divided is one of three words, and what a hash goes by a name',
  async (t) => {
    const settings = '{targets: [http://a], balance: hash, hashOn: X-Tenant}'
    const { config } = loadConfig(textFor(settings), 'c.yaml', {})
    t.match(config.upstreams.orders, { balance: 'hash', hashOn: 'x-tenant' })
    t.match(problems('{targets: [http://a], balance: least-request}'), [
      /balance: expected one of least-requests, round-robin, hash.*did you mean/i,
    ])
    t.match(problems('{targets: [http://a], balance: hash, hashOn: "x tenant"}'), [
      /hashOn: expected subject, or/,
    ])
  },
)

t.test('a target has no path, query or user name', async (t) => {
  for (const target of ['http://a/x', 'http://a?x', 'http://u@a', 'a:80', 'ws://a', '']) {
    t.match(
      problems(`{targets: ["${target}"]}`),
      [/targets\[0\]: expected an http or https origin/],
      target,
    )
  }
})

t.test('times and counts are bounded on both sides', async (t) => {
  for (const [key, fits, breaks] of [
    ['timeouts.connect', ['1ms', '1h'], ['0s', '61m']],
    ['timeouts.response', ['1ms', '1h'], ['0s', '61m']],
    ['timeouts.idle', ['1ms', '24h'], ['0s', '25h']],
    ['timeouts.queue', ['1ms', '1h'], ['0s', '61m']],
    ['ejection.failures', ['0', '1000'], ['-1', '1001']],
    ['ejection.time', ['1ms', '30s'], ['0s', '61m']],
    ['ejection.maxTime', ['10s', '1h'], ['0s', '61m']],
    ['keepAlive', ['1ms', '1h'], ['0s', '61m']],
    ['connections', ['1', '100000'], ['0', '100001', '"5"']],
    ['queue', ['0', '1000000'], ['-1', '1000001']],
  ] as const) {
    const settings = (value: string) => {
      const [section, inner] = key.split('.')
      const given =
        inner === undefined ? `${section}: ${value}` : `${section}: {${inner}: ${value}}`
      return problems(`{targets: [http://a], ${given}}`)
    }
    for (const value of fits) t.strictSame(settings(value), [], `${key} ${value}`)
    for (const value of breaks)
      t.match(settings(value)[0], `upstreams.orders.${key}: `, `${key} ${value}`)
  }
})

t.test('a target may be a socket, by its absolute path', async (t) => {
  const { config } = loadConfig(textFor('{targets: ["unix:/run/a.sock"]}'), 'c.yaml', {})
  t.strictSame(config.upstreams.orders?.targets, ['unix:/run/a.sock'])
  for (const target of ['unix:a.sock', 'unix:', `unix:/${'a'.repeat(103)}`])
    t.match(problems(`{targets: ["${target}"]}`), [/targets\[0\]: expected an http/], target)
})

t.test('tls says something, and a certificate comes with its key', async (t) => {
  const withTls = (tls: string) => problems(`{targets: ["https://a"], tls: ${tls}}`)
  t.strictSame(withTls('{serverName: b.test}'), [])
  t.strictSame(withTls('{ca: /a, cert: /b, key: /c}'), [])
  t.match(withTls('{}'), [/tls: expected ca, cert and key, or serverName/])
  t.match(withTls('{cert: /b}'), [/tls: cert and key are needed together/])
  t.match(withTls('{key: /b}'), [/tls: cert and key are needed together/])
  t.match(withTls('{serverName: "b.test:443"}'), [/serverName: expected a host name/])
  t.match(withTls('{ca: /a, insecureSkipVerify: true}'), [/unknown key/])
})

t.test('health names a path, and has its times and numbers in order', async (t) => {
  const { config } = loadConfig(
    textFor('{targets: [http://a], health: {path: /healthz, status: [200-204, 304]}}'),
    'c.yaml',
    {},
  )
  t.strictSame(config.upstreams.orders?.health, {
    path: '/healthz',
    host: undefined,
    intervalMs: 5_000,
    timeoutMs: 2_000,
    healthy: 2,
    unhealthy: 3,
    status: [
      [200, 204],
      [304, 304],
    ],
  })
  for (const [health, problem] of [
    ['{}', /health\.path: is required/],
    ['{path: healthz}', /health\.path: expected a path that begins with \//],
    ['{path: /a b}', /health\.path: expected a path/],
    ['{path: /, interval: 99ms}', /health\.interval: must be at least 100ms/],
    ['{path: /, timeout: 5s}', /health\.timeout: must be less than interval, which is 5s/],
    ['{path: /, interval: 2s}', /health\.interval: must be more than timeout, which is 2s/],
    ['{path: /, status: [99]}', /status\[0\]: expected a whole number from 100 to 599/],
    ['{path: /, status: [600]}', /status\[0\]: expected a whole number from 100 to 599/],
    ['{path: /, status: [true]}', /status\[0\]: expected a status such as 204/],
    ['{path: /, status: [299-200]}', /status\[0\]: expected a status/],
    ['{path: /, status: [600-700]}', /status\[0\]: expected a status/],
    ['{path: /, status: []}', /status: expected at least one status/],
    ['{path: /, healthy: 0}', /healthy: expected a whole number from 1 to 100/],
  ] as const) {
    t.match(problems(`{targets: [http://a], health: ${health}}`).join(), problem, health)
  }
})
