// One service at several addresses behind a whole gateway: one of them may break without a client noticing.
import t, { type Test } from 'tap'
import { type RawUpstream, startRawUpstream } from '../support/raw-upstream.ts'
import { eventually } from '../support/eventually.ts'
import { startGateway } from '../support/start-gateway.ts'

const answerOf = (body: string) =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`

async function start(t: Test, up = '') {
  const targets: RawUpstream[] = []
  for (const name of ['a', 'b', 'c']) {
    targets.push(await startRawUpstream((socket) => socket.write(answerOf(name))))
  }
  const gate = await startGateway({ upstreamOrigin: targets.map(({ origin }) => origin), up })
  t.teardown(async () => {
    await gate.stop()
    for (const target of targets) await target.close()
  })
  const ask = async (options: RequestInit = {}, path = '/public/x') => {
    const response = await fetch(`${gate.origin}${path}`, options)
    const text = await response.text()
    return response.status === 200 ? text : response.status
  }
  const askMany = (times: number, options?: RequestInit) =>
    Promise.all(Array.from({ length: times }, () => ask(options)))
  return { gate, targets, ask, askMany }
}

t.test('all targets of an upstream get requests', async (t) => {
  const { askMany } = await start(t)
  t.same(new Set(await askMany(100)), new Set(['a', 'b', 'c']))
})

t.test('R-08 of 3,000 GETs with one target of three failing, none fails', async (t) => {
  for (const [how, break_] of Object.entries({
    'it refuses connections': (target: RawUpstream) => target.close(),
    'it breaks off': (target: RawUpstream) => target.answer((socket) => socket.destroy()),
    'it resets amid a head': (target: RawUpstream) =>
      target.answer((socket) => void socket.end('HTTP/1.1 200 OK\r\nX-Half')),
  })) {
    const { targets, askMany } = await start(t)
    await askMany(50)
    await break_(targets[0] as RawUpstream)
    const answers: unknown[] = []
    for (let i = 0; i < 60; i++) answers.push(...(await askMany(50)))
    t.same(new Set(answers), new Set(['b', 'c']), how)
  }
})

t.test('with every target failing each request is asked of two at most', async (t) => {
  const { targets, askMany } = await start(t)
  for (const target of targets) target.answer((socket) => socket.destroy())
  const beganMs = performance.now()
  t.same(new Set(await askMany(200)), new Set([502]))
  const seconds = (performance.now() - beganMs) / 1000
  const asked = targets.reduce((sum, target) => sum + target.requests(), 0)
  t.ok(asked <= 200 + 10 + 40 + 10 * seconds + 1, `${asked} requests: within 20 % and ten a second`)
})

t.test('R-05 a POST is never sent twice', async (t) => {
  const { targets, askMany } = await start(t, '    ejection: {failures: 0}')
  for (const target of targets) target.answer((socket) => socket.destroy())
  const times = 500
  const options = { method: 'POST', body: 'x' }
  t.same(new Set(await askMany(times, options)), new Set([502]))
  const asked = targets.reduce((sum, target) => sum + target.requests(), 0)
  t.equal(asked, times)
})

t.test('by hash a caller always meets the same target', async (t) => {
  const { gate, ask } = await start(t, '    balance: hash')
  const met = new Map<string, unknown>()
  for (const sub of ['ann', 'bob', 'cid', 'dan', 'eve', 'fay']) {
    const headers = { authorization: `Bearer ${gate.issuer.access({ sub })}` }
    for (let i = 0; i < 10; i++) {
      const answer = await ask({ headers }, '/api/x')
      t.equal(answer, met.get(sub) ?? answer)
      met.set(sub, answer)
    }
  }
  t.ok(new Set(met.values()).size > 1)
})

const CHECKED =
  '    health: {path: /healthz, interval: 400ms, timeout: 350ms, healthy: 2, unhealthy: 2}'

const isCheck = (head: string) => head.startsWith('GET /healthz ')

t.test('R-08 a target that hangs, or says that it is ill, is found by its checks', async (t) => {
  for (const [how, break_] of Object.entries({
    'it accepts and never answers': (target: RawUpstream) => target.answer(() => undefined),
    'it answers 500 to checks': (target: RawUpstream) =>
      target.answer((socket, head) => {
        socket.write(
          isCheck(head) ? 'HTTP/1.1 500 Ill\r\nContent-Length: 0\r\n\r\n' : answerOf('a'),
        )
      }),
  })) {
    const { gate, targets, askMany } = await start(t, CHECKED)
    const stateOfFirst = async () => {
      const response = await fetch(`${gate.adminOrigin}/upstreams`)
      const { upstreams } = (await response.json()) as {
        upstreams: { targets: { origin: string; state: string }[] }[]
      }
      return upstreams[0]?.targets.find(({ origin }) => origin === targets[0]?.origin)?.state
    }
    await eventually(`${how}: it was healthy`, async () => (await stateOfFirst()) === 'healthy')
    await break_(targets[0] as RawUpstream)
    await eventually(how, async () => (await stateOfFirst()) === 'unhealthy')
    t.same(new Set(await askMany(300)), new Set(['b', 'c']), how)
    targets[0]?.answer((socket) => socket.write(answerOf('a')))
    await eventually('it is back', async () => (await stateOfFirst()) === 'healthy')
    t.same(new Set(await askMany(300)), new Set(['a', 'b', 'c']), 'it is back')
    const told = gate.logged
      .filter((line) => line.includes('"target is'))
      .map((line) => JSON.parse(line))
    t.match(
      told.filter(({ target }) => target === targets[0]?.origin).map(({ state }) => state),
      ['healthy', 'unhealthy', 'healthy'],
    )
  }
})

t.test('the access line names the target, and the second attempt', async (t) => {
  const { gate, targets, askMany } = await start(t)
  await targets[0]?.close()
  await askMany(30)
  const lines = gate.accessLines()
  t.ok(lines.every(({ target }) => targets.some(({ origin }) => origin === target)))
  t.ok(lines.some(({ attempts }) => attempts === 2))
  t.ok(lines.some(({ attempts }) => attempts === undefined))
})
