// Upstreams that break off or close kept connections at the worst moment, thousands of times: every break is seen, nothing that could
// do something twice is sent twice, and a GET does not notice that a kept connection was closed on it.
import { Agent } from 'node:http'
import type { Socket } from 'node:net'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { startFaultGateway } from '../support/fault-gateway.ts'
import { ask, count, inLanes } from '../support/many-requests.ts'
import { type RawUpstream, reset, startRawUpstream } from '../support/raw-upstream.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const TIMES = 10_000
const BURST = 50
const LANES = 25
const RACES = 1_500
const IDLE_MS = 150

const agent = new Agent({ keepAlive: true })
t.teardown(() => agent.destroy())

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Closes connections that have stood idle, as far as a request does not come first. */
function closeWhenIdle(upstream: RawUpstream, seen: Map<string, number>): void {
  const timers = new WeakMap<Socket, NodeJS.Timeout>()
  upstream.answer((socket, head) => {
    clearTimeout(timers.get(socket))
    const key = /^\S+ \S+/.exec(head)?.[0] as string
    seen.set(key, (seen.get(key) ?? 0) + 1)
    socket.write(OK)
    timers.set(
      socket,
      setTimeout(() => socket.end(), IDLE_MS),
    )
  })
}

for (const engine of ['lean', 'undici']) {
  t.test(`R-04 ${engine}: 1,000 of 1,000 responses that break off are seen to`, async (t) => {
    const upstream = await startRawUpstream((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 102400\r\n\r\n${'x'.repeat(1024)}`, () =>
        reset(socket),
      )
    })
    t.teardown(upstream.close)
    const gate = await startFaultGateway(t, {
      up: `targets: ['${upstream.origin}'], engine: ${engine}`,
    })
    const before = gate.handles()
    const endings = await inLanes(1_000, BURST, () => ask(`${gate.origin}/up/x`, { agent }))
    t.equal(endings.filter(({ complete }) => complete).length, 0, 'no clean end')
    t.ok(endings.every(({ bytes }) => bytes <= 1024))
    t.equal(upstream.requests(), 1_000, 'no second attempt')
    await eventually('no connection to the upstream', () => upstream.open() === 0, 5_000)
    await gate.idle()
    agent.destroy()
    await eventually('no handle more than before', () => gate.handles() <= before + 2, 5_000)
  })

  t.test(`R-05 ${engine}: GETs do not notice that kept connections are closed`, async (t) => {
    const upstream = await startRawUpstream()
    t.teardown(upstream.close)
    let broken = 0
    // Of every connection the tenth request finds it closed; nothing of an answer has come.
    const served = new WeakMap<Socket, number>()
    upstream.answer((socket) => {
      const times = (served.get(socket) ?? 0) + 1
      served.set(socket, times)
      if (times < 10) return void socket.write(OK)
      broken++
      if (broken % 2) reset(socket)
      else socket.end()
    })
    const gate = await startFaultGateway(t, {
      up: `targets: ['${upstream.origin}'], engine: ${engine}`,
    })
    const endings = await inLanes(TIMES, BURST, () => ask(`${gate.origin}/up/x`, { agent }))
    t.same(count(endings.map(({ status }) => status)), { 200: TIMES })
    t.ok(broken > TIMES / 20, `${broken} were lost with their connection`)
    t.equal(upstream.requests(), TIMES + broken, 'and sent once more each')
  })

  t.test(`R-05 ${engine}: ${RACES} GETs and POSTs race with the end of connections`, async (t) => {
    const upstream = await startRawUpstream()
    t.teardown(upstream.close)
    const seen = new Map<string, number>()
    closeWhenIdle(upstream, seen)
    // An upstream for each lane, so that each has the one connection that its last request left idle.
    const names = Array.from({ length: 2 * LANES }, (_, i) => `up${i}`)
    const up = `targets: ['${upstream.origin}'], engine: ${engine}`
    const gate = await startFaultGateway(t, Object.fromEntries(names.map((name) => [name, up])))
    const statuses: Record<string, number[]> = { GET: [], POST: [] }
    const drive = async (name: string, lane: number) => {
      const method = lane % 2 ? 'POST' : 'GET'
      for (let i = 0; i < RACES / LANES; i++) {
        // 100 ms to either side, as with a second's time and requests every 0.9 to 1.1 seconds.
        await pause(IDLE_MS - 100 + Math.random() * 200)
        const url = `${gate.origin}/${name}/${i}`
        const { status } = await ask(url, {
          method,
          agent,
          ...(method === 'POST' && { body: 'x' }),
        })
        statuses[method]?.push(status)
      }
    }
    await Promise.all(names.map(drive))
    const [gets, posts] = [count(statuses.GET ?? []), count(statuses.POST ?? [])]
    t.comment(`${JSON.stringify({ gets, posts })} on ${upstream.connections()} connections`)
    t.ok(upstream.connections() > RACES / 4, 'connections were closed all the time')
    t.same(gets, { 200: RACES })
    const { 200: good = 0, 502: bad = 0 } = posts
    t.equal(good + bad, RACES, 'nothing but 200 and 502')
    // One in a thousand where nothing else goes on; the busier the machine, the later a peer learns of an end.
    t.ok(bad <= RACES / 20, `${bad} errors`)
    const sent = [...seen].filter(([key]) => key.startsWith('POST'))
    t.ok(sent.length >= good && sent.every(([, times]) => times === 1), 'no POST was sent twice')
  })

  t.test(`R-06 ${engine}: where all fails, second attempts stay within their budget`, async (t) => {
    const upstreams = [await startRawUpstream(), await startRawUpstream()]
    for (const upstream of upstreams) {
      upstream.answer((socket) => socket.destroy())
      t.teardown(upstream.close)
    }
    const [one, two] = upstreams.map(({ origin }) => origin)
    const gate = await startFaultGateway(t, {
      one: `targets: ['${one}'], engine: ${engine}`,
      two: `targets: ['${one}', '${two}'], engine: ${engine}, ejection: {failures: 0}`,
    })
    for (const name of ['one', 'two']) {
      const before = upstreams.reduce((sum, { requests }) => sum + requests(), 0)
      const begun = performance.now()
      const endings = await inLanes(3_000, BURST, () => ask(`${gate.origin}/${name}/x`, { agent }))
      const seconds = (performance.now() - begun) / 1_000
      t.same(count(endings.map(({ status }) => status)), { 502: 3_000 })
      const asked = upstreams.reduce((sum, { requests }) => sum + requests(), 0) - before
      // Up to ten seconds' worth may have been saved.
      const most = 3_000 * 1.2 + 10 * (seconds + 10)
      t.ok(
        asked >= 3_000 && asked <= most,
        `${name}: ${asked} requests, ${most.toFixed(0)} at most`,
      )
    }
  })
}
