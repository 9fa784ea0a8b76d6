// poolgate check: exit codes, where text goes, and both formats.
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { check } from '../../src/cli/check.ts'
import { createConfigText } from '../support/config-text.ts'
import { createFakeClock } from '../support/fake-clock.ts'

function createContext(env: Readonly<Record<string, string>> = {}) {
  const written = { out: '', err: '' }
  const context = {
    version: '0.0.0',
    invocation: 'poolgate',
    clock: createFakeClock(),
    env,
    stdout: (text: string) => {
      written.out += text
    },
    stderr: (text: string) => {
      written.err += text
    },
    readStdin: async () => '',
    onSignal: () => undefined,
  }
  return { context, written }
}

const FLAGS = { userPoolId: 'eu-west-1_A', clientId: ['a'], upstream: 'http://127.0.0.1:9' }

t.test('a good file is summed up in one line', async (t) => {
  const file = join(t.testdir({ 'c.yaml': createConfigText() }), 'c.yaml')
  const { context, written } = createContext()
  t.equal(await check({ file }, context), 0)
  t.strictSame(written, { out: 'fine: 1 route, 1 user pool, 1 upstream\n', err: '' })
})

t.test('the sum counts sessions where there are any', async (t) => {
  const top = `sessions:
  web: {domain: 'https://a.example', clientId: client, origins: ['https://a.example'], keys: [${'k'.repeat(32)}]}`
  const file = join(t.testdir({ 'c.yaml': createConfigText({ top }) }), 'c.yaml')
  const { context, written } = createContext()
  t.equal(await check({ file }, context), 0)
  t.equal(written.out, 'fine: 1 route, 1 user pool, 1 session, 1 upstream\n')
  t.match(written.err, /:3:3: sessions\.web: warning: no route names this session/)
})

t.test('every problem of a bad file goes to standard error', async (t) => {
  const file = join(
    t.testdir({ 'c.yaml': createConfigText({ top: 'lisen: 1\nadmin: 2' }) }),
    'c.yaml',
  )
  const { context, written } = createContext()
  t.equal(await check({ file }, context), 1)
  t.equal(written.out, '')
  t.match(
    written.err,
    `${file}:2:1: lisen: unknown key; did you mean "listen"?\n    2 | lisen: 1\n`,
  )
  t.match(written.err, `${file}:3:8: admin: `)
  t.match(written.err, /\n2 problems\n$/)
})

t.test('warnings are shown and are no failure', async (t) => {
  const file = join(
    t.testdir({ 'c.yaml': createConfigText({ top: 'trustedProxies: [0.0.0.0/0]' }) }),
    'c.yaml',
  )
  const { context, written } = createContext()
  t.equal(await check({ file }, context), 0)
  t.match(written.err, `${file}:2:18: trustedProxies[0]: warning: everybody`)
  t.match(written.out, /^fine: /)
})

t.test('problems that only compiling finds are problems too', async (t) => {
  const { context, written } = createContext()
  const exitCode = await check({ flags: FLAGS }, context, (loaded) => [
    loaded.problemAt(['routes', 0], 'ties with another'),
  ])
  t.equal(exitCode, 1)
  t.match(written.err, /routes\[0\]: ties with another[\s\S]*\n1 problem\n$/)
  t.equal(written.out, '')
})

t.test('what is printed is the effective configuration and nothing else', async (t) => {
  const { context, written } = createContext({ POOLGATE_GROUP: 'admins' })
  t.equal(await check({ flags: FLAGS, print: true }, context), 0)
  t.match(parse(written.out), {
    admin: '127.0.0.1:9090',
    routes: [{ match: { path: '/*' }, access: { groups: { anyOf: ['admins'] } } }],
  })
})

t.test('JSON holds problems, warnings and the printed configuration', async (t) => {
  const bad = createContext()
  t.equal(await check({ flags: { ...FLAGS, upstream: 'x' }, format: 'json' }, bad.context), 1)
  t.match(JSON.parse(bad.written.out), {
    ok: false,
    problems: [{ path: 'upstreams.main.targets[0]' }],
  })
  const good = createContext()
  t.equal(await check({ flags: FLAGS, format: 'json', print: true }, good.context), 0)
  t.match(JSON.parse(good.written.out), {
    ok: true,
    problems: [],
    warnings: [],
    yaml: /^version: 1/,
  })
})

t.test('a file that cannot be read is a failed check', async (t) => {
  const { context, written } = createContext()
  t.equal(await check({ file: join(t.testdir({}), 'no.yaml') }, context), 1)
  t.match(written.err, /no\.yaml:1:1: cannot be read \(ENOENT\)/)
})

t.test('neither a file nor flags is bad usage', async (t) => {
  const { context, written } = createContext()
  t.equal(await check({}, context), 2)
  t.match(written.err, '--user-pool-id, --client-id, --upstream')
})
