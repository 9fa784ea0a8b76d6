// What is held before an upgrade is answered: in order, bounded, and only while the client is there.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { EarlyBytes } from '../../src/proxy/early-bytes.ts'
import { eventually } from '../support/eventually.ts'

async function connectPair(t: Test): Promise<{ client: Socket; server: Socket }> {
  const listener = createServer({ allowHalfOpen: true })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const accepted = new Promise<Socket>((resolve) => listener.once('connection', resolve))
  const client = connect((listener.address() as AddressInfo).port, '127.0.0.1')
  client.on('error', () => undefined)
  const server = await accepted
  server.on('error', () => undefined)
  t.teardown(() => {
    client.destroy()
    server.destroy()
    listener.close()
  })
  return { client, server }
}

t.test('all that came is handed over once, and the rest goes to whoever reads on', async (t) => {
  const { client, server } = await connectPair(t)
  const early = new EarlyBytes(server, Buffer.from('a'))
  client.write('b')
  await eventually('the byte', () => server.bytesRead === 1)
  t.equal(early.take().toString(), 'ab')
  t.ok(server.isPaused())
  const rest: string[] = []
  server.on('data', (chunk) => rest.push(chunk.toString()))
  server.resume()
  client.write('c')
  await eventually('the rest', () => rest.join('') === 'c')
})

t.test('64 KiB are held, one byte more cuts the connection', async (t) => {
  const fits = await connectPair(t)
  const early = new EarlyBytes(fits.server, Buffer.alloc(64 * 1024 - 1))
  fits.client.write('x')
  await eventually('the byte', () => fits.server.bytesRead === 1)
  t.notOk(fits.server.destroyed)
  t.equal(early.take().length, 64 * 1024)
  const flood = await connectPair(t)
  new EarlyBytes(flood.server, Buffer.alloc(64 * 1024))
  flood.client.write('x')
  await eventually('its end', () => flood.server.destroyed)
})

t.test('who ends before the answer has left', async (t) => {
  const { client, server } = await connectPair(t)
  new EarlyBytes(server, Buffer.alloc(0))
  client.end()
  await eventually('its end', () => server.destroyed)
})
