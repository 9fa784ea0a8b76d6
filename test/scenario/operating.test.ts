// The program as operators call it: documented commands as they are typed, a reader that goes away, an environment that means
// something, a configuration with the longest times it may ask for.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { createProcessConfig, startGatewayProcess } from '../support/gateway-process.ts'
import { createIssuer } from '../support/issuer.ts'
import { startJwksServer } from '../support/jwks-server.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = join(ROOT, 'src/main.ts')

const upstream = await startRawUpstream((socket) =>
  socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
)
t.teardown(upstream.close)

/** Runs one command to its end, with this environment and nothing of ours beside it. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { PATH = '' } = process.env
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env: { PATH, ...env } })
}

/** Files `good` and `bad`. */
function writeConfigs(t: Test): { readonly good: string; readonly bad: string } {
  const good = createProcessConfig({ upstreamOrigin: upstream.origin })
  const directory = t.testdir({ 'good.yaml': good, 'bad.yaml': `${good}unknown: 1\n` })
  return { good: join(directory, 'good.yaml'), bad: join(directory, 'bad.yaml') }
}

t.test('a reader that goes away changes no exit code, on either stream', async (t) => {
  const { good, bad } = writeConfigs(t)
  for (const [args, stream, expected] of [
    [['check', bad], 'stderr', 1],
    [['nonsense'], 'stderr', 2],
    [['check', good], 'stdout', 0],
    [['schema'], 'stdout', 0],
  ] as const) {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    child[stream].destroy()
    const code = await new Promise((resolve) => child.on('close', resolve))
    t.equal(code, expected, args.join(' '))
  }
})

t.test('README’s commands run as they are typed', async (t) => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  t.notMatch(readme, /(^|`)poolgate (serve|dev|check|routes|token|schema|healthcheck)\b.+`/m)
  const yaml = /```yaml\n(version: 1\n[\s\S]*?)```/.exec(readme)?.[1] ?? ''
  // Nothing leaves loopback, and nobody answers there.
  const local = yaml.replace('    clientIds:', '    jwksUri: http://127.0.0.1:9/\n    clientIds:')
  t.match(local, 'jwksUri')
  const token = createIssuer().access()
  const dir = t.testdir({ 'poolgate.yaml': local, 'token.txt': token })
  const file = join(dir, 'poolgate.yaml')
  const commands = [...readme.matchAll(/(?:^|`)(npm run (?:-s )?poolgate -- [^`#\n]+)/gm)]
  t.ok(commands.length >= 3)
  for (const [, command = ''] of commands) {
    const typed = command
      .replace('poolgate.yaml', file)
      .replace('token.txt', join(dir, 'token.txt'))
      .replace('TOKEN', token)
    const { status, stdout, stderr } = spawnSync('sh', ['-c', typed], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    const denied = command.includes('explain') ? 3 : 0
    t.equal(status, command.includes('inspect') ? 1 : denied, `${command}\n${stderr}`)
    t.match(stdout, /fine: |NAME|"token_use"|^to change: /m)
  }
})

const FLAGS = {
  POOLGATE_USER_POOL_ID: 'eu-west-1_A',
  POOLGATE_CLIENT_ID: 'a',
  POOLGATE_UPSTREAM: 'http://127.0.0.1:9',
}

t.test('an environment that may mean a restriction never means none', async (t) => {
  t.match(run(['check', '--print'], { ...FLAGS, POOLGATE_GROUP: 'admins' }).stdout, /- admins/)
  t.match(run(['check', '--print'], FLAGS).stdout, 'access: authenticated')
  for (const [name, value, told] of [
    ['POOLGATE_GROUP', '', '(environment):1:1: POOLGATE_GROUP: an empty value'],
    ['POOLGATE_GROUPS', 'admins', 'did you mean "POOLGATE_GROUP"?'],
  ] as const) {
    for (const command of ['check', 'serve']) {
      const { status, stderr } = run([command], { ...FLAGS, [name]: value })
      t.equal(status, 1, `${command} with ${name}`)
      t.match(stderr, told)
    }
  }
  const { good } = writeConfigs(t)
  for (const args of [
    ['check', good],
    ['serve', '--config', good],
  ]) {
    const { status, stderr } = run(args, { POOLGATE_GROUP: 'admins' })
    t.equal(status, 1, args.join(' '))
    t.match(stderr, 'give either a file or POOLGATE_GROUP, which the file does not refer to')
  }
  const { status, stderr } = run(['check', good], { POOLGATE_GROUPS: 'admins' })
  t.equal(status, 0)
  t.match(stderr, 'POOLGATE_GROUPS: warning: nothing reads this variable; did you mean')
})

t.test('keys last as long as the longest jwksMaxStale says, and a reload keeps them', async (t) => {
  const issuer = createIssuer()
  const jwks = await startJwksServer(issuer.jwks())
  t.teardown(jwks.close)
  const config = createProcessConfig({
    upstreamOrigin: upstream.origin,
    jwksUri: jwks.url,
    clientId: issuer.clientId,
  }).replace('clientIds', 'jwksMaxStale: 720h, clientIds')
  const gate = await startGatewayProcess(t, config)
  const headers = { authorization: `Bearer ${issuer.access()}` }
  const call = async () => (await fetch(`${gate.origin}/api/x`, { headers })).status
  await eventually('the first request', async () => (await call()) === 200)
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    t.equal(await call(), 200)
  }
  t.equal((await fetch(`${gate.adminOrigin}/readyz`)).status, 200)
  t.notMatch(gate.stderr(), 'TimeoutOverflowWarning')
  jwks.serve((_, response) => void response.destroy())
  writeFileSync(gate.file, config.replace('clientIds: [', 'clientIds: [another, '))
  gate.process.kill('SIGHUP')
  await eventually('the reload', () =>
    gate.lines().some(({ message }) => message === 'configuration reloaded'),
  )
  t.equal(await call(), 200, 'although no key can be fetched any more')
  t.equal((await fetch(`${gate.adminOrigin}/readyz`)).status, 200)
  writeFileSync(gate.file, `${config}log: {level: error}\ntimeouts: {idle: 5s}\n`)
  gate.process.kill('SIGHUP')
  await eventually('what needs a restart', () =>
    gate.stderr().includes('timeouts.idle, log.level: changed, but in force only after a restart'),
  )
})
