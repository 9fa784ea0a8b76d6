// Upstreams that are slow, silent or full, with small times: each request ends at its bound, and nobody else pays for it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { type ConfigParts, startGateway } from '../support/start-gateway.ts'

const ROUTES = `
  - {name: all, match: {path: /*}, access: public, upstream: up}
  - {name: quick, match: {path: /quick/*}, access: public, upstream: up, timeouts: {response: 300ms}}
  - {name: whole, match: {path: /whole/*}, access: public, upstream: up, timeouts: {response: 300ms, total: 600ms}}
`

async function start(t: Test, up: string, changes: ConfigParts = {}) {
  const running = await startGateway({ routes: ROUTES, up, ...changes })
  t.teardown(running.stop)
  const ask = async (path: string) => {
    const began = performance.now()
    const response = await fetch(running.origin + path)
    const text = await response.text().catch(() => 'broken off')
    const { reason } = text.startsWith('{') ? JSON.parse(text) : { reason: text }
    return { status: response.status, reason, ms: performance.now() - began }
  }
  return { ...running, ask }
}

for (const engine of ['engine: lean', 'engine: undici']) {
  t.test(
    `R-07 a slow upstream is a 504 at its time, and others do not wait: ${engine}`,
    async (t) => {
      const { upstream, ask } = await start(t, `    ${engine}\n    timeouts: {response: 900ms}`)
      upstream.handle((request, response) => {
        if (!request.url?.includes('slow')) response.end('ok')
      })
      const slow = Array.from({ length: 50 }, () => ask('/slow'))
      const quick = ask('/quick/slow')
      t.equal((await ask('/other')).reason, 'ok')
      t.match(await quick, { status: 504, reason: 'upstream_timeout' }, 'a route has its own time')
      t.ok((await quick).ms >= 300, `${(await quick).ms} ms`)
      for (const { status, reason, ms } of await Promise.all(slow)) {
        t.same([status, reason], [504, 'upstream_timeout'])
        t.ok(ms >= 890 && ms < 3_000, `${ms} ms`)
      }
      t.equal((await ask('/other')).reason, 'ok')
    },
  )

  t.test(`a response that drips on ends at its total time: ${engine}`, async (t) => {
    const { upstream, ask } = await start(t, `    ${engine}`)
    upstream.handle((_, response) => {
      const timer = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(timer))
    })
    const { status, reason, ms } = await ask('/whole/drip')
    t.same([status, reason], [200, 'broken off'])
    t.ok(ms >= 590 && ms < 3_000, `${ms} ms`)
  })

  t.test(
    `beyond capacity a request is 503 at once, and in the queue at its time: ${engine}`,
    async (t) => {
      const bounds = `    ${engine}\n    connections: 1\n    queue: 1\n    timeouts: {queue: 400ms}`
      const { upstream, ask } = await start(t, bounds)
      let answer = () => undefined as unknown
      upstream.handle((_, response) => {
        answer = () => response.end('ok')
      })
      const first = ask('/1')
      while (upstream.received.length === 0) await new Promise((resolve) => setImmediate(resolve))
      const queued = ask('/2')
      await ask('/warm')
      const times: number[] = []
      for (let i = 0; i < 9; i++) {
        const refused = await ask('/3')
        t.same([refused.status, refused.reason], [503, 'overloaded'])
        times.push(refused.ms)
      }
      t.comment(`503 beyond capacity after ${times.map((ms) => ms.toFixed(1)).join(', ')} ms`)
      // Some turns are long on a busy machine; half of them are not.
      t.ok((times.sort((a, b) => a - b)[4] as number) < 10, `${times[4]} ms`)
      t.match(await queued, { status: 503, reason: 'overloaded' })
      t.ok((await queued).ms >= 390, `${(await queued).ms} ms`)
      answer()
      t.equal((await first).status, 200)
      t.equal(upstream.received.length, 1, 'nothing else was sent')
    },
  )
}

const SERVER = `require('http').createServer((q, s) => s.end('ok')).listen(0, '127.0.0.1', 1,
  function () { console.log(this.address().port) })`

async function startPeer(t: Test) {
  const child = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [port] = await once(child.stdout, 'data')
  return { child, port: Number(port) }
}

t.test('R-12 a peer that stands still ends at the request’s deadline', async (t) => {
  const { child, port } = await startPeer(t)
  const upstreamOrigin = `http://127.0.0.1:${port}`
  const { ask } = await start(t, '    timeouts: {response: 500ms}', { upstreamOrigin })
  t.equal((await ask('/')).reason, 'ok')
  child.kill('SIGSTOP')
  for (let i = 0; i < 2; i++) {
    const { status, reason, ms } = await ask('/')
    t.same([status, reason], [504, 'upstream_timeout'])
    t.ok(ms >= 490 && ms < 3_000, `${ms} ms`)
  }
  child.kill('SIGCONT')
  t.equal((await ask('/')).reason, 'ok')
})

t.test(
  'R-13 a peer whose address swallows connections is given up at the connect time',
  async (t) => {
    const { child, port } = await startPeer(t)
    child.kill('SIGSTOP')
    // Linux drops what comes once the backlog of a listening socket is full.
    const fillers = Array.from({ length: 4 }, () => connect(port, '127.0.0.1'))
    for (const filler of fillers) filler.on('error', () => undefined)
    t.teardown(() => {
      for (const filler of fillers) filler.destroy()
    })
    await Promise.all(fillers.slice(0, 2).map((filler) => once(filler, 'connect')))
    for (const kind of ['engine: lean', 'engine: undici', 'http2: true']) {
      const upstreamOrigin = `http://127.0.0.1:${port}`
      const up = `    ${kind}\n    timeouts: {connect: 500ms, queue: 100ms}`
      const { ask } = await start(t, up, { upstreamOrigin })
      const { status, reason, ms } = await ask('/')
      t.same([status, reason], [502, 'upstream_unreachable'], kind)
      t.ok(ms >= 490 && ms < 3_000, `${kind}: ${ms} ms`)
    }
  },
)
