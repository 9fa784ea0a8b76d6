// The gateway as a whole: it holds both addresses or neither, and ends when asked, however often.
import t from 'tap'
import { loadConfig } from '../src/config/load.ts'
import { createGateway, findRouteProblems } from '../src/gateway.ts'
import { createConfigText } from './support/config-text.ts'
import { realClock } from './support/real-clock.ts'

const POOL = `userPools:
  main: {userPoolId: eu-west-1_A, clientIds: [a], jwksUri: 'http://127.0.0.1:9/'}`

function create(top: string) {
  const loaded = loadConfig(createConfigText({ top, userPools: POOL }), 'c.yaml', {})
  const lines: string[] = []
  const logDestination = { write: (line: string) => lines.push(line) }
  const ports = { clock: realClock, version: '1.2.3', logDestination }
  return { lines, gateway: createGateway(loaded, ports) }
}

t.test('says where it listens, and that it ends', async (t) => {
  const { gateway, lines } = create('listen: 127.0.0.1:0\nadmin: 127.0.0.1:0')
  const { origin, adminOrigin } = await gateway.start()
  t.match(origin, /^http:\/\/127\.0\.0\.1:\d+$/)
  t.equal((await fetch(`${adminOrigin}/livez`)).status, 200)
  await gateway.stop()
  await t.rejects(fetch(origin))
  await t.rejects(fetch(`${adminOrigin}/livez`))
  t.match(lines.join(''), /"message":"listening"[\s\S]*"message":"draining"/)
})

t.test('an address that is taken leaves the other one free', async (t) => {
  const first = create('listen: 127.0.0.1:0\nadmin: 127.0.0.1:0')
  const { origin, adminOrigin } = await first.gateway.start()
  t.teardown(first.gateway.stop)
  const hosts = [origin, adminOrigin ?? ''].map((url) => new URL(url).host)
  for (const top of [
    `listen: ${hosts[0]}\nadmin: 127.0.0.1:0`,
    `listen: 127.0.0.1:0\nadmin: ${hosts[1]}`,
  ]) {
    const { gateway, lines } = create(top)
    await t.rejects(gateway.start(), { code: 'EADDRINUSE' })
    t.notMatch(lines.join(''), 'listening')
    await gateway.stop()
  }
})

t.test('stopping twice resolves twice, at the same end', async (t) => {
  const { gateway } = create('listen: 127.0.0.1:0\nadmin: none')
  const { origin, adminOrigin } = await gateway.start()
  t.equal(adminOrigin, undefined)
  await Promise.all([gateway.stop(), gateway.stop()])
  await t.rejects(fetch(origin))
})

t.test('routes that could tie are problems at their place', async (t) => {
  const routes = `routes:
  - {name: a, match: {path: /a}, access: public, upstream: orders}
  - {name: b, match: {path: /a}, access: public, upstream: orders}`
  const loaded = loadConfig(createConfigText({ routes }), 'c.yaml', {})
  t.match(findRouteProblems(loaded), [{ file: 'c.yaml', path: 'routes[1].match', line: Number }])
  t.same(findRouteProblems(loadConfig(createConfigText(), 'c.yaml', {})), [])
})
