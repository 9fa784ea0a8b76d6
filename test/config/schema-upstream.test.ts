// Upstreams: one plain origin, bounded connections and time-outs.
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

t.test('there is exactly one target for now', async (t) => {
  for (const targets of ['[]', '[http://a, http://b]']) {
    t.match(problems(`{targets: ${targets}}`), [
      /^upstreams\.orders\.targets: expected exactly one/,
    ])
  }
  t.match(problems('{}'), [/^upstreams\.orders\.targets: is required/])
  t.match(problems('{targets: http://a}'), [/targets: expected a list with one origin, found text/])
})

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
