// What an upstream says before it has been asked is no answer, also when the question is already under way inside; the connection is given
// up, and the request gets its own answer or fails.
import { PassThrough } from 'node:stream'
import type { Socket } from 'node:net'
import t from 'tap'
import { createTarget } from '../../src/upstream/target.ts'
import { realClock } from '../support/real-clock.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { createRecordingSink } from '../support/recording-sink.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const SPEECHES = {
  'a whole response': 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison',
  'an interim response': 'HTTP/1.1 103 Early Hints\r\nX: poison\r\n\r\n',
  'half a head': 'HTTP/1.1 200 OK\r\nX: poison\r\n',
}
const ROUNDS = 10
const times = { connectMs: 5_000, responseMs: 5_000, idleMs: 5_000, keepAliveMs: 60_000 }

/** Parts of a turn of the event loop in which a request may come. */
const MOMENTS = {
  'a timer': (run: () => void) => setTimeout(run, 1),
  'an immediate': (run: () => void) => setImmediate(run),
}

for (const engine of ['lean', 'undici'] as const) {
  for (const [moment, at] of Object.entries(MOMENTS)) {
    for (const [what, speech] of Object.entries(SPEECHES)) {
      t.test(
        `${engine}: ${what} on an idle connection at the moment of the next request, in ${moment}`,
        async (t) => {
          let idle: Socket | undefined
          const server = await startRawUpstream((socket) => {
            idle = socket
            socket.setNoDelay(true)
            socket.write(OK)
          })
          const settings = {
            target: server.origin,
            connections: 4,
            queue: 4,
            queueMs: 2_500,
            engine,
          }
          const upstream = createTarget({ ...settings, ...times }, realClock)
          const ask = (hasBody: boolean) => {
            const sink = createRecordingSink()
            const body = hasBody ? new PassThrough().end('hello') : null
            const headers = ['Host', 'a.test', ...(hasBody ? ['Content-Length', '5'] : [])]
            const method = hasBody ? 'POST' : 'GET'
            upstream.dispatch({ method, target: '/', headers, body }, sink)
            return sink
          }
          for (let round = 0; round < ROUNDS; round++) {
            const first = ask(false)
            await first.done
            await new Promise((resolve) => setTimeout(resolve, 3))
            const sink = await new Promise<ReturnType<typeof ask>>((resolve) =>
              at(() => {
                idle?.write(speech)
                resolve(ask(round % 2 === 1))
              }),
            )
            await sink.done
            t.notMatch(JSON.stringify([first.heard, sink.heard]), 'poison', `round ${round}`)
          }
          await upstream.destroy()
          await server.close()
        },
      )
    }
  }
}
