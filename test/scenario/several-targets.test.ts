// One service at several addresses behind a whole gateway: one of them may break without a client noticing.
import t, { type Test } from 'tap'
import { type RawUpstream, startRawUpstream } from '../support/raw-upstream.ts'
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
  t.same(new Set(await askMany(200)), new Set([502]))
  const asked = targets.reduce((sum, target) => sum + target.requests(), 0)
  t.ok(asked <= 200 + 10 + 40 + 20, `${asked} requests: within 20 % and ten a second`)
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
