// poolgate dev, whole: it starts, its own lines answer as they say, and a signal ends it.
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { S3 } from '@aws-sdk/client-s3'
import t, { type Test } from 'tap'
import { listenOn } from '../../src/base/listen.ts'
import { type CreateGateway, dev, type DevOptions } from '../../src/cli/dev.ts'
import { createGateway } from '../../src/gateway.ts'
import { bearerSdk } from '../support/bearer-sdk.ts'
import { createConfigText } from '../support/config-text.ts'
import { realClock } from '../support/real-clock.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** Runs the command until the guide is out; without one it has ended by itself. */
async function start(t: Test, options: DevOptions = {}, create: CreateGateway = createGateway) {
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
      invocation: `${process.execPath} ${MAIN}`,
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
    create,
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
  t.equal(lines.length, 14)
  for (const [, status = '', about = '', command = ''] of lines) {
    t.match(await shell(command), new RegExp(`^HTTP/1\\.1 ${status} `), about)
  }
  const signIn = /^curl -s -H .*$/m.exec(written.out)?.[0] ?? ''
  t.match(JSON.parse(await shell(signIn)), { AuthenticationResult: { TokenType: 'Bearer' } })
})

t.test('the line for other tokens gives one, as it stands', async (t) => {
  const { written } = await start(t)
  const line = /^Others: (.*)$/m.exec(written.out)?.[1] ?? ''
  t.match(await shell(line), /^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+\n$/)
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

t.test(
  "files: everybody's own, by whatever name, through to a stand-in that verifies what was signed",
  async (t) => {
    const { addressOf } = await start(t)
    const pool = addressOf('user pool API')
    const mint = async (user: string, use: string) =>
      (
        await fetch(`${pool}/_dev/mint`, {
          method: 'POST',
          body: new URLSearchParams({ user, use }),
        })
      ).text()
    const subOf = (token: string) =>
      JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sub
    const [reader, guest] = await Promise.all([mint('reader', 'id'), mint('guest', 'id')])
    const files = `${addressOf('gateway')}/files/`
    const ask = (token: string, path: string, init: RequestInit = {}) =>
      fetch(files + path, {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${token.trim()}` },
      })
    const own = `users/${subOf(reader)}`
    const keys = ['a b+c', "~!$&'()*,;=:@", '%F0%9F%8D%B5', 'é', '100%25', 'a%2Cb', 'q%3Fr%23s']
    for (const key of keys) {
      t.equal((await ask(reader, `${own}/${key}`, { method: 'PUT', body: key })).status, 200, key)
      t.equal(await (await ask(reader, `${own}/${key}`)).text(), key)
      t.equal((await ask(guest, `${own}/${key}`)).status, 403)
      t.equal((await ask(guest, `${own}/${key}`, { method: 'DELETE' })).status, 403)
    }
    const list = await (await ask(reader, `?list-type=2&prefix=${own}/`)).text()
    t.equal(list.match(/<Key>/g)?.length, keys.length)
    t.match(await (await ask(guest, `?list-type=2&prefix=${own}/`)).text(), 'AccessDenied')
    const access = await mint('reader', 'access')
    t.match(await (await ask(access, `${own}/a b+c`)).json(), { reason: 'id_token_required' })
    const headers = { 'x-poolgate-id-token': reader.trim() }
    t.equal((await ask(access, `${own}/a b+c`, { headers })).status, 200)
    const others = { 'x-poolgate-id-token': guest.trim() }
    t.equal((await ask(access, `${own}/a b+c`, { headers: others })).status, 401)

    // To the SDK the route's prefix is a bucket.
    const sdk = new S3({
      ...bearerSdk(addressOf('gateway'), 'eu-west-1', reader.trim()),
      forcePathStyle: true,
      maxAttempts: 1,
    })
    t.teardown(() => sdk.destroy())
    const object = { Bucket: 'files', Key: `${own}/streamed` }
    const body = Readable.from([Buffer.alloc(100_000, 'a'), Buffer.alloc(100_000, 'b')])
    await sdk.putObject({ ...object, Body: body, ContentLength: 200_000 })
    t.equal(
      (await sdk.headObject(object)).ContentLength,
      200_000,
      'in chunks with a checksum behind',
    )
  },
)

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

t.test('with --data users stay, and a file that cannot be used is exit code 1', async (t) => {
  const data = join(t.testdir(), 'pool.json')
  const first = await start(t, { data })
  t.match(JSON.parse(readFileSync(data, 'utf8')), { users: [{ username: 'admin' }] })
  first.signals.get('SIGINT')?.()
  t.equal(await first.ended, 0)
  writeFileSync(data, '{}')
  const { written, ended } = await start(t, { data })
  t.equal(await ended, 1)
  t.match(written.err, `${data}: version: expected 1; it was left as it is`)
  t.equal(readFileSync(data, 'utf8'), '{}')
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

t.test('routes of every pool of a given configuration take the dev pool’s tokens', async (t) => {
  const text = createConfigText({
    userPools: `userPools:
  staff: {userPoolId: eu-west-1_A, clientIds: [a]}
  partners: {userPoolId: eu-west-1_B, clientIds: [b]}`,
    upstreams: 'upstreams: { orders: { targets: ["http://127.0.0.1:9"] } }',
    routes: `routes:
  - {name: s, match: {path: /staff/*}, access: {userPool: staff}, upstream: orders}
  - {name: p, match: {path: /partners/*}, access: {userPool: partners}, upstream: orders}
  - {name: a, match: {path: /any/*}, access: authenticated, upstream: orders}`,
  })
  const config = join(t.testdir({ 'c.yaml': text }), 'c.yaml')
  const { written, addressOf } = await start(t, { config })
  t.match(written.err, 'the dev pool stands for all of them: staff, partners')
  const token = /^POOLGATE_READER_TOKEN=(\S+)$/m.exec(written.out)?.[1]
  const headers = { authorization: `Bearer ${token}` }
  for (const path of ['/staff/x', '/partners/x', '/any/x']) {
    const answer = await fetch(addressOf('gateway') + path, { headers })
    t.match(await answer.json(), { reason: 'upstream_unreachable' }, `${path} was let in`)
  }
})

t.test('a file that the configuration names and nobody can read is exit code 1', async (t) => {
  const text = createConfigText({
    upstreams: `upstreams: { orders: { targets: ['https://a.example'], tls: { ca: none.pem } } }`,
  })
  const config = join(t.testdir({ 'c.yaml': text }), 'c.yaml')
  const { written, ended } = await start(t, { config })
  t.equal(await ended, 1)
  t.match(written.err, /: upstreams\.orders\.tls\.ca: the file cannot be read \(ENOENT\)\n/)
})

t.test('a browser is sent to the first route that signs it in', async (t) => {
  const text = createConfigText({
    top: `sessions:
  web:
    domain: https://a.auth.eu-west-1.amazoncognito.com
    clientId: client
    origins: [https://app.example.com]
    keys: [${'k'.repeat(32)}]`,
    upstreams: 'upstreams: { orders: { targets: ["http://127.0.0.1:9"] } }',
    routes: `routes:
  - {name: open, match: {path: /open}, access: public, upstream: orders}
  - {name: host, match: {path: /h, hosts: [a.example]}, access: authenticated, signIn: web, upstream: orders}
  - {name: app, match: {path: /app/*}, access: authenticated, signIn: web, upstream: orders}`,
  })
  const config = join(t.testdir({ 'c.yaml': text }), 'c.yaml')
  const { written } = await start(t, { config })
  t.match(written.out, /\nOpen http:\/\/localhost:\d+\/app\/ in a browser/)
})

t.test('a bad configuration is exit code 1, with the place', async (t) => {
  const config = join(t.testdir({ 'c.yaml': createConfigText({ top: 'x: 1' }) }), 'c.yaml')
  const { written, ended } = await start(t, { config })
  t.equal(await ended, 1)
  t.match(written.err, `${config}:2:1: x: unknown key`)
})

async function takePort(t: Test): Promise<string> {
  const taken = createServer()
  const address = await listenOn(taken, { kind: 'tcp', host: '127.0.0.1', port: 0 })
  t.teardown(() => taken.close())
  return address.split(':')[1] ?? ''
}

t.test('a taken port that a flag asked for is exit code 1, with flag and port', async (t) => {
  const port = await takePort(t)
  for (const [flag, options] of [
    ['--port', { port }],
    ['--pool-port', { poolPort: port }],
  ] as const) {
    const { written, ended } = await start(t, options)
    t.equal(await ended, 1, flag)
    t.equal(
      written.err.replace(/^port \d+ is taken: .*\n/gm, ''),
      `cannot start: ${flag} ${port}: another program listens on 127.0.0.1:${port}; stop it, give another port, or leave ${flag} out\n`,
    )
    t.notMatch(written.out, 'Ctrl-C', 'there is no guide to what does not run')
  }
})

t.test('a port that cannot be had for another reason says which, and the flag', async (t) => {
  const refused = Object.assign(new Error('listen EACCES: permission denied 127.0.0.1:80'), {
    code: 'EACCES',
    syscall: 'listen',
    port: 80,
  })
  const { written, ended } = await start(t, { port: '80' }, (...given) => ({
    ...createGateway(...given),
    start: () => Promise.reject(refused),
  }))
  t.equal(await ended, 1)
  t.match(written.err, `cannot start: --port 80: ${refused.message}; give another port`)
})

t.test('a port lost without a flag is told as the system tells it', async (t) => {
  const lost = Object.assign(new Error('listen EADDRINUSE: 127.0.0.1:9090'), {
    code: 'EADDRINUSE',
    syscall: 'listen',
    port: 9090,
  })
  const { written, ended } = await start(t, {}, (...given) => ({
    ...createGateway(...given),
    start: () => Promise.reject(lost),
  }))
  t.equal(await ended, 1)
  t.match(written.err, 'cannot start: listen EADDRINUSE: 127.0.0.1:9090\n')
})

t.test('one port for two is bad usage, any free one is not', async (t) => {
  const { written, ended } = await start(t, { port: '9000', poolPort: '09000' })
  t.equal(await ended, 2)
  t.equal(written.err, '--port and --pool-port cannot both be 9000\n')
})

t.test('the admin listener leaves its usual port to the gateway that asked for it', async (t) => {
  const given: unknown[] = []
  const { ended } = await start(t, { port: '9090' }, (loaded, ports) => {
    given.push(loaded.config.listen.address, loaded.config.admin)
    return { ...createGateway(loaded, ports), start: () => Promise.reject(listenError()) }
  })
  await ended
  t.match(given, [{ port: 9090 }, { address: { port: 0 } }])
})

function listenError(): Error {
  return Object.assign(new Error('listen'), { code: 'EADDRINUSE', syscall: 'listen' })
}

t.test('requests are not logged, unless verbose asks for it', async (t) => {
  for (const verbose of [false, true]) {
    const { written, addressOf, signals, ended } = await start(t, { verbose })
    t.equal((await fetch(`${addressOf('gateway')}/health`)).status, 200)
    t.equal((await fetch(`${addressOf('gateway')}/orders`)).status, 401)
    signals.get('SIGTERM')?.()
    t.equal(await ended, 0)
    const lines = written.out.match(/^\{.*"status":.*$/gm) ?? []
    t.equal(lines.length, verbose ? 2 : 0, `verbose: ${verbose}`)
    t.equal(/"message":"listening"/.test(written.out), verbose, 'what the gateway does')
  }
})

t.test(
  'a stop that fails is told, is exit code 70, and ends the others none the less',
  async (t) => {
    const { written, signals, ended, addressOf } = await start(t, {}, (...given) => {
      const gateway = createGateway(...given)
      return {
        ...gateway,
        stop: () => gateway.stop().then(() => Promise.reject(new Error('a part hangs'))),
      }
    })
    const others = ['demo upstream', 'user pool API'].map(addressOf)
    for (const address of others) await t.resolves(fetch(address), address)
    signals.get('SIGTERM')?.()
    t.equal(await ended, 70)
    t.match(written.err, 'internal error: stopping failed: Error: a part hangs\n')
    for (const address of others) await t.rejects(fetch(address), address)
  },
)

t.test('what is no port is bad usage', async (t) => {
  for (const port of ['http', '-1', '65536', '80.5', '']) {
    const { written, ended } = await start(t, { port })
    t.equal(await ended, 2, port)
    t.match(written.err, 'is not a port')
  }
})
