// Where a target's connections go, over a socket in the file system too.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { toAddress } from '../../src/upstream/open-socket.ts'
import { createTarget } from '../../src/upstream/target.ts'
import { realClock } from '../support/real-clock.ts'
import { createRecordingSink } from '../support/recording-sink.ts'

t.test('the address of a target', async (t) => {
  const of = (target: string) => {
    const { path, host, port } = { ...toAddress(target) } as Record<string, unknown>
    return path ?? [host, port]
  }
  t.same(of('http://a'), ['a', 80])
  t.same(of('https://a'), ['a', 443])
  t.same(of('http://[::1]:8080'), ['::1', 8080])
  t.same(of('unix:/run/a b.sock'), '/run/a b.sock')
})

for (const [name, options] of Object.entries({
  lean: { engine: 'lean' as const },
  undici: { engine: 'undici' as const },
  http2: { engine: 'lean' as const, http2: true },
})) {
  t.test(`a socket is spoken to as a port would be: ${name}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'poolgate-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 's')
    const answer: RequestListener = (request, response) =>
      response.end(request.headers.host ?? request.headers[':authority'])
    const server = name === 'http2' ? createHttp2Server(answer as never) : createServer(answer)
    await new Promise<void>((resolve) => server.listen(path, resolve))
    const times = { connectMs: 5_000, responseMs: 5_000, idleMs: 5_000, keepAliveMs: 5_000 }
    const bounds = { connections: 2, queue: 1, queueMs: 5_000 }
    const target = createTarget(
      { target: `unix:${path}`, ...times, ...bounds, ...options },
      realClock,
    )
    const ask = async () => {
      const sink = createRecordingSink()
      const request = { method: 'GET', target: '/', headers: ['Host', 'a.test'], body: null }
      target.dispatch(request, sink)
      await sink.done
      return sink.heard
    }
    t.equal(target.origin, `unix:${path}`)
    for (let i = 0; i < 3; i++) t.same((await ask())[1], ['data', 'a.test'])
    await target.destroy()
    await new Promise((resolve) => server.close(resolve))
    const gone = createTarget(
      { target: `unix:${path}`, ...times, ...bounds, ...options },
      realClock,
    )
    const sink = createRecordingSink()
    gone.dispatch({ method: 'GET', target: '/', headers: [], body: null }, sink)
    await sink.done
    t.same(sink.heard, [['failed', 'unreachable']])
    await gone.destroy()
  })
}
