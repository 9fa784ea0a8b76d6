// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references look like that
// The file that flags stand for: it loads like any other, and nothing in a flag becomes more than text.
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { CONFIG_FLAGS, findMissing, loadFileOrFlags, toYaml } from '../../src/cli/flags-config.ts'
import type { ConfigError } from '../../src/config/problem.ts'
import { createConfigText } from '../support/config-text.ts'
import { fc } from '../support/fuzz.ts'

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
    POOLGATE_CLIENT_ID: 'a, b,c',
    POOLGATE_UPSTREAM: 'http://127.0.0.1:9',
    POOLGATE_GROUP: 'admins',
    POOLGATE_TOKEN_USE: undefined,
  }
  t.match(loadFileOrFlags(undefined, {}, env).config, {
    listen: { address: { port: 8080 } },
    userPools: { main: { userPoolId: 'eu-west-1_B', clientIds: ['a', 'b', 'c'] } },
    routes: [{ access: { tokenUse: 'access', groups: { anyOf: ['admins'] } } }],
  })
})

t.test('a flag wins over its variable', async (t) => {
  const env = { POOLGATE_USER_POOL_ID: 'eu-west-1_B', POOLGATE_CLIENT_ID: 'x' }
  t.match(parse(toYaml(FLAGS, env)), {
    userPools: { main: { userPoolId: 'eu-west-1_A', clientIds: ['a', 'b'] } },
  })
})

t.test('lists are read in one way, from flags and from variables', async (t) => {
  const other = { userPoolId: 'eu-west-1_A', upstream: 'http://127.0.0.1:9' }
  const byFlags = toYaml({ ...other, clientId: ['a, b', 'c'], group: ['x,y'] }, {})
  t.match(parse(byFlags), {
    userPools: { main: { clientIds: ['a', 'b', 'c'] } },
    routes: [{ access: { groups: { anyOf: ['x', 'y'] } } }],
  })
  t.equal(toYaml(other, { POOLGATE_CLIENT_ID: 'a,b , c', POOLGATE_GROUP: 'x, y' }), byFlags)
})

/** Messages of what is wrong, none where it loads. */
function problemsOf(flags: Record<string, unknown>, env: Record<string, string> = {}) {
  try {
    loadFileOrFlags(undefined, flags, env)
    return []
  } catch (error) {
    return (error as ConfigError).problems.map(({ file, path, message }) => {
      return `${file} ${path}: ${message}`
    })
  }
}

t.test('an empty value is an error, whichever it is: it never asks for nothing', async (t) => {
  for (const { key, name, env, list } of CONFIG_FLAGS) {
    const { [key as 'upstream']: _, ...flags } = FLAGS
    const told = `--${name}: an empty value`
    t.match(problemsOf({ ...flags, [key]: list ? [''] : '' }), [`(flags) ${told}`])
    for (const value of list ? ['', ' ', 'a,', ',', 'a,,b'] : ['']) {
      t.match(problemsOf(flags, { [env]: value }), [`(environment) ${env}: an empty value`], value)
    }
  }
  t.match(problemsOf({ ...FLAGS, group: ['admins', ''] }), [/--group/])
})

t.test('a variable that nothing reads is an error, with the name that was meant', async (t) => {
  for (const [name, meant] of [
    ['POOLGATE_GROUPS', 'POOLGATE_GROUP'],
    ['POOLGATE_CLIENTID', 'POOLGATE_CLIENT_ID'],
    ['POOLGATE_UPSTREAM_URL', 'POOLGATE_UPSTREAM'],
    ['poolgate_group', 'POOLGATE_GROUP'],
  ] as const) {
    const told = `(environment) ${name}: nothing reads this variable; did you mean "${meant}"?`
    t.strictSame(problemsOf(FLAGS, { [name]: 'admins' }), [told])
  }
  t.match(problemsOf(FLAGS, { POOLGATE_REQUIRED: 'admins' }), [
    /; there are POOLGATE_USER_POOL_ID, /,
  ])
  t.strictSame(problemsOf(FLAGS, { GROUPS: 'admins', MY_POOLGATE_GROUP: 'x' }), [])
})

t.test('the word any switches the app client check off, and only alone', async (t) => {
  const clientIds = (clientId: string[]) =>
    parse(toYaml({ ...FLAGS, clientId }, {})).userPools.main.clientIds
  t.equal(clientIds(['any']), 'any')
  t.strictSame(clientIds(['any', 'a']), ['any', 'a'])
})

t.test('what is required and not given is named, and what may have been meant', async (t) => {
  t.equal(findMissing({}, {}), '--user-pool-id, --client-id, --upstream')
  t.equal(findMissing({}, { POOLGATE_UPSTREAM: 'x' }), '--user-pool-id, --client-id')
  t.equal(findMissing(FLAGS, {}), undefined)
  t.equal(findMissing({ ...FLAGS, upstream: '' }, {}), undefined, 'an empty one was given')
  const { clientId: _, ...rest } = FLAGS
  t.match(
    findMissing(rest, { POOLGATE_CLIENT_IDS: 'a' }),
    /^--client-id\nPOOLGATE_CLIENT_IDS: .*did you mean "POOLGATE_CLIENT_ID"/,
  )
})

t.test('a bad flag is a problem of the text that it stands for', async (t) => {
  t.throws(() => loadFileOrFlags(undefined, { ...FLAGS, upstream: 'nonsense' }, {}), {
    message: /^\(flags\):\d+:\d+: upstreams\.main\.targets\[0\]: expected an http or https origin/,
  })
})

t.test('a flag is text whatever it holds', async () => {
  const unit = fc.constantFrom('$', '{', '}', 'A', ':', ' ', '#', '\n', '"', "'", '-', '&', '*')
  fc.assert(
    fc.property(fc.string({ unit, minLength: 1 }), (group) => {
      fc.pre(group.trim() !== '')
      const { config } = loadFileOrFlags(undefined, { ...FLAGS, group: [group] }, { A: 'secret' })
      const access = config.routes[0]?.access
      return typeof access === 'object' && access.groups?.anyOf?.[0] === group.trim()
    }),
  )
})

t.test('a file that is named is read alone: what stands beside it is an error', async (t) => {
  const file = join(t.testdir({ 'c.yaml': createConfigText() }), 'c.yaml')
  t.equal(loadFileOrFlags(file, { print: true }, {}).config.routes[0]?.upstream, 'orders')
  t.throws(() => loadFileOrFlags(file, { group: ['admins'], listen: 'x' }, {}), {
    message: /either a file or --group, --listen$/,
  })
  for (const { env } of CONFIG_FLAGS) {
    for (const value of ['admins', '']) {
      t.throws(() => loadFileOrFlags(file, {}, { [env]: value }), {
        message: `${file}:1:1: give either a file or ${env}, which the file does not refer to`,
      })
    }
  }
})

t.test('a file may refer to variables of any name', async (t) => {
  const upstreams = 'upstreams: { orders: { targets: ["${POOLGATE_UPSTREAM}"] } }'
  const top = 'admin: "127.0.0.1:${POOLGATE_ADMIN_NUMBER:-9090}"'
  const file = join(t.testdir({ 'c.yaml': createConfigText({ upstreams, top }) }), 'c.yaml')
  const env = { POOLGATE_UPSTREAM: 'http://127.0.0.1:9', POOLGATE_ADMIN_NUMBER: '9191' }
  t.strictSame(loadFileOrFlags(file, {}, env).warnings, [])
  t.throws(() => loadFileOrFlags(file, {}, { ...env, POOLGATE_GROUP: 'x' }), {
    message: /either a file or POOLGATE_GROUP,/,
  })
})

t.test('a variable that neither we nor the file read is warned of beside a file', async (t) => {
  const file = join(t.testdir({ 'c.yaml': createConfigText() }), 'c.yaml')
  const { warnings } = loadFileOrFlags(file, {}, { POOLGATE_GROUPS: 'admins', PATH: '/bin' })
  t.match(warnings, [
    { file: '(environment)', path: 'POOLGATE_GROUPS', message: /did you mean "POOLGATE_GROUP"/ },
  ])
})
