// The few warnings: each where it belongs, and none beside it.
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { createConfigText } from '../support/config-text.ts'

function warningsOf(parts: Parameters<typeof createConfigText>[0]) {
  const { warnings } = loadConfig(createConfigText(parts), 'c.yaml', {})
  return warnings.map(({ path, message }) => `${path}: ${message}`)
}

function routes(...lines: string[]) {
  const text = lines.map((line, index) => `  - { name: r${index}, upstream: orders, ${line} }`)
  return { routes: ['routes:', ...text].join('\n') }
}

t.test('trusting everybody is warned of, trusting many is not', async (t) => {
  t.match(warningsOf({ top: 'trustedProxies: [10.0.0.0/8, 0.0.0.0/0, "::/0"]' }), [
    /^trustedProxies\[1\]/,
    /^trustedProxies\[2\]/,
  ])
  t.strictSame(warningsOf({ top: 'trustedProxies: [0.0.0.0/1, "::/1"]' }), [])
})

t.test('accepting every app client is warned of', async (t) => {
  const userPools = 'userPools: {main: {userPoolId: eu-west-1_A, clientIds: any}}'
  t.match(warningsOf({ userPools }), [/^userPools\.main\.clientIds/])
})

t.test('capitals in a protected path are warned of', async (t) => {
  t.match(warningsOf(routes('match: {path: /Admin/*}, access: authenticated')), [/match\.path/])
  t.strictSame(warningsOf(routes('match: {path: /Assets/*}, access: public')), [])
  t.strictSame(warningsOf(routes('match: {path: /admin/*}, access: authenticated')), [])
})

t.test('a protected route whose other methods go to a weaker one is warned of', async (t) => {
  const strong = 'match: {path: /admin/*, methods: [GET]}, access: {groups: {anyOf: [admins]}}'
  t.match(warningsOf(routes(strong, 'match: {path: /*}, access: authenticated')), [
    /^routes\[0\]\.match\.methods: .* route r0 .* route r1/,
  ])
})

t.test(
  'an exact path whose last-slash twin belongs to a stricter route is warned of',
  async (t) => {
    const all = 'match: {path: /*}, access: authenticated'
    t.match(warningsOf(routes('match: {path: /health}, access: public', all)), [
      /^routes\[0\]\.match\.path: .*route r1 too.*\/health\/ a route of its own/,
    ])
    for (const others of [
      ['match: {path: /health}, access: public', 'match: {path: /health/}, access: public', all],
      ['match: {path: /health}, access: authenticated', all],
      ['match: {path: /public/*}, access: public', all],
      ['match: {path: /health}, access: public', 'match: {path: /api/*}, access: authenticated'],
    ]) {
      t.strictSame(warningsOf(routes(...others)), [], others.join(' | '))
    }
  },
)
