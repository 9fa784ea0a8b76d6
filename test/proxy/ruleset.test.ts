// Configurations are compiled and swapped whole; what stays the same is carried over.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { createRulesets } from '../../src/proxy/ruleset.ts'
import { createConfigText } from '../support/config-text.ts'
import { eventually } from '../support/eventually.ts'
import { startDnsServer } from '../support/dns-server.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { createIssuer } from '../support/issuer.ts'
import { createSelfSigned } from '../support/self-signed.ts'

const issuer = createIssuer()

function load(parts: Parameters<typeof createConfigText>[0] = {}) {
  return loadConfig(createConfigText(parts), 'c.yaml', {}).config
}

function create(t: Test, config = load(), document: unknown = issuer.jwks()) {
  const clock = createFakeClock()
  const fetched: string[] = []
  let answer = document
  const problems: (string | undefined)[] = []
  const rulesets = createRulesets(config, {
    clock,
    random: () => 0.5,
    routeIndex: (name) => name.length,
    fetchJwks: async (url) => {
      fetched.push(url)
      if (answer === undefined) return { ok: false, message: 'down' }
      return { ok: true, value: answer }
    },
    keysChanged: (_, problem) => problems.push(problem),
    credentialsChanged: () => undefined,
    discovered: () => undefined,
    healthChanged: () => undefined,
    sessionsChanged: () => undefined,
  })
  t.teardown(rulesets.stop)
  const breakDown = () => {
    answer = undefined
  }
  return { clock, rulesets, fetched, problems, breakDown }
}

const OTHER_UPSTREAM = `upstreams:
  orders:
    targets: [http://127.0.0.1:10]`
const OTHER_POOL = `userPools:
  main:
    userPoolId: eu-west-1_EXAMPLE02
    clientIds: [client]`

t.test('keys are fetched at once, from the configured address alone', async (t) => {
  const { rulesets, fetched, problems } = create(t)
  const { jwksUri } = load().userPools.main ?? {}
  t.same(fetched, [jwksUri])
  await eventually('usable keys', () => rulesets.current().keys.get('main')?.usable())
  t.same(problems, [undefined])
})

t.test('parts whose settings stay the same are carried over', async (t) => {
  const { rulesets, fetched } = create(t)
  const before = rulesets.current()
  rulesets.adopt(load({ top: 'limits: {target: 100B}' }))
  const after = rulesets.current()
  t.not(after, before)
  t.equal(after.limits.target, 100)
  t.equal(after.keys.get('main'), before.keys.get('main'))
  t.equal(after.upstreams.get('orders'), before.upstreams.get('orders'))
  t.not(after.verifier, before.verifier, 'no cached decision is')
  t.equal(fetched.length, 1)
})

t.test('a renewed certificate makes an upstream anew, and the same one does not', async (t) => {
  const folder = t.testdir({ ca: createSelfSigned().cert })
  const upstreams = `upstreams: {orders: {targets: ['https://127.0.0.1:9'], tls: {ca: '${folder}/ca'}}}`
  const { rulesets } = create(t, load({ upstreams }))
  const orders = () => rulesets.current().upstreams.get('orders')
  const first = orders()
  rulesets.adopt(load({ upstreams }))
  t.equal(orders(), first)
  writeFileSync(`${folder}/ca`, createSelfSigned().cert)
  rulesets.adopt(load({ upstreams }))
  t.not(orders(), first)
})

t.test('parts that changed are new, and the others are left for what is under way', async (t) => {
  const { rulesets, fetched, clock } = create(t)
  const before = rulesets.current()
  rulesets.adopt(load({ upstreams: OTHER_UPSTREAM, userPools: OTHER_POOL }))
  const after = rulesets.current()
  t.not(after.keys.get('main'), before.keys.get('main'))
  t.not(after.upstreams.get('orders'), before.upstreams.get('orders'))
  t.equal(fetched.length, 2)
  t.match(fetched[1], 'eu-west-1_EXAMPLE02')
  await clock.advance(30_000)
  rulesets.adopt(load())
  t.not(rulesets.current().upstreams.get('orders'), before.upstreams.get('orders'))
})

/** The pool of `load`, with another line of settings. */
function withPool(line: string) {
  const pool = `userPools:\n  main:\n    userPoolId: eu-west-1_EXAMPLE01`
  return load({ userPools: `${pool}\n    clientIds: [client]\n    ${line}` })
}

t.test(
  'a pool whose keys come from the same place keeps them, although none can be fetched',
  async (t) => {
    const { rulesets, fetched, breakDown } = create(t, withPool('clockTolerance: 0s'))
    await eventually('usable keys', () => rulesets.current().keys.get('main')?.usable())
    const before = rulesets.current()
    breakDown()
    for (const line of [
      'clockTolerance: 5s',
      'resource: https://api.example',
      'issuer: https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01',
    ]) {
      rulesets.adopt(withPool(line))
      t.equal(rulesets.current().keys.get('main'), before.keys.get('main'), line)
    }
    const other = load().userPools.main
    rulesets.adopt({
      ...load(),
      userPools: { main: { ...other!, clientIds: ['client', 'another'] } },
    })
    t.equal(rulesets.current().keys.get('main'), before.keys.get('main'), 'another app client')
    t.equal(rulesets.current().keys.get('main')?.usable(), true)
    t.equal(fetched.length, 1)
  },
)

t.test('whatever the keys do depend on begins them anew', async (t) => {
  for (const line of [
    'jwksUri: https://keys.example/jwks.json',
    'jwksFile: /nonexistent.json',
    'jwksRefresh: 1m',
    'jwksMaxStale: 1h',
  ]) {
    const { rulesets, fetched } = create(t)
    const before = rulesets.current().keys.get('main')
    rulesets.adopt(withPool(line))
    t.not(rulesets.current().keys.get('main'), before, line)
    t.equal(fetched.length, 2)
  }
})

t.test('a seed file that cannot be used is told, and changes nothing else', async (t) => {
  const pool = (file: string) => load({ userPools: `${OTHER_POOL}\n    jwksFile: ${file}` })
  const directory = t.testdir({ 'text.json': 'no JSON', 'empty.json': '{"keys":[]}' })
  for (const [name, told] of [
    ['text.json', `the seed file ${directory}/text.json is not JSON`],
    ['empty.json', 'the seed file holds no usable key'],
    ['missing.json', `the seed file ${directory}/missing.json cannot be read (ENOENT)`],
    ['', `the seed file ${directory}/ cannot be read (EISDIR)`],
  ] as const) {
    const { problems, rulesets, fetched } = create(t, pool(`${directory}/${name}`))
    await eventually('keys', () => rulesets.current().keys.get('main')?.usable())
    t.strictSame(problems, [told, undefined], name)
    t.equal(fetched.length, 1)
  }
})

t.test('a seed file that can be used is, while the key endpoint answers nonsense', async (t) => {
  const file = join(t.testdir({ 'keys.json': JSON.stringify(issuer.jwks()) }), 'keys.json')
  const { rulesets, problems } = create(t, withPool(`jwksFile: ${file}`), {})
  await eventually('keys', () => rulesets.current().keys.get('main')?.usable())
  t.notMatch(problems, [/seed file/])
})

t.test(
  'what an earlier configuration discovers is discovered until its requests have ended',
  async (t) => {
    const dns = await startDnsServer({ 'orders.internal': { A: ['127.0.0.1'], ttl: 0 } })
    t.teardown(dns.close)
    const discover = `{dns: 'http://orders.internal', servers: ['${dns.address}']}`
    const found = load({ upstreams: `upstreams:\n  orders: {discover: ${discover}}` })
    const { clock, rulesets } = create(t, found)
    const upstream = rulesets.current().upstreams.get('orders')
    await eventually('a target', () => upstream?.targets().length === 1)
    rulesets.adopt(load())
    const asked = dns.questions()
    await clock.advance(5_000)
    await eventually('another question', () => dns.questions() > asked)
    await rulesets.stop()
    const atEnd = dns.questions()
    await clock.advance(60_000)
    t.equal(dns.questions(), atEnd)
  },
)
