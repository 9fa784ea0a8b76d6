// Peers that are slow, silent or not there, many at once: what they cost is bounded in memory and in time, and nobody else notices.
import { Agent } from 'node:http'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { type FaultGateway, startFaultGateway } from '../support/fault-gateway.ts'
import { type KernelSocket, kernelSockets } from '../support/kernel-sockets.ts'
import { ask, count, type Ending, inLanes, quantile } from '../support/many-requests.ts'
import { connectRaw } from '../support/raw-connection.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { connectSlow, pour, readSlowly, settle, totalOf } from '../support/slow-flow.ts'
import { startStoppableUpstream } from '../support/stoppable-upstream.ts'

const KIB = 1024
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const GIB = `Content-Length: ${KIB ** 3}\r\n\r\n`
/** What one slow peer may cost. */
const MOST = 256 * KIB
/** Of what was passed on already, V8 lets so much lie about outside its heap before it collects. */
const GARBAGE = 64 * KIB * KIB
const RUSH = 256 * KIB * KIB

const NEVER = Number.POSITIVE_INFINITY

const agent = new Agent({ keepAlive: true, maxFreeSockets: 500 })
t.teardown(() => agent.destroy())

const toMib = (bytes: number) => `${(bytes / KIB / KIB).toFixed(0)} MiB`
const portOf = (origin: string) => Number(new URL(origin).port)
const range = <T>(length: number, make: (i: number) => T) =>
  Array.from({ length }, (_, i) => make(i))
const times = (endings: readonly Ending[]) => endings.map(({ ms }) => ms)

/** An upstream that answers at once. */
async function startQuick(t: Test): Promise<string> {
  const quick = await startRawUpstream((socket) => socket.write(OK))
  t.teardown(quick.close)
  return `targets: ['${quick.origin}']`
}

/** One request after the other, for as long as something goes on. */
async function askMeanwhile(url: string, whole: Promise<unknown>): Promise<Ending[]> {
  const endings: Ending[] = []
  let isOver = false
  void whole.then(() => {
    isOver = true
  })
  while (!isOver) endings.push(await ask(url, { agent }))
  return endings
}

/** Compares a quick route's times with what they are when nothing else goes on. */
function compareTimes(t: Test, meanwhile: readonly Ending[], alone: readonly Ending[]): void {
  const [median, usual] = [quantile(times(meanwhile), 0.5), quantile(times(alone), 0.5)]
  const [late, usuallyLate] = [quantile(times(meanwhile), 0.99), quantile(times(alone), 0.99)]
  t.comment(
    `another route: ${median.toFixed(2)} ms (median), ${late.toFixed(2)} ms (99 %); alone ${usual.toFixed(2)}, ${usuallyLate.toFixed(2)}`,
  )
  t.same(count(meanwhile.map(({ status }) => status)), { 200: meanwhile.length })
  // Equal where nothing else goes on; the rest is for a busy machine.
  t.ok(median <= 2 * usual + 1, `${median} ms in the middle, alone ${usual} ms`)
}

interface Held {
  readonly writers: Socket[]
  readonly readers: Socket[]
}

/** Holds many slow bodies, after others that have filled the heap as a rush does, and tells what each costs. */
async function weigh(
  t: Test,
  gate: FaultGateway,
  upstreamOrigin: string,
  begin: () => Promise<Held>,
): Promise<void> {
  const start = gate.memory()
  const leave = async ({ writers, readers }: Held) => {
    for (const socket of [...writers, ...readers]) socket.destroy()
    await gate.idle()
  }
  const first = await begin()
  await eventually('a rush', () => totalOf(first.writers, 'bytesWritten') >= RUSH, 20_000)
  await leave(first)
  const before = gate.memory()
  const held = await begin()
  const ports = [portOf(gate.origin), portOf(upstreamOrigin)]
  const { unread, between } = await settle({ ...held, ports })
  const growth = gate.memory() - before
  await leave(held)
  const bodies = held.writers.length
  const each = (bytes: number) => `${(bytes / KIB / bodies).toFixed(0)} KiB`
  t.comment(
    `of each body ${each(unread)} unread, all but ${each(between)} in the kernel; memory ${each(growth)}, ` +
      `in all ${toMib(start)}, ${toMib(before)} after the first round, and ${toMib(before + growth)}`,
  )
  t.ok(between <= MOST * bodies, `${each(between)} of each body in the gateway`)
  t.ok(growth <= MOST * bodies + GARBAGE, `${each(growth)} of memory for each body`)
}

/** The gateway's ends of connections on which nothing is under way, and so nothing but a probe tells whether anybody is there. */
function silentEnds(port: number, upstreamPorts: readonly number[]): KernelSocket[] {
  return kernelSockets(port, ...upstreamPorts).filter(
    ({ localPort, remotePort, bytes }) =>
      bytes === 0 && (localPort === port || upstreamPorts.includes(remotePort)),
  )
}

for (const engine of ['lean', 'undici']) {
  t.test(`R-07 ${engine}: 500 that wait in vain are answered in time`, async (t) => {
    const slow = await startRawUpstream((socket, head) => {
      if (head.includes('/warm-up')) socket.write(OK)
    })
    t.teardown(slow.close)
    const gate = await startFaultGateway(t, {
      slow: `targets: ['${slow.origin}'], engine: ${engine}, connections: 500, timeouts: {response: 3s}`,
      quick: await startQuick(t),
    })
    const quick = `${gate.origin}/quick/x`
    await ask(quick, { agent })
    const before = gate.handles()
    await inLanes(1_000, 500, () => ask(`${gate.origin}/slow/warm-up`, { agent }))
    const alone = await inLanes(500, 1, () => ask(quick, { agent }))
    const waiting = inLanes(500, 500, () => ask(`${gate.origin}/slow/x`, { agent }))
    const asked = slow.requests()
    await eventually('500 requests at the upstream', () => slow.requests() === asked + 500)
    const first = new Promise((resolve) => setTimeout(resolve, 2_000))
    const meanwhile = await askMeanwhile(quick, first)
    const endings = await waiting
    const [earliest, latest] = [Math.min(...times(endings)), Math.max(...times(endings))]
    t.comment(`504 between ${earliest.toFixed(0)} and ${latest.toFixed(0)} ms`)
    t.same(count(endings.map(({ status }) => status)), { 504: 500 })
    // The clock of undici moves in steps of half a second, and may be two of them late.
    const late = engine === 'undici' ? 1_200 : 500
    t.ok(earliest >= 3_000 && quantile(times(endings), 0.95) <= 3_000 + late, 'in time')
    compareTimes(t, meanwhile, alone)
    await eventually('no connection to the upstream', () => slow.open() === 0, 5_000)
    agent.destroy()
    await eventually('no handle more than before', () => gate.handles() <= before + 2, 5_000)
  })

  t.test(`R-09 ${engine}: 200 slow readers hold their upstream back`, async (t) => {
    let senders: Socket[] = []
    const upstream = await startRawUpstream((socket) => {
      senders.push(socket)
      socket.write(`HTTP/1.1 200 OK\r\n${GIB}`)
      pour(socket)
    })
    t.teardown(upstream.close)
    const gate = await startFaultGateway(t, {
      up: `targets: ['${upstream.origin}'], engine: ${engine}`,
    })
    await weigh(t, gate, upstream.origin, async () => {
      senders = []
      const readers = await inLanes(200, 10, () => connectSlow(portOf(gate.origin), 10 * KIB))
      for (const reader of readers) reader.write('GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n')
      await eventually('200 responses', () => senders.length === 200)
      return { writers: senders, readers }
    })
  })

  t.test(`R-10 ${engine}: an upstream that reads slowly holds 50 uploads back`, async (t) => {
    let readers: Socket[] = []
    const upstream = await startRawUpstream((socket) => {
      readers.push(socket)
      readSlowly(socket)
    })
    t.teardown(upstream.close)
    const gate = await startFaultGateway(t, {
      up: `targets: ['${upstream.origin}'], engine: ${engine}`,
    })
    await weigh(t, gate, upstream.origin, async () => {
      readers = []
      const writers = await inLanes(50, 10, () => connectSlow(portOf(gate.origin), 10 * KIB))
      for (const writer of writers) {
        writer.write(`POST /up/x HTTP/1.1\r\nHost: a\r\n${GIB}`)
        pour(writer)
      }
      await eventually('50 uploads', () => readers.length === 50)
      return { writers, readers }
    })
  })

  t.test(`R-12 ${engine}: peers that are silent on open connections are let go of`, async (t) => {
    const stopped = await startStoppableUpstream(t)
    const endless = await startRawUpstream((socket, head) => {
      if (head.startsWith('POST')) return
      socket.write(`HTTP/1.1 200 OK\r\n${GIB}`)
      pour(socket)
    })
    t.teardown(endless.close)
    const gate = await startFaultGateway(
      t,
      {
        stopped: `targets: ['${stopped.origin}'], engine: ${engine}, timeouts: {response: 1s, idle: 1s}`,
        endless: `targets: ['${endless.origin}'], engine: ${engine}`,
      },
      'timeouts: {idle: 1s}',
    )
    await gate.idle()
    const before = gate.handles()
    // Half of its answers have begun when it stops, and of the other requests it sees nothing.
    const half = await inLanes(50, 10, async () => {
      const client = await connectRaw(gate.origin)
      client.send('GET /stopped/x HTTP/1.1\r\nHost: a\r\n\r\n')
      await client.until(/half/)
      return client
    })
    stopped.stop()
    const none = range(50, () => ask(`${gate.origin}/stopped/x`, { agent }))
    const clients = await inLanes(50, 10, () => connectRaw(gate.origin))
    for (const [i, { socket, send }] of clients.entries()) {
      socket.pause()
      if (i % 2) send('GET /endless/x HTTP/1.1\r\nHost: a\r\n\r\n')
      else send(`POST /endless/x HTTP/1.1\r\nHost: a\r\n${GIB}some`)
    }
    await eventually('all requests', () => endless.requests() === 50)
    const began = performance.now()
    const probed = await eventually('silent connections that are all probed', () => {
      const silent = silentEnds(portOf(gate.origin), [stopped.port, portOf(endless.origin)])
      const isProbed = silent.every(({ probeMs = NEVER }) => probeMs <= 30_000)
      return isProbed && silent.length >= 100 && silent.length
    })
    await Promise.all(half.map(({ closed }) => closed()))
    const denied = await Promise.all(none)
    const latest = Math.max(...times(denied))
    t.ok(
      half.every(({ text }) => text().endsWith('half')),
      'nothing was made up',
    )
    t.same(count(denied.map(({ status }) => status)), { 504: 50 })
    await eventually('no exchange with a silent client', () => endless.open() === 0, 6_000)
    agent.destroy()
    await eventually('no handle more than before', () => gate.handles() <= before + 2, 6_000)
    t.comment(
      `${probed} probed, 504 after ${latest.toFixed(0)} ms at most, all closed within ${(performance.now() - began).toFixed(0)} ms`,
    )
    t.ok(performance.now() - began <= 6_000, 'no connection is older than its deadline and 5 s')
  })

  t.test(`R-13 ${engine}: connections that are not taken are given up`, async (t) => {
    const full = await startStoppableUpstream(t, 1)
    full.stop()
    // More than it has room for: the kernel lets whoever else comes wait.
    const waiting = range(4, () => connect(full.port, '127.0.0.1').on('error', () => undefined))
    t.teardown(() => {
      for (const socket of waiting) socket.destroy()
    })
    const gate = await startFaultGateway(t, {
      full: `targets: ['${full.origin}'], engine: ${engine}, timeouts: {connect: 1s}`,
      quick: await startQuick(t),
    })
    const quick = `${gate.origin}/quick/x`
    const alone = await inLanes(500, 1, () => ask(quick, { agent }))
    const whole = Promise.all(range(100, () => ask(`${gate.origin}/full/x`, { agent })))
    const meanwhile = await askMeanwhile(quick, whole)
    const endings = await whole
    const [earliest, latest] = [Math.min(...times(endings)), Math.max(...times(endings))]
    t.comment(`502 between ${earliest.toFixed(0)} and ${latest.toFixed(0)} ms`)
    t.same(count(endings.map(({ status }) => status)), { 502: 100 })
    t.ok(earliest >= 1_000 && quantile(times(endings), 0.95) <= 1_500, 'in time')
    compareTimes(t, meanwhile, alone)
    agent.destroy()
  })
}
