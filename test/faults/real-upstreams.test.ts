// nginx and HAProxy as upstreams: what they answer arrives as it is, and that they close connections, reload, quit and are killed fails
// no GET as long as somebody is there to answer it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { startFaultGateway } from '../support/fault-gateway.ts'
import { freePort } from '../support/free-ports.ts'
import { ask, count, inLanes } from '../support/many-requests.ts'

const KIB = 1024
const directory = mkdtempSync(join(tmpdir(), 'poolgate-'))
t.teardown(() => rmSync(directory, { recursive: true, force: true }))
mkdirSync(join(directory, 'up'))
writeFileSync(join(directory, 'up/small.txt'), 'hello')
writeFileSync(join(directory, 'up/text.txt'), 'hello world '.repeat(10_000))
writeFileSync(join(directory, 'up/big.bin'), Buffer.alloc(2 * KIB * KIB, 'x'))

const agent = new Agent({ keepAlive: true })
t.teardown(() => agent.destroy())

function find(name: string): string | undefined {
  return ['', '/usr/sbin/', '/usr/local/sbin/']
    .map((folder) => folder + name)
    .find((path) => spawnSync(path, ['-v']).error === undefined)
}
const nginx = find('nginx')
const haproxy = find('haproxy')
const needs = (program: string | undefined, name: string) =>
  program === undefined ? { skip: `${name} is not here to be an upstream` } : {}

interface Peer {
  readonly origin: string
  readonly process: () => ChildProcess
  /** Ends it by this signal and starts it again. */
  restart(signal: NodeJS.Signals): Promise<void>
}

async function startPeer(
  t: Test,
  program: string,
  port: number,
  args: readonly string[],
): Promise<Peer> {
  const origin = `http://127.0.0.1:${port}`
  let child: ChildProcess
  let exited: Promise<unknown>
  const start = async () => {
    child = spawn(program, args, { stdio: 'ignore' })
    exited = new Promise((resolve) => child.once('exit', resolve))
    await eventually(program, () =>
      fetch(`${origin}/up/small.txt`).then(
        (answer) => answer.text().then(() => true),
        () => false,
      ),
    )
  }
  await start()
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await exited
  }
  t.teardown(() => end('SIGTERM'))
  return {
    origin,
    process: () => child,
    async restart(signal) {
      await end(signal)
      await start()
    },
  }
}

let peers = 0
async function startNginx(t: Test): Promise<Peer> {
  const port = await freePort()
  const home = join(directory, `nginx${peers++}`)
  mkdirSync(home)
  const file = join(home, 'nginx.conf')
  writeFileSync(
    file,
    `user root; worker_processes 1; pid ${home}/pid; error_log ${home}/error.log;
events {}
http {
  access_log off; keepalive_requests 20; gzip_types text/plain; gzip_proxied any; default_type text/plain;
  client_body_temp_path ${home}/a; proxy_temp_path ${home}/b; fastcgi_temp_path ${home}/c;
  uwsgi_temp_path ${home}/d; scgi_temp_path ${home}/e;
  server {
    listen 127.0.0.1:${port} reuseport;
    root ${directory};
    location = /up/text.txt { gzip on; }
    location = /up/none { return 204; }
    location = /up/brief { keepalive_timeout 1s; return 200 brief; }
    location = /up/moved { return 302 http://other.test/; }
    location = /up/wide { add_header X-Wide ${'w'.repeat(3_000)}; return 200 wide; }
    location = /up/slow.bin { alias ${directory}/up/big.bin; limit_rate 200k; }
  }
}`,
  )
  return startPeer(t, nginx as string, port, ['-p', home, '-c', file, '-g', 'daemon off;'])
}

interface Seen {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

function see(origin: string, path: string, method: string, headers: Record<string, string>) {
  return new Promise<Seen>((resolve, reject) => {
    const request = httpRequest(`${origin}/up/${path}`, { method, headers, agent }, (response) => {
      const chunks: Buffer[] = []
      // What is for one hop alone, or changes each second.
      const HOP = ['date', 'connection', 'keep-alive', 'transfer-encoding']
      const rest = Object.fromEntries(
        Object.entries(response.headers).filter(([name]) => !HOP.includes(name)),
      )
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString('latin1')
        resolve({ status: response.statusCode ?? 0, headers: rest, body })
      })
    })
    request.on('error', reject).end()
  })
}

/** GETs without a pause, until told to stop; how they ended. */
function drive(origin: string): () => Promise<Record<string, number>> {
  let isOver = false
  const statuses: (string | number)[] = []
  const lane = async () => {
    while (!isOver) {
      const { status, complete } = await ask(`${origin}/up/small.txt`, { agent })
      statuses.push(complete ? status : 'broken')
    }
  }
  const lanes = Promise.all(Array.from({ length: 16 }, lane))
  return async () => {
    isOver = true
    await lanes
    return count(statuses)
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

t.test(
  'R-05 lean: no POST fails on connections that nginx closes at about that time',
  needs(nginx, 'nginx'),
  async (t) => {
    const { origin } = await startNginx(t)
    const gate = await startFaultGateway(t, { up: `targets: ['${origin}']` })
    const post = () => ask(`${gate.origin}/up/brief`, { method: 'POST', body: 'x', agent })
    const statuses = [(await post()).status]
    // By now it is known when nginx closes.
    await pause(1_200)
    for (let wave = 0; wave < 5; wave++) {
      statuses.push(...(await inLanes(60, 60, post)).map(({ status }) => status))
      await pause(980 + wave * 10)
    }
    t.same(count(statuses), { 200: 301 })
  },
)

for (const engine of ['lean', 'undici']) {
  const upstream = (...origins: string[]) => ({
    up: `targets: ${JSON.stringify(origins)}, engine: ${engine}`,
  })

  t.test(
    `U-06, U-10, U-15 ${engine}: what nginx answers arrives as it is`,
    needs(nginx, 'nginx'),
    async (t) => {
      const { origin } = await startNginx(t)
      const gate = await startFaultGateway(t, upstream(origin))
      const { headers } = await see(origin, 'big.bin', 'HEAD', {})
      const cases: [string, string, Record<string, string>, number][] = [
        ['small.txt', 'GET', {}, 200],
        ['big.bin', 'GET', {}, 200],
        ['big.bin', 'HEAD', {}, 200],
        ['text.txt', 'GET', { 'accept-encoding': 'gzip' }, 200],
        ['text.txt', 'GET', {}, 200],
        ['big.bin', 'GET', { range: 'bytes=5-9' }, 206],
        ['big.bin', 'GET', { range: 'bytes=1-2,100-200' }, 206],
        ['big.bin', 'GET', { range: 'bytes=99999999-' }, 416],
        ['big.bin', 'GET', { 'if-none-match': String(headers.etag) }, 304],
        ['big.bin', 'HEAD', { 'if-none-match': String(headers.etag) }, 304],
        ['none', 'GET', {}, 204],
        ['none', 'HEAD', {}, 204],
        ['moved', 'GET', {}, 302],
        ['wide', 'GET', {}, 200],
        ['nothing', 'GET', {}, 404],
        ['small.txt', 'DELETE', {}, 405],
      ]
      for (const [path, method, fields, status] of cases) {
        // The boundary of several ranges is another one each time.
        const plain = (seen: Seen) => JSON.stringify(seen).replaceAll(/\d{20}/g, 'boundary')
        const direct = await see(origin, path, method, fields)
        const through = await see(gate.origin, path, method, fields)
        t.equal(through.status, status, `${method} ${path} ${JSON.stringify(fields)}`)
        t.ok(plain(through) === plain(direct), 'the same as without the gateway')
      }
      const gzipped = await see(gate.origin, 'text.txt', 'GET', { 'accept-encoding': 'gzip' })
      t.equal(gzipped.headers['content-encoding'], 'gzip')
    },
  )

  t.test(
    `R-05 ${engine}: 10,000 GETs on connections that nginx closes after 20`,
    needs(nginx, 'nginx'),
    async (t) => {
      const { origin } = await startNginx(t)
      const gate = await startFaultGateway(t, upstream(origin))
      const endings = await inLanes(10_000, 16, () => ask(`${gate.origin}/up/small.txt`, { agent }))
      t.same(count(endings.map(({ status, bytes }) => `${status} ${bytes}`)), { '200 5': 10_000 })
    },
  )

  t.test(
    `${engine}: nginx reloads and quits, and no GET fails`,
    needs(nginx, 'nginx'),
    async (t) => {
      const [one, two] = [await startNginx(t), await startNginx(t)]
      const gate = await startFaultGateway(t, upstream(one.origin))
      const alone = drive(gate.origin)
      for (let i = 0; i < 6; i++) {
        await pause(250)
        one.process().kill('SIGHUP')
      }
      await pause(500)
      const reloaded = await alone()
      t.same(Object.keys(reloaded), ['200'], `one that reloads: ${JSON.stringify(reloaded)}`)
      const pair = await startFaultGateway(t, upstream(one.origin, two.origin))
      const both = drive(pair.origin)
      for (const signal of ['SIGQUIT', 'SIGTERM', 'SIGQUIT', 'SIGTERM'] as const) {
        await pause(200)
        await one.restart(signal)
      }
      const restarted = await both()
      t.same(
        Object.keys(restarted),
        ['200'],
        `one of two that restarts: ${JSON.stringify(restarted)}`,
      )
    },
  )

  t.test(
    `U-05 ${engine}: a worker of nginx that is killed amid a body is seen to be`,
    needs(nginx, 'nginx'),
    async (t) => {
      const peer = await startNginx(t)
      const gate = await startFaultGateway(t, upstream(peer.origin))
      const { pid } = peer.process()
      for (let i = 0; i < 5; i++) {
        const workers = () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
        const slow = inLanes(8, 8, () => ask(`${gate.origin}/up/slow.bin`, { agent }))
        await pause(300)
        process.kill(Number(workers()), 'SIGKILL')
        const endings = await slow
        t.ok(
          endings.every(({ status, complete, bytes }) => status === 200 && !complete && bytes > 0),
          'none of eight ends as whole',
        )
        await eventually('another worker', () =>
          fetch(`${gate.origin}/up/small.txt`).then(
            async (answer) => (await answer.text()) === 'hello',
          ),
        )
      }
      t.ok(
        gate.lines().some(({ outcome }) => outcome === 'upstream_truncated'),
        'and logged so',
      )
      await gate.idle()
    },
  )

  const both = haproxy && nginx
  t.test(
    `${engine}: HAProxy is stopped hard, one of two, and no GET fails`,
    needs(both, 'HAProxy with nginx'),
    async (t) => {
      const behind = await startNginx(t)
      const proxies: Peer[] = []
      for (let i = 0; i < 2; i++) {
        const port = await freePort()
        const file = join(directory, `haproxy${peers++}.cfg`)
        writeFileSync(
          file,
          `defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  retries 3
  option redispatch
listen up
  bind 127.0.0.1:${port}
  server one ${behind.origin.slice(7)}
`,
        )
        proxies.push(await startPeer(t, haproxy as string, port, ['-db', '-f', file]))
      }
      const gate = await startFaultGateway(t, upstream(...proxies.map(({ origin }) => origin)))
      const driven = drive(gate.origin)
      for (const signal of ['SIGTERM', 'SIGUSR1', 'SIGTERM', 'SIGKILL'] as const) {
        await pause(200)
        await proxies[0]?.restart(signal)
      }
      const counts = await driven()
      t.same(Object.keys(counts), ['200'], JSON.stringify(counts))
      await gate.idle()
    },
  )
}
