// WebSockets by way of other programs: TLS on the client's side, nginx and HAProxy as upstreams, and a thousand that come and go.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-ports.ts'
import { scrape } from '../support/scrape.ts'
import { createSelfSigned } from '../support/self-signed.ts'
import { type ConfigParts, startGateway } from '../support/start-gateway.ts'

const ROUTES = `
  - {name: ws, match: {path: /*}, access: authenticated, upstream: up, upgrades: [websocket]}
`
const directory = mkdtempSync(join(tmpdir(), 'poolgate-'))
const echo = new WebSocketServer({ port: 0, host: '127.0.0.1' })
echo.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  socket.on('error', () => undefined)
})
t.teardown(() => {
  for (const socket of echo.clients) socket.terminate()
  echo.close()
  rmSync(directory, { recursive: true })
})
await new Promise((resolve) => echo.once('listening', resolve))
const { port: echoPort } = echo.address() as AddressInfo

async function startWith(t: Test, parts: ConfigParts) {
  const gate = await startGateway({ routes: ROUTES, ...parts })
  t.teardown(() => gate.stop())
  return gate
}

/** Opens, has a message of 100 KiB echoed, and closes; the code of the close. */
async function converse(url: string, token: string, ca?: string): Promise<number> {
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${token}` },
    ...(ca !== undefined && { ca }),
  })
  const data = Buffer.alloc(100 * 1024, 'x')
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('open', () => socket.send(data))
    socket.on('message', (echoed: Buffer) => {
      if (echoed.equals(data)) socket.close(1000)
      else reject(new Error('another message came back'))
    })
    socket.on('close', resolve)
  })
}

t.test('wss: the same over TLS', async (t) => {
  const { cert, key } = createSelfSigned()
  writeFileSync(join(directory, 'cert.pem'), cert)
  writeFileSync(join(directory, 'key.pem'), key)
  const gate = await startWith(t, {
    listen: `{address: "127.0.0.1:0", tls: {cert: ${directory}/cert.pem, key: ${directory}/key.pem}}`,
    upstreamOrigin: `http://127.0.0.1:${echoPort}`,
  })
  const url = gate.origin.replace('https', 'wss')
  t.equal(await converse(url, gate.issuer.access(), cert), 1000)
})

const PEERS = {
  nginx: {
    args: (file: string) => ['-p', directory, '-c', file, '-g', 'daemon off;'],
    config: (port: number) => `
pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events {}
http {
  access_log off;
  client_body_temp_path ${directory}/a; proxy_temp_path ${directory}/b; fastcgi_temp_path ${directory}/c;
  uwsgi_temp_path ${directory}/d; scgi_temp_path ${directory}/e;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${echoPort};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
    }
  }
}`,
  },
  haproxy: {
    args: (file: string) => ['-db', '-f', file],
    config: (port: number) => `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel 30s
listen ws
  bind 127.0.0.1:${port}
  server echo 127.0.0.1:${echoPort}
`,
  },
}

for (const [name, peer] of Object.entries(PEERS)) {
  const program = ['', '/usr/sbin/', '/usr/local/sbin/']
    .map((folder) => folder + name)
    .find((path) => spawnSync(path, ['-v']).error === undefined)
  const options = program === undefined ? { skip: `${name} is not here to be an upstream` } : {}
  t.test(`${name} as the upstream carries them on`, options, async (t) => {
    const port = await freePort()
    const file = join(directory, `${name}.conf`)
    writeFileSync(file, peer.config(port))
    const child = spawn(program ?? '', peer.args(file), { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.on('exit', resolve))
    t.teardown(async () => {
      child.kill()
      await ended
    })
    await eventually(name, () =>
      fetch(`http://127.0.0.1:${port}/`).then(
        () => true,
        () => false,
      ),
    )
    const gate = await startWith(t, { upstreamOrigin: `http://127.0.0.1:${port}` })
    const url = gate.origin.replace('http', 'ws')
    t.equal(await converse(url, gate.issuer.access()), 1000)
  })
}

t.test('a thousand that come and go leave nothing behind', async (t) => {
  const gate = await startWith(t, { upstreamOrigin: `http://127.0.0.1:${echoPort}` })
  const url = gate.origin.replace('http', 'ws')
  const token = gate.issuer.access()
  const headers = { authorization: `Bearer ${token}` }
  const openAndLeave = (how: 'close' | 'terminate') =>
    new Promise<void>((resolve, reject) => {
      const socket = new WebSocket(url, { headers, perMessageDeflate: false })
      socket.on('error', reject)
      socket.on('open', () => socket[how]())
      socket.on('close', () => resolve())
    })
  const timers = () =>
    process.getActiveResourcesInfo().filter((name) => /Timeout|TCP/.test(name)).length
  await openAndLeave('close')
  const before = timers()
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => openAndLeave(i % 2 === 0 ? 'close' : 'terminate')),
    )
  }
  const upgraded = () => scrape(gate.adminOrigin, 'poolgate_upgraded_connections')
  await eventually('all are over', async () => (await upgraded()) === 0)
  await eventually('every line', () => gate.accessLines().length === 1_001)
  t.ok(gate.accessLines().every(({ status }) => status === 101))
  await eventually('no timer and no connection is left', () => timers() <= before + 2)
  t.pass('nothing is left')
})
