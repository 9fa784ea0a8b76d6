// Upstreams that break off, say too much, too early or unasked, behind a whole gateway with either engine: clients see what is broken as
// broken, no byte of one response gets into another, and a connection in doubt is never used again.
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { connectRaw } from '../support/raw-connection.ts'
import { type RawUpstream, reset, startRawUpstream } from '../support/raw-upstream.ts'
import { startGateway } from '../support/start-gateway.ts'

const MIB = 1024 * 1024
const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

interface Received {
  readonly status: number
  /** One character a byte. */
  readonly body: string
  readonly complete: boolean
}

/** Undefined when not even a head came. */
function get(origin: string, target: string, agent?: Agent): Promise<Received | undefined> {
  return new Promise((resolve) => {
    const request = httpRequest(`${origin}/public${target}`, { agent }, (response) => {
      read(response).then(resolve)
    })
    request.on('error', () => resolve(undefined)).end()
  })
}

async function read(response: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  } catch {
    // How it ended is in `complete`.
  }
  const { statusCode = 0, complete } = response
  return { status: statusCode, body: Buffer.concat(chunks).toString('latin1'), complete }
}

async function start(
  t: Test,
  engine: string,
  connections = 32,
): Promise<{ origin: string; upstream: RawUpstream }> {
  const upstream = await startRawUpstream()
  const gate = await startGateway({
    // Nothing is to end because it grew old.
    up: `    engine: ${engine}\n    connections: ${connections}\n    keepAlive: 10m`,
    upstreamOrigin: upstream.origin,
  })
  t.teardown(async () => {
    await gate.stop()
    await upstream.close()
  })
  return { origin: gate.origin, upstream }
}

for (const engine of ['lean', 'undici'] as const) {
  t.test(`${engine}: a response that breaks off is seen to break off`, async (t) => {
    const { origin, upstream } = await start(t, engine)
    const heads = {
      length: `Content-Length: ${4 * MIB}\r\n\r\n`,
      chunks: `Transfer-Encoding: chunked\r\n\r\n${(4 * MIB).toString(16)}\r\n`,
    }
    for (const [framing, head] of Object.entries(heads)) {
      for (const size of [0, 100, 3 * MIB]) {
        for (const end of ['end', 'reset'] as const) {
          upstream.answer((socket) => cutShort(socket, `HTTP/1.1 200 OK\r\n${head}`, size, end))
          const got = await get(origin, '/x')
          t.notOk(got?.complete, `${framing} after ${size} bytes by ${end}`)
          t.ok((got?.body.length ?? 0) <= size, 'nothing is made up')
        }
      }
    }
  })

  t.test(`${engine}: a surplus never reaches the next response`, async (t) => {
    const { origin, upstream } = await start(t, engine, 1)
    const agent = new Agent({ keepAlive: true })
    t.teardown(() => agent.destroy())
    const poisoned = new WeakSet<Socket>()
    const breaches: string[] = []
    let round = 0
    upstream.answer((socket, head) => {
      const target = /^\S+ (\S+)/.exec(head)?.[1] as string
      if (poisoned.has(socket)) breaches.push(`${target} on a connection in doubt`)
      if (target.endsWith('-next')) return void socket.write(toAnswer(target))
      poisoned.add(socket)
      answerWithSurplus(socket, target, round)
    })
    for (; round < 150; round++) {
      const targets = [`/${round}`, `/${round}-next`]
      const results = await Promise.all(targets.map((target) => get(origin, target, agent)))
      for (const [i, got] of results.entries()) {
        const isBodyless = i === 0 && round % 5 === 3
        const expected = isBodyless ? '' : `/public${targets[i]}`
        if (got?.body !== expected && got?.status !== 502) breaches.push(JSON.stringify(got))
      }
    }
    t.same(breaches, [])
  })

  t.test(`${engine}: an upstream that speaks on an idle connection loses it`, async (t) => {
    const { origin, upstream } = await start(t, engine)
    // An empty line is nothing to llhttp, and so to undici.
    const more = engine === 'lean' ? ['\r\n', ' '] : []
    for (const speech of [POISON, 'x', '\0', ...more]) {
      let idle: Socket | undefined
      upstream.answer((socket) => {
        idle = socket
        socket.write(OK)
      })
      t.equal((await get(origin, '/first'))?.body, 'ok')
      await pause(20)
      idle?.write(speech)
      await eventually('the end of the connection', () => idle?.destroyed)
      const connections = upstream.connections()
      t.equal((await get(origin, '/second'))?.body, 'ok', JSON.stringify(speech))
      t.equal(upstream.connections(), connections + 1, 'on a connection of its own')
      idle?.destroy()
      await pause(5)
    }
  })

  t.test(`${engine}: where a 204 or 304 announces a body, nobody waits for it`, async (t) => {
    const { origin, upstream } = await start(t, engine)
    for (const status of ['204 No Content', '304 Not Modified']) {
      for (const line of [`Content-Length: ${POISON.length}`, 'Transfer-Encoding: chunked']) {
        upstream.answer((socket) => {
          socket.write(`HTTP/1.1 ${status}\r\n${line}\r\n\r\n`)
        })
        t.equal((await get(origin, '/first'))?.body, '', `${status}, ${line}`)
        await eventually('the end of the connection', () => upstream.open() === 0)
      }
    }
  })

  t.test(`${engine}: line feeds that come without carriage return are not waited on`, async (t) => {
    const { origin, upstream } = await start(t, engine)
    const begun = performance.now()
    upstream.answer((socket) => socket.write('HTTP/1.1 200 OK\nContent-Length: 2\n\nok'))
    t.equal((await get(origin, '/head'))?.status, 502)
    const chunks = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0'
    for (const end of ['\n\n', '\r\n\n', '\r\nX: y\n\n']) {
      upstream.answer((socket) => socket.write(chunks + end))
      t.notOk((await get(origin, '/chunks'))?.complete, JSON.stringify(end))
    }
    t.ok(performance.now() - begun < 10_000, 'not until some time is out')
  })

  t.test(
    `${engine}: an answer before its request is whole is the last on its connection`,
    async (t) => {
      const { origin, upstream } = await start(t, engine)
      upstream.answer((socket) => socket.write(OK.replace('200 OK', '413 Too Large')))
      for (const framing of ['Content-Length: 1000', 'Transfer-Encoding: chunked']) {
        const client = await connectRaw(origin)
        const connections = upstream.connections()
        client.send(`POST /public/x HTTP/1.1\r\nHost: a.test\r\n${framing}\r\n\r\n5\r\nhello\r\n`)
        await client.until(/413[\s\S]*ok/)
        await eventually('the end of the connection', () => upstream.open() === 0)
        t.equal((await get(origin, '/next'))?.status, 413)
        t.equal(
          upstream.connections(),
          connections + 2,
          `${framing}: and not on the same connection`,
        )
        client.socket.destroy()
        await eventually('an idle connection', () => upstream.open() === 1)
        upstream.answer((socket) => socket.end(OK))
        await get(origin, '/last')
        await eventually('no connection', () => upstream.open() === 0)
        upstream.answer((socket) => socket.write(OK.replace('200 OK', '413 Too Large')))
      }
    },
  )
}

function cutShort(socket: Socket, head: string, size: number, end: 'end' | 'reset'): void {
  socket.write(head)
  socket.write(Buffer.alloc(size, 'x'), () => {
    // What was written is read before the reset comes.
    if (end === 'end') socket.end()
    else setTimeout(() => reset(socket), 20)
  })
}

function toAnswer(target: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`
}

/** A whole response too many, in the same piece or the one behind it, also where a 204 announces a body. */
function answerWithSurplus(socket: Socket, target: string, round: number): void {
  // What comes later than the next request cannot be told from its response; this comes before.
  socket.setNoDelay(true)
  const size = target.length.toString(16)
  const chunks = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\n${target}\r\n0\r\n\r\n`
  const bodyless = `HTTP/1.1 204 No Content\r\nContent-Length: ${POISON.length}\r\n\r\n`
  const answers = [toAnswer(target), toAnswer(target), chunks, bodyless, chunks]
  const answer = answers[round % answers.length] as string
  if (round % 2 === 0) socket.write(answer + POISON)
  else {
    socket.write(answer)
    socket.write(POISON)
  }
}
