// poolgate routes: every route once, in match order, with its access in words.
import t from 'tap'
import { routes } from '../../src/cli/routes.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createTestContext } from '../support/command-context.ts'
import { createConfigText } from '../support/config-text.ts'

t.test('the most specific route comes first, whatever the file says', async (t) => {
  const text = createConfigText({
    top: `sessions:
  web: {domain: 'https://a.example', clientId: client, origins: ['https://a.example'], keys: [${'k'.repeat(32)}]}`,
    routes: `routes:
  - {name: all, match: {path: /*}, access: public, upstream: orders}
  - {name: api, match: {path: /api/*}, access: authenticated, signIn: web, upstream: orders}
  - name: admin
    match: {path: /api/admin, hosts: [a.example, b.example], methods: [GET, POST]}
    access:
      tokenUse: any
      groups: {anyOf: [admins], noneOf: [guests]}
      scopes: {allOf: [orders/read]}
      claims: {email_verified: true}
    upstream: orders`,
  })
  const { context, stdout, stderr } = createTestContext()
  t.equal(routes(loadConfig(text, 'c.yaml', {}).config, context), 0)
  const lines = stdout().split('\n')
  t.match(lines[0], /^NAME +METHODS +HOSTS +PATH +ACCESS +SIGN-IN +UPSTREAM$/)
  t.same(
    lines.slice(1, 4).map((line) => line.split(/ {2,}/)),
    [
      [
        'admin',
        'GET,POST',
        'a.example,b.example',
        '/api/admin',
        'any token, groups anyOf [admins], groups noneOf [guests], scopes allOf [orders/read], email_verified=true',
        '-',
        'orders',
      ],
      ['api', '*', '*', '/api/*', 'authenticated', 'web', 'orders'],
      ['all', '*', '*', '/*', 'public', '-', 'orders'],
    ],
  )
  t.equal(stderr(), '')
})
