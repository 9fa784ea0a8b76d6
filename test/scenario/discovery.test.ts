// Targets that are found by DNS behind a whole gateway: they move, they cannot be found for a while, and clients do not notice.
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { changeTargets } from '../support/changing-targets.ts'
import { startDnsServer } from '../support/dns-server.ts'
import { eventually } from '../support/eventually.ts'
import { createSelfSigned } from '../support/self-signed.ts'
import { startGateway } from '../support/start-gateway.ts'

const NAME = 'orders.internal'

/** Two servers with one port: the first is at 127.0.0.1, the second at 127.0.0.2. */
async function startPair(t: Test) {
  const open = [0, 0]
  const servers = ['a', 'b'].map((answer, n) => {
    const server = createServer((_, response) => response.end(answer))
    return server.on('connection', (socket) => {
      open[n]!++
      socket.on('close', () => open[n]!--)
    })
  }) as [Server, Server]
  const listen = (server: Server, port: number, host: string) =>
    new Promise<void>((resolve) => server.listen(port, host, resolve))
  await listen(servers[0], 0, '127.0.0.1')
  const { port } = servers[0].address() as AddressInfo
  await listen(servers[1], port, '127.0.0.2')
  t.teardown(async () => {
    for (const server of servers) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })
  return { port, open: (n: 0 | 1) => open[n] }
}

async function start(
  t: Test,
  first: Parameters<typeof startDnsServer>[0] = { [NAME]: { A: ['127.0.0.1'], ttl: 0 } },
) {
  const pair = await startPair(t)
  const dns = await startDnsServer(first)
  const discover = `{dns: 'http://${NAME}:${pair.port}', servers: ['${dns.address}'], refresh: 100ms}`
  const gate = await startGateway({ discover })
  t.teardown(async () => {
    await gate.stop()
    await dns.close()
  })
  const ready = async () => (await fetch(`${gate.adminOrigin}/readyz`)).text()
  const ask = async () => {
    const response = await fetch(`${gate.origin}/public/x`)
    const text = await response.text()
    return response.status === 200 ? text : `${response.status} ${text}`
  }
  const messages = () =>
    gate.logged.map((line) => JSON.parse(line).message).filter((text) => /discover/.test(text))
  return { ...pair, dns, gate, ready, ask, messages }
}

t.test('R-14 a name that moves takes its requests along, and none fails', async (t) => {
  const { dns, ask, open, ready } = await start(t)
  await eventually('the first answer', async () => (await ready()) === 'ok\n' || undefined)
  t.equal(await ask(), 'a')
  dns.serve({ [NAME]: { A: ['127.0.0.2'], ttl: 0 } })
  // It may have moved before the first of these.
  const met = new Set(['a'])
  await eventually('the move', async () => {
    const answer = await ask()
    met.add(answer)
    return answer === 'b'
  })
  for (let i = 0; i < 50; i++) t.equal(await ask(), 'b')
  t.same([...met].sort(), ['a', 'b'])
  await eventually('the old connections to be closed', () => open(0) === 0)
})

t.test('R-15 while DNS refuses, or has forgotten the name, the last answer serves', async (t) => {
  const { dns, ask, messages, ready } = await start(t)
  await eventually('the first answer', async () => (await ready()) === 'ok\n' || undefined)
  for (const fail of [
    () => dns.fail('refused'),
    () => dns.serve({}),
    () => dns.serve({ [NAME]: {} }),
  ]) {
    fail()
    const asked = dns.questions()
    await eventually('further questions', async () => {
      t.equal(await ask(), 'a')
      return dns.questions() > asked + 10
    })
  }
  t.same(messages(), ['targets discovered', 'targets cannot be discovered'], 'told once')
  dns.serve({ [NAME]: { A: ['127.0.0.2'], ttl: 0 } })
  await eventually('the new address', async () => (await ask()) === 'b')
  t.equal(messages().at(-1), 'targets discovered', 'and once that it is over')
  t.equal(messages().length, 3)
})

t.test('until the first answer requests are 502, and the gateway is not ready', async (t) => {
  const { dns, gate, ask, ready } = await start(t, {})
  await eventually('a first question', () => dns.questions() > 0)
  await eventually('its answer', () =>
    gate.logged.some((line) => line.includes('cannot be discovered')),
  )
  t.match(await ask(), /^502 .*upstream_unreachable/)
  const [line] = gate.accessLines()
  t.equal(line?.detail, `no target is known yet: ${NAME} has no address`)
  t.match(await ready(), 'upstream up has no targets')
  dns.serve({ [NAME]: { A: ['127.0.0.1'], ttl: 0 } })
  await eventually('the first answer', async () => (await ready()) === 'ok\n' || undefined)
  t.equal(await ask(), 'a')
})

t.test('U-14 a name that moves to the metadata service leads nowhere', async (t) => {
  const { dns, gate, ask, ready } = await start(t)
  await eventually('the first answer', async () => (await ready()) === 'ok\n' || undefined)
  dns.serve({ [NAME]: { A: ['169.254.169.254'], ttl: 0 } })
  await eventually('the line', () =>
    gate.logged.some((line) => line.includes('169.254.169.254 is link-local')),
  )
  for (let i = 0; i < 20; i++) t.equal(await ask(), 'a')
})

t.test('a reload goes on with what is found, and asks no more for what it drops', async (t) => {
  const { dns, gate, ask, ready } = await start(t)
  await eventually('the first answer', async () => (await ready()) === 'ok\n' || undefined)
  dns.fail('refused')
  gate.gateway.reload(loadConfig(gate.config({ more: 'limits: {target: 1KiB}' }), 'c.yaml', {}))
  t.equal(await ready(), 'ok\n')
  t.equal(await ask(), 'a')
  const text = gate.config({ upstreamOrigin: gate.upstream.origin, more: 'timeouts: {drain: 1ms}' })
  const dropping = text.replace(/discover: .*/, `targets: ['${gate.upstream.origin}']`)
  gate.gateway.reload(loadConfig(dropping, 'c.yaml', {}))
  t.match(await ask(), /"method":"GET"/)
  let asked = -1
  await eventually('the questions to end', async () => {
    const before = asked
    asked = dns.questions()
    await new Promise((resolve) => setTimeout(resolve, 150))
    return before === asked
  })
})

t.test('an https target found by name is verified by that name', async (t) => {
  const dir = t.testdir({})
  const dns = await startDnsServer({
    [NAME]: { A: ['127.0.0.1'] },
    'other.internal': { A: ['127.0.0.1'] },
  })
  const { key, cert } = createSelfSigned({ names: [NAME] })
  const names: unknown[] = []
  const server = createTlsServer({ key, cert }, (request, response) => {
    names.push((request.socket as unknown as { servername: unknown }).servername)
    response.end(request.headers.host)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  writeFileSync(join(dir, 'ca.pem'), cert)
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await dns.close()
  })
  for (const [name, status] of [
    [NAME, 200],
    ['other.internal', 502],
  ] as const) {
    const gate = await startGateway({
      discover: `{dns: 'https://${name}:${port}', servers: ['${dns.address}']}`,
      up: `    tls: {ca: '${join(dir, 'ca.pem')}'}`,
    })
    await eventually('the first answer', async () => (await fetch(`${gate.adminOrigin}/readyz`)).ok)
    const response = await fetch(`${gate.origin}/public/x`)
    t.equal(response.status, status, name)
    if (status === 200)
      t.equal(await response.text(), new URL(gate.origin).host, "the client's own Host")
    await gate.stop()
  }
  t.same(names, [NAME])
})

t.test('1,000 targets, of which 300 are others ten times a second: no request fails', async (t) => {
  const { changes, requests, failures, met } = await changeTargets(t, {
    targets: 1_000,
    moving: 300,
    everyMs: 100,
    forMs: 4_000,
    callers: 16,
  })
  t.same(failures.slice(0, 5), [])
  t.ok(changes > 20, `${changes} changes`)
  t.ok(requests > 500, `${requests} requests`)
  t.ok(met > 300, `${met} targets got one`)
})
