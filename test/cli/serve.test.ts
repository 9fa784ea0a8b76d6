// poolgate serve: runs until a signal, reloads on another, and ends with 1 where it cannot begin.
import { join } from 'node:path'
import t from 'tap'
import { loadChecked, serve } from '../../src/cli/serve.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createTestContext } from '../support/command-context.ts'
import { createConfigText } from '../support/config-text.ts'

const LISTEN = 'listen: 127.0.0.1:0\nadmin: none\nlog: {level: error}'
const TIE = `routes:
  - {name: a, match: {path: /a}, access: public, upstream: orders}
  - {name: b, match: {path: /a}, access: public, upstream: orders}`

const POOL = `userPools:
  main: {userPoolId: eu-west-1_A, clientIds: [a], jwksUri: 'http://127.0.0.1:9/'}`

const write = (parts: Parameters<typeof createConfigText>[0]) =>
  createConfigText({ userPools: POOL, ...parts })
const load = (text: string) => () => loadConfig(text, 'c.yaml', {})

t.test('runs until SIGTERM or SIGINT', async (t) => {
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    const { context, signal, stderr } = createTestContext()
    const code = serve(load(write({ top: LISTEN })), context)
    await new Promise((resolve) => setImmediate(resolve))
    signal(name)
    t.equal(await code, 0)
    t.equal(stderr(), '')
  }
})

t.test('SIGHUP loads again; a bad file is told and changes nothing', async (t) => {
  const { context, signal, stderr } = createTestContext()
  let text = write({ top: LISTEN })
  let loads = 0
  const code = serve(() => {
    loads++
    return loadConfig(text, 'c.yaml', {})
  }, context)
  await new Promise((resolve) => setImmediate(resolve))
  signal('SIGHUP')
  t.equal(loads, 2)
  t.equal(stderr(), '')
  text = write({ top: LISTEN, routes: TIE })
  signal('SIGHUP')
  t.match(stderr(), /^c\.yaml:\d+:\d+: routes\[1\]/)
  signal('SIGTERM')
  t.equal(await code, 0)
})

t.test(
  'what only a restart puts in force is told by its name, as long as it differs',
  async (t) => {
    const { context, signal, stderr } = createTestContext()
    let text = write({ top: LISTEN })
    const code = serve(() => loadConfig(text, 'c.yaml', {}), context)
    await new Promise((resolve) => setImmediate(resolve))
    const hangUp = (top: string) => {
      const told = stderr().length
      text = write({ top })
      signal('SIGHUP')
      return stderr().slice(told)
    }
    const changed = `${LISTEN.replace('error', 'warn')}\ntimeouts: {idle: 5s}`
    const warning =
      'warning: timeouts.idle, log.level: changed, but in force only after a restart\n'
    t.equal(hangUp(changed), warning)
    t.equal(hangUp(changed), warning, 'it still differs from what was started')
    t.equal(hangUp(`${LISTEN}\nlimits: {headerFields: 5}`), '')
    t.match(
      hangUp(LISTEN.replace('127.0.0.1:0', "'[::1]:0'")),
      /^warning: listen\.address: changed/,
    )
    signal('SIGTERM')
    t.equal(await code, 0)
  },
)

t.test('a bad configuration is 1, with every problem', async (t) => {
  const { context, stderr } = createTestContext()
  t.equal(await serve(load(write({ top: 'unknown: 1\nlisten: x' })), context), 1)
  t.match(stderr(), /c\.yaml:2:1: unknown/)
  t.match(stderr(), /c\.yaml:3:\d+: listen/)
})

t.test('what cannot be bound or read is 1', async (t) => {
  const missing = join(t.testdir({}), 'missing.pem')
  const tls = `{address: '127.0.0.1:0', tls: {cert: ${missing}, key: ${missing}}}`
  for (const [listen, told] of [
    ['unix:/nonexistent/a.sock', /^cannot start: listen /],
    [tls, /^c\.yaml:\d+:\d+: listen\.tls\.cert: the file cannot be read \(ENOENT\)/],
  ] as const) {
    const { context, stderr } = createTestContext()
    const top = LISTEN.replace('127.0.0.1:0', listen)
    t.equal(await serve(load(write({ top })), context), 1)
    t.match(stderr(), told)
  }
})

t.test('warnings are told and change nothing; other errors are not swallowed', async (t) => {
  const { context, stderr } = createTestContext()
  const warned = write({ top: 'trustedProxies: [0.0.0.0/0]' })
  t.ok(loadChecked(load(warned), context))
  t.match(stderr(), /^warning: c\.yaml:2:18: trustedProxies/)
  const fail = () => {
    throw new Error('a defect')
  }
  t.throws(() => loadChecked(fail, context), /a defect/)
})
