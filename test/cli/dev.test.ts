// poolgate dev, whole: it starts, its own lines answer as they say, and a signal ends it.
import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { listenOn } from '../../src/base/listen.ts'
import { dev, type DevOptions } from '../../src/cli/dev.ts'
import { createGateway } from '../../src/gateway.ts'
import { createConfigText } from '../support/config-text.ts'
import { realClock } from '../support/real-clock.ts'

/** Runs the command until the guide is out; without one it has ended by itself. */
async function start(t: Test, options: DevOptions = {}) {
  const written = { out: '', err: '' }
  const signals = new Map<string, () => void>()
  let ready = () => {}
  const guide = new Promise<void>((resolve) => {
    ready = resolve
  })
  const ended = dev(
    { port: '0', poolPort: '0', ...options },
    {
      clock: realClock,
      version: '0.0.0',
      env: {},
      stdout: (text) => {
        written.out += text
        if (text.includes('Ctrl-C')) ready()
      },
      stderr: (text) => {
        written.err += text
      },
      readStdin: async () => '',
      onSignal: (signal, handler) => void signals.set(signal, handler),
    },
    createGateway,
  )
  t.teardown(async () => {
    signals.get('SIGTERM')?.()
    await ended
  })
  await Promise.race([guide, ended])
  const addressOf = (name: string) => new RegExp(`${name} +(\\S+)`).exec(written.out)?.[1] ?? ''
  return { written, ended, signals, addressOf }
}

function shell(command: string): Promise<string> {
  return new Promise((resolve) => {
    execFile('sh', ['-c', command], (_, stdout) => resolve(stdout))
  })
}

const noCurl = (await shell('command -v curl')) === '' && 'there is no curl here'

t.test('every printed line answers with the status it announces', { skip: noCurl }, async (t) => {
  const { written } = await start(t)
  t.equal(written.err, '', 'there is nothing to complain about')
  const lines = [...written.out.matchAll(/^# (\d{3}): (.*)\n(curl .*)$/gm)]
  t.equal(lines.length, 8)
  for (const [, status = '', about = '', command = ''] of lines) {
    t.match(await shell(command), new RegExp(`^HTTP/1\\.1 ${status} `), about)
  }
  const signIn = /^curl -s -H .*$/m.exec(written.out)?.[0] ?? ''
  t.match(JSON.parse(await shell(signIn)), { AuthenticationResult: { TokenType: 'Bearer' } })
})

t.test('the claims of a ready-made token arrive upstream', async (t) => {
  const { written, addressOf } = await start(t)
  const token = /^POOLGATE_ADMIN_TOKEN=(\S+)$/m.exec(written.out)?.[1]
  const answer = await fetch(`${addressOf('gateway')}/orders`, {
    headers: { authorization: `Bearer ${token}` },
  })
  t.match(await answer.json(), {
    identity: { 'x-auth-username': 'admin', 'x-auth-groups': 'admins' },
  })
})

t.test('a signal stops all of it, with exit code 0', async (t) => {
  const { signals, ended, addressOf } = await start(t)
  const addresses = ['gateway', 'demo upstream', 'user pool API', 'health, metrics'].map(addressOf)
  for (const address of addresses) await t.resolves(fetch(address), address)
  signals.get('SIGINT')?.()
  t.equal(await ended, 0)
  for (const address of addresses) await t.rejects(fetch(address), address)
})

t.test('users come from a file', async (t) => {
  const users = join(
    t.testdir({ 'u.yaml': 'users: {jane: {password: x, groups: [admins]}}' }),
    'u.yaml',
  )
  const { written } = await start(t, { users })
  t.match(written.out, /\n {2}jane +x +admins\n/)
  t.match(written.out, /^POOLGATE_JANE_TOKEN=eyJ/m)
})

t.test('a users file that cannot be used is exit code 1, with the place', async (t) => {
  const users = join(t.testdir({ 'u.yaml': 'users: {jane: {}}' }), 'u.yaml')
  const { written, ended } = await start(t, { users })
  t.equal(await ended, 1)
  t.equal(written.err, `${users}:1:9: users.jane.password: is required\n`)
  t.equal(written.out, '')
})

t.test('a given configuration runs with the dev pool in place of its own', async (t) => {
  const upstream = createServer()
  const address = await listenOn(upstream, { kind: 'tcp', host: '127.0.0.1', port: 0 })
  upstream.close()
  const text = createConfigText({
    upstreams: `upstreams: { orders: { targets: ['http://${address}'] } }`,
  })
  const config = join(t.testdir({ 'c.yaml': text }), 'c.yaml')
  const { written, addressOf } = await start(t, { config })
  t.notMatch(written.out, 'demo upstream')
  const token = /^POOLGATE_READER_TOKEN=(\S+)$/m.exec(written.out)?.[1]
  const ask = async (authorization: string) => {
    const answer = await fetch(`${addressOf('gateway')}/`, { headers: { authorization } })
    return ((await answer.json()) as { reason: string }).reason
  }
  t.equal(await ask(`Bearer ${token}`), 'upstream_unreachable', 'the token was accepted')
  t.equal(await ask(`Bearer ${token}AAAA`), 'token_signature')
})

t.test('a bad configuration is exit code 1, with the place', async (t) => {
  const config = join(t.testdir({ 'c.yaml': createConfigText({ top: 'x: 1' }) }), 'c.yaml')
  const { written, ended } = await start(t, { config })
  t.equal(await ended, 1)
  t.match(written.err, `${config}:2:1: x: unknown key`)
})

t.test('a port that was asked for and is taken is exit code 1', async (t) => {
  const taken = createServer()
  const address = await listenOn(taken, { kind: 'tcp', host: '127.0.0.1', port: 0 })
  t.teardown(() => taken.close())
  const port = address.split(':')[1] ?? ''
  for (const options of [{ port }, { poolPort: port }]) {
    const { written, ended } = await start(t, options)
    t.equal(await ended, 1)
    t.match(written.err, `EADDRINUSE: address already in use ${address}`)
  }
})

t.test('what is no port is bad usage', async (t) => {
  for (const port of ['http', '-1', '65536', '80.5', '']) {
    const { written, ended } = await start(t, { port })
    t.equal(await ended, 2, port)
    t.match(written.err, 'is not a port')
  }
})
