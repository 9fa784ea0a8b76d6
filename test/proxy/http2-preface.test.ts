// Whoever takes a connection gets every byte of it, however it was cut.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { readPreface } from '../../src/proxy/http2-preface.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/** What a connection was taken for, and all that could be read of it. */
async function send(t: Test, parts: readonly string[]) {
  const clock = createFakeClock()
  const taken = Promise.withResolvers<{ as: string; text: string }>()
  const take = (as: string) => async (socket: Socket) => {
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    await once(socket, 'end')
    socket.destroy()
    taken.resolve({ as, text })
  }
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    readPreface(socket, 1_000, { clock, http1: take('http1'), http2: take('http2') })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(client, 'connect')
  for (const part of parts) {
    client.write(part)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  client.end()
  return taken.promise
}

t.test('the preface is HTTP/2, everything else HTTP/1.1, and nothing is lost', async (t) => {
  for (const [text, as] of [
    [`${PREFACE}rest`, 'http2'],
    ['PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n', 'http1'],
    ['PUT / HTTP/1.1\r\n\r\n', 'http1'],
    ['GET / HTTP/1.1\r\n\r\n', 'http1'],
  ] as const) {
    t.strictSame(await send(t, [text]), { as, text })
    t.strictSame(await send(t, [...text]), { as, text }, 'byte by byte')
  }
})

t.test('who does not show what it speaks is cut in time, and not before', async (t) => {
  const clock = createFakeClock()
  const seen = Promise.withResolvers<Socket>()
  const server = createServer((socket) => {
    const taken = () => t.fail('taken')
    readPreface(socket, 1_000, { clock, http1: taken, http2: taken })
    seen.resolve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const closed = new Promise((resolve) => client.on('error', () => undefined).on('close', resolve))
  client.write('PRI')
  const socket = await seen.promise
  await clock.advance(999)
  t.notOk(socket.destroyed)
  await clock.advance(1)
  t.ok(socket.destroyed)
  await closed
})
