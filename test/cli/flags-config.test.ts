// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references look like that
// The file that flags stand for: it loads like any other, and nothing in a flag becomes more than text.
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { parse } from 'yaml'
import { CONFIG_FLAGS, loadFileOrFlags, missingFlags, toYaml } from '../../src/cli/flags-config.ts'
import { createConfigText } from '../support/config-text.ts'

const FLAGS = { userPoolId: 'eu-west-1_A', clientId: ['a', 'b'], upstream: 'http://127.0.0.1:9' }

t.test('three flags make a gateway with one protected route', async (t) => {
  t.strictSame(parse(toYaml(FLAGS, {})), {
    version: 1,
    userPools: { main: { userPoolId: 'eu-west-1_A', clientIds: ['a', 'b'] } },
    upstreams: { main: { targets: ['http://127.0.0.1:9'] } },
    routes: [{ name: 'all', match: { path: '/*' }, access: 'authenticated', upstream: 'main' }],
  })
  t.equal(loadFileOrFlags(undefined, FLAGS, {}).config.routes.length, 1)
})

t.test('every other flag has its place', async (t) => {
  const flags = {
    ...FLAGS,
    group: ['admins', 'operators'],
    tokenUse: 'id',
    listen: '0.0.0.0:80',
    admin: 'none',
    issuer: 'https://i.example',
    jwksUri: 'https://i.example/keys',
  }
  t.match(loadFileOrFlags(undefined, flags, {}).config, {
    listen: { address: { host: '0.0.0.0', port: 80 } },
    admin: 'none',
    userPools: { main: { issuer: ['https://i.example'], jwksUri: 'https://i.example/keys' } },
    routes: [{ access: { tokenUse: 'id', groups: { anyOf: ['admins', 'operators'] } } }],
  })
  t.strictSame(new Set(Object.keys(flags)), new Set(CONFIG_FLAGS.map(({ key }) => key)))
})

t.test('the environment stands in for flags, lists with commas', async (t) => {
  const env = {
    POOLGATE_USER_POOL_ID: 'eu-west-1_B',
    POOLGATE_CLIENT_ID: 'a, b,,c',
    POOLGATE_UPSTREAM: 'http://127.0.0.1:9',
    POOLGATE_GROUP: 'admins',
    POOLGATE_LISTEN: '',
  }
  t.match(loadFileOrFlags(undefined, {}, env).config, {
    listen: { address: { port: 8080 } },
    userPools: { main: { userPoolId: 'eu-west-1_B', clientIds: ['a', 'b', 'c'] } },
    routes: [{ access: { tokenUse: 'access', groups: { anyOf: ['admins'] } } }],
  })
})

t.test('a flag wins over its variable, one with a comma stays whole', async (t) => {
  const env = { POOLGATE_USER_POOL_ID: 'eu-west-1_B', POOLGATE_CLIENT_ID: 'x' }
  t.match(parse(toYaml({ ...FLAGS, clientId: ['a,b'] }, env)), {
    userPools: { main: { userPoolId: 'eu-west-1_A', clientIds: ['a,b'] } },
  })
})

t.test('the word any switches the app client check off, and only alone', async (t) => {
  const clientIds = (clientId: string[]) =>
    parse(toYaml({ ...FLAGS, clientId }, {})).userPools.main.clientIds
  t.equal(clientIds(['any']), 'any')
  t.strictSame(clientIds(['any', 'a']), ['any', 'a'])
})

t.test('what is required and not given is named', async (t) => {
  t.strictSame(missingFlags({}, {}), ['--user-pool-id', '--client-id', '--upstream'])
  t.strictSame(
    missingFlags({ clientId: [] }, { POOLGATE_UPSTREAM: 'x', POOLGATE_CLIENT_ID: ' , ' }),
    ['--user-pool-id', '--client-id'],
  )
  t.strictSame(missingFlags(FLAGS, {}), [])
})

t.test('a bad flag is a problem of the text that it stands for', async (t) => {
  t.throws(() => loadFileOrFlags(undefined, { ...FLAGS, upstream: 'nonsense' }, {}), {
    message: /^\(flags\):\d+:\d+: upstreams\.main\.targets\[0\]: expected an http or https origin/,
  })
})

t.test('a flag is text whatever it holds', async () => {
  const unit = fc.constantFrom(
    '$',
    '{',
    '}',
    'A',
    ':',
    ' ',
    '#',
    '\n',
    '"',
    "'",
    '-',
    ',',
    '&',
    '*',
  )
  fc.assert(
    fc.property(fc.string({ unit, minLength: 1 }), (group) => {
      const { config } = loadFileOrFlags(undefined, { ...FLAGS, group: [group] }, { A: 'secret' })
      const access = config.routes[0]?.access
      return typeof access === 'object' && access.groups?.anyOf?.[0] === group
    }),
  )
})

t.test('a file that is named is read instead', async (t) => {
  const file = join(t.testdir({ 'c.yaml': createConfigText() }), 'c.yaml')
  const env = { POOLGATE_GROUP: 'ignored' }
  t.equal(loadFileOrFlags(file, { print: true }, env).config.routes[0]?.upstream, 'orders')
  t.throws(() => loadFileOrFlags(file, { group: ['admins'], listen: 'x' }, {}), {
    message: /either a file or --group, --listen/,
  })
})
