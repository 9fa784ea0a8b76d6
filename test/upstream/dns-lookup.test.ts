// Each address of a name is a target, and what DNS may not lead to is none.
import { spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import t, { type Test } from 'tap'
import { createDnsLookUp } from '../../src/upstream/dns-lookup.ts'
import type { Family } from '../../src/upstream/name-lookup.ts'
import { startDnsServer, type Zone } from '../support/dns-server.ts'
import { eventually } from '../support/eventually.ts'

/** Whatever the machine at hand has. */
const BOTH: readonly Family[] = ['IPv4', 'IPv6']

interface Changes {
  scheme?: string
  allowLinkLocal?: boolean
  families?: () => readonly Family[]
}

async function start(t: Test, zone: Zone, changes: Changes = {}) {
  const server = await startDnsServer({ 'orders.internal': zone })
  t.teardown(server.close)
  return { server, ...create(server.address, changes) }
}

function create(
  address: string,
  { scheme = 'http:', allowLinkLocal = false, families = () => BOTH }: Changes = {},
) {
  const lookUp = createDnsLookUp(
    { scheme, host: 'orders.internal', port: 8080 },
    { servers: [address], allowLinkLocal },
    families,
  )
  const ask = () => lookUp.ask(new AbortController().signal)
  const targets = async () => (await ask()).targets.map(({ target }) => target).sort()
  return { ask, targets }
}

t.test('every IPv4 and IPv6 address is a target, for as long as the shortest holds', async (t) => {
  const { ask, targets } = await start(t, {
    A: ['10.0.0.1', '10.0.0.2'],
    AAAA: ['fd00:1:0:0:0:0:0:1'],
    ttl: 7,
  })
  t.same(await targets(), [
    'http://10.0.0.1:8080',
    'http://10.0.0.2:8080',
    'http://[fd00:1::1]:8080',
  ])
  t.match(await ask(), { ttlMs: 7_000, problem: undefined, leftOut: [] })
})

t.test('a target goes by the name that was looked up', async (t) => {
  const https = await start(t, { A: ['10.0.0.1'] }, { scheme: 'https:' })
  t.same((await https.ask()).targets, [
    { target: 'https://10.0.0.1:8080', serverName: 'orders.internal' },
  ])
  const http = await start(t, { A: ['10.0.0.1'] })
  t.same((await http.ask()).targets, [
    { target: 'http://10.0.0.1:8080', serverName: 'orders.internal' },
  ])
})

t.test('a family that the machine cannot reach is not asked for', async (t) => {
  const zone: Zone = { A: ['10.0.0.1'], AAAA: ['fd00:1:0:0:0:0:0:1'] }
  const { server, targets } = await start(t, zone, { families: () => ['IPv4'] })
  t.same(await targets(), ['http://10.0.0.1:8080'])
  t.equal(server.questions(), 1)
})

t.test('a thousand addresses come by TCP', async (t) => {
  const A = Array.from({ length: 1_000 }, (_, n) => `10.0.${n >> 8}.${n & 255}`)
  const { server, targets } = await start(t, { A })
  t.equal((await targets()).length, 1_000)
  t.equal(server.byTcp(), 1)
})

t.test('U-14 link-local, unspecified and multicast addresses are left out', async (t) => {
  const zone = {
    A: ['169.254.169.254', '10.0.0.1', '0.0.0.0', '224.0.0.1'],
    AAAA: ['fe80:0:0:0:0:0:0:1', 'fd00:ec2:0:0:0:0:0:254'],
  }
  const { ask, targets } = await start(t, zone)
  t.same(await targets(), ['http://10.0.0.1:8080'])
  t.same([...(await ask()).leftOut].sort(), [
    '0.0.0.0 is unspecified',
    '169.254.169.254 is link-local',
    '224.0.0.1 is multicast',
    'fd00:ec2::254 is link-local',
    'fe80::1 is link-local',
  ])
  const allowing = await start(t, zone, { allowLinkLocal: true })
  t.same(await allowing.targets(), [
    'http://10.0.0.1:8080',
    'http://169.254.169.254:8080',
    'http://[fd00:ec2::254]:8080',
    'http://[fe80::1]:8080',
  ])
})

t.test('no such name, no address and no service are no answers', async (t) => {
  const { server, ask } = await start(t, {})
  await t.rejects(ask(), { message: 'orders.internal has no address' })
  server.serve({})
  await t.rejects(ask(), { message: 'orders.internal has no address' })
  server.fail('refused')
  await t.rejects(ask(), /EREFUSED orders\.internal/)
})

t.test('a family that cannot be asked for keeps its addresses, and is told', async (t) => {
  const zone = { A: ['10.0.0.1'], AAAA: ['fd00:1:0:0:0:0:0:1'] }
  const { server, ask, targets } = await start(t, zone)
  await targets()
  server.serve({ 'orders.internal': { A: ['10.0.0.2'], failsAAAA: 'refused' } })
  t.match(await ask(), { problem: /EREFUSED/ })
  t.same(await targets(), ['http://10.0.0.2:8080', 'http://[fd00:1::1]:8080'])
  server.serve({ 'orders.internal': { A: ['10.0.0.2'] } })
  t.same(await targets(), ['http://10.0.0.2:8080'], 'one that is no more there goes')
})

t.test('a look that is given up ends', async (t) => {
  const server = await startDnsServer()
  t.teardown(server.close)
  server.fail('silent')
  const lookUp = createDnsLookUp(
    { scheme: 'http:', host: 'a.test', port: 1 },
    { servers: [server.address], allowLinkLocal: false },
  )
  const controller = new AbortController()
  const asked = lookUp.ask(controller.signal)
  await eventually('a question', () => server.questions() > 0)
  controller.abort()
  await t.rejects(asked, /ECANCELLED/)
})

const hasDnsmasq = spawnSync('dnsmasq', ['--version']).status === 0
const withDnsmasq = hasDnsmasq
  ? {}
  : { skip: 'dnsmasq is not on PATH: no real name server was asked' }

t.test('dnsmasq answers as the test server does', withDnsmasq, async (t) => {
  const { ask, targets } = await startDnsmasq(t)
  t.same(await targets(), [
    'http://10.0.0.1:8080',
    'http://10.0.0.2:8080',
    'http://[fd00:1::1]:8080',
  ])
  t.equal((await ask()).ttlMs, 9_000)
})

/** Its port may be taken for TCP, or between two breaths: it says so by ending, and is started again on another one. */
async function startDnsmasq(t: Test): Promise<ReturnType<typeof create>> {
  const records = ['10.0.0.1', '10.0.0.2', 'fd00:1::1'].map(
    (ip) => `--host-record=orders.internal,${ip}`,
  )
  for (let attempt = 0; attempt < 5; attempt++) {
    const port = await freePort()
    const options = [
      '--no-daemon',
      '--conf-file=/dev/null',
      '--no-resolv',
      '--no-hosts',
      '--bind-interfaces',
      '--listen-address=127.0.0.1',
      `--port=${port}`,
      '--local-ttl=9',
      '--user=',
      '--local=/internal/',
    ]
    const dnsmasq = spawn('dnsmasq', [...options, ...records], { stdio: 'ignore' })
    const ended = new Promise((resolve) => dnsmasq.on('exit', resolve))
    t.teardown(async () => {
      dnsmasq.kill()
      if (dnsmasq.exitCode === null) await ended
    })
    const lookup = create(`127.0.0.1:${port}`)
    const answers = eventually('dnsmasq', () => lookup.targets().catch(() => undefined)).then(
      () => true,
      () => false,
    )
    if (await Promise.race([answers, ended.then(() => false)])) return lookup
  }
  throw new Error('dnsmasq does not answer')
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(resolve))
  return port
}
