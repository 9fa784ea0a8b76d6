// Configurations are compiled and swapped whole; what stays the same is carried over.
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { createRulesets } from '../../src/proxy/ruleset.ts'
import { createConfigText } from '../support/config-text.ts'
import { eventually } from '../support/eventually.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { createIssuer } from '../support/issuer.ts'

const issuer = createIssuer()

function load(parts: Parameters<typeof createConfigText>[0] = {}) {
  return loadConfig(createConfigText(parts), 'c.yaml', {}).config
}

function create(t: Test, config = load(), document: unknown = issuer.jwks()) {
  const clock = createFakeClock()
  const fetched: string[] = []
  const problems: (string | undefined)[] = []
  const rulesets = createRulesets(config, {
    clock,
    random: () => 0.5,
    routeIndex: (name) => name.length,
    fetchJwks: async (url) => {
      fetched.push(url)
      return { ok: true, value: document }
    },
    keysChanged: (_, problem) => problems.push(problem),
  })
  t.teardown(rulesets.stop)
  return { clock, rulesets, fetched, problems }
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

t.test('a seed file that cannot be used is told, and changes nothing else', async (t) => {
  const pool = (file: string) => load({ userPools: `${OTHER_POOL}\n    jwksFile: ${file}` })
  const directory = t.testdir({ 'text.json': 'no JSON', 'empty.json': '{"keys":[]}' })
  for (const name of ['text.json', 'empty.json', 'missing.json']) {
    const { problems } = create(t, pool(join(directory, name)), {})
    await eventually('a problem', () => problems.length > 0)
    t.match(problems[0], /^the seed file holds /, name)
  }
})
