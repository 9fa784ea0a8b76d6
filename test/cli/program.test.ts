// The command line: each command is found, takes what it takes, and ends with its exit code.
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { runProgram } from '../../src/cli/program.ts'
import { createTestContext } from '../support/command-context.ts'
import { createConfigText } from '../support/config-text.ts'
import { createIssuer } from '../support/issuer.ts'

async function run(args: readonly string[], parts: Parameters<typeof createTestContext>[0] = {}) {
  const { context, stdout, stderr } = createTestContext(parts)
  const code = await runProgram(args, context)
  return { code, stdout: stdout(), stderr: stderr() }
}

function write(t: Test, text = createConfigText()): string {
  return join(t.testdir({ 'c.yaml': text }), 'c.yaml')
}

t.test('--version and --help are fine', async (t) => {
  t.match(await run(['--version']), { code: 0, stdout: '1.2.3\n' })
  const { code, stdout } = await run(['--help'])
  t.equal(code, 0)
  for (const name of ['dev', 'serve', 'check', 'token', 'routes', 'schema', 'healthcheck'])
    t.match(stdout, new RegExp(`^  ${name}\\b`, 'm'))
})

t.test('what cannot be read is bad usage, told on standard error', async (t) => {
  for (const args of [
    ['nonsense'],
    ['serve', '--nonsense'],
    ['serve'],
    ['routes'],
    ['schema', '--format', 'x'],
    ['token', 'nonsense'],
    ['check', 'a', 'b'],
  ]) {
    const { code, stdout, stderr } = await run(args)
    t.equal(code, 2, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, /^error: /)
  }
})

t.test('serve without a file says which flags are missing', async (t) => {
  const { stderr } = await run(['serve', '--client-id', 'x'])
  t.match(stderr, '--user-pool-id, --upstream')
  t.notMatch(stderr, '--client-id,')
})

t.test('check takes a file, or flags and variables', async (t) => {
  t.match(await run(['check', write(t)]), { code: 0, stdout: /^fine/ })
  t.match(await run(['check', write(t, 'version: 2')]), { code: 1, stderr: /c\.yaml:1:/ })
  const env = { POOLGATE_USER_POOL_ID: 'eu-west-1_A', POOLGATE_CLIENT_ID: 'a,b' }
  const flags = ['--upstream', 'http://127.0.0.1:9', '--group', 'x', '--group', 'y', '--print']
  const { code, stdout } = await run(['check', ...flags], { env })
  t.equal(code, 0)
  t.match(stdout, /anyOf:\s+- x\s+- y/)
})

t.test('routes and schema print, a bad file is 1', async (t) => {
  t.match(await run(['routes', '--config', write(t)]), { code: 0, stdout: /^NAME/ })
  t.match(await run(['routes', '--config', write(t, 'x')]), { code: 1, stdout: '' })
  t.match(await run(['schema']), { code: 0, stdout: /^\{/ })
})

t.test('token inspect takes the token, or reads it', async (t) => {
  const token = createIssuer().access()
  t.match(await run(['token', 'inspect', token]), { code: 0, stdout: /token_use/ })
  for (const args of [
    ['token', 'inspect'],
    ['token', 'inspect', '-'],
  ]) {
    const { code, stdout } = await run(args, { stdin: `${token}\n` })
    t.equal(code, 0)
    t.match(stdout, 'token_use')
  }
  t.match(await run(['token', 'inspect', '--config', write(t, 'x'), token]), { code: 1 })
})

t.test('a serve that cannot begin is 1', async (t) => {
  t.match(await run(['serve', '--config', write(t, 'x')]), { code: 1 })
  t.match(await run(['serve', '--config', '/nonexistent.yaml']), { code: 1, stderr: /ENOENT/ })
})

t.test('a defect is 70, not a wrong answer', async (t) => {
  const { context, stderr } = createTestContext()
  const broken = {
    ...context,
    readStdin: () => Promise.reject(new Error('a defect')),
  }
  t.equal(await runProgram(['token', 'inspect'], broken), 70)
  t.match(stderr(), /^internal error: .*a defect/)
})
