// What an engine lends to a sink stays as it is until the sink lets go of it, whatever else is read meanwhile, and what it does not lend
// for longer is copied in time: many bodies at once, each held back for a while chunk by chunk.
import { createCipheriv } from 'node:crypto'
import type { Socket } from 'node:net'
import t from 'tap'
import { createTarget, type Target } from '../../src/upstream/target.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { realClock } from '../support/real-clock.ts'
import { createSeeded, type Seeded } from '../support/seeded.ts'

const SIZE = 4 * 1024 * 1024
/** Never repeats, so that no piece can stand in another's place unnoticed. */
const DATA = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16)).update(
  Buffer.alloc(SIZE),
)

/** `/framing/from/size` answers with that part of the data. */
function answer(socket: Socket, head: string): void {
  const [, framing = '', from, size] = head.split(' ')[1]?.split('/') ?? []
  const body = DATA.subarray(Number(from), Number(from) + Number(size))
  const start = 'HTTP/1.1 200 OK\r\n'
  socket.cork()
  if (framing === 'length') {
    socket.write(`${start}Content-Length: ${body.length}\r\n\r\n`)
    socket.write(body)
  } else if (framing === 'chunks') {
    socket.write(`${start}Transfer-Encoding: chunked\r\n\r\n`)
    const seeded = createSeeded(body.length)
    for (let at = 0; at < body.length;) {
      const chunk = body.subarray(at, at + 1 + seeded.below(3_000))
      at += chunk.length
      socket.write(`${chunk.length.toString(16)}\r\n`)
      socket.write(chunk)
      socket.write('\r\n')
    }
    socket.write('0\r\n\r\n')
  } else {
    socket.write(`${start}\r\n`)
    socket.end(body)
  }
  socket.uncork()
}

/** Reads one body; each chunk is held for some turns of the loop, and looked at again before it is let go of. */
function read(
  upstream: Target,
  seeded: Seeded,
  isHeld: () => boolean,
): Promise<string | undefined> {
  const size = 1 + seeded.below(seeded.pick([100, 20_000, 600_000]))
  const from = seeded.below(SIZE - size)
  const target = `/${seeded.pick(['length', 'chunks', 'close'])}/${from}/${size}`
  let at = from
  return new Promise((resolve) => {
    const request = { method: 'GET', target, headers: ['Host', 'a.test'], body: null }
    const call = upstream.dispatch(request, {
      informed: () => undefined,
      head: () => undefined,
      data(chunk) {
        const begin = at
        at += chunk.length
        const isRight = () => DATA.subarray(begin, at).equals(chunk)
        if (!isRight()) resolve(`${target}: wrong at ${begin - from}`)
        if (!isHeld()) return true
        hold(2 + seeded.below(12), () => {
          if (!isRight()) resolve(`${target}: changed at ${begin - from} while it was lent`)
          call.resume()
        })
        return false
      },
      ended: () => resolve(at === from + size ? undefined : `${target}: ended at ${at - from}`),
      failed: ({ detail }) => resolve(`${target}: ${detail}`),
    })
  })
}

function hold(turns: number, then: () => void): void {
  if (turns === 0) then()
  else setImmediate(hold, turns - 1, then)
}

for (const engine of ['lean', 'undici'] as const) {
  for (const [what, share] of Object.entries({ 'every chunk': 1, 'some chunks': 0.5 })) {
    t.test(`${engine}: ${what} held back, on many connections at once`, async (t) => {
      const server = await startRawUpstream(answer)
      const times = { connectMs: 20_000, responseMs: 20_000, idleMs: 20_000, keepAliveMs: 20_000 }
      const settings = { target: server.origin, connections: 12, queue: 20, queueMs: 2_500, engine }
      const upstream = createTarget({ ...settings, ...times }, realClock)
      const seeded = createSeeded(3)
      const problems: string[] = []
      const drive = async () => {
        for (let i = 0; i < 25; i++) {
          const problem = await read(upstream, seeded, () => seeded.chance(share))
          if (problem) problems.push(problem)
        }
      }
      await Promise.all(Array.from({ length: 16 }, drive))
      t.same(problems, [])
      await upstream.destroy()
      await server.close()
    })
  }
}
