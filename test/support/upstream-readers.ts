// Three ways to read the same answer: with an engine over a socket, or with the lean engine's parsers alone. All of them put down what
// they read in the reference parser's terms.
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { ChunkedBody } from '../../src/upstream/chunked-body.ts'
import { parseResponseHead } from '../../src/upstream/response-head.ts'
import { createTarget, type TargetSettings } from '../../src/upstream/target.ts'
import { realClock } from './real-clock.ts'
import type { Reading } from './reference-parser.ts'

/** Fills in a reading; the lists may still grow. */
function createReading() {
  return {
    informed: [] as Reading['informed'][number][],
    head: undefined as Reading['head'],
    body: '',
    trailers: [] as Reading['trailers'],
    complete: false,
  }
}

/** What the lean engine's parsers make of an answer when the body comes in these pieces, put together as the engine does. */
export function readWithParsers(
  bytes: Buffer,
  method: 'GET' | 'HEAD',
  cut: (bytes: Buffer) => Buffer[],
): Reading & { readonly persistent: boolean } {
  const reading = createReading()
  const text = bytes.toString('latin1')
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n\r\n', at)
    if (end === -1) return { ...reading, persistent: false }
    const head = parseResponseHead(text.slice(at), end + 2 - at)
    if ('malformed' in head || head.status === 101) return { ...reading, persistent: false }
    at = end + 4
    if (head.status >= 200) {
      const { status, headers, persistent, chunked, contentLength } = head
      reading.head = { status, headers }
      const rest = bytes.subarray(at)
      if (method === 'HEAD' || status === 204 || status === 304) reading.complete = true
      else if (chunked) readChunks(reading, cut(rest))
      else {
        const length = contentLength === -1 ? rest.length : contentLength
        reading.body = rest.toString('latin1', 0, length)
        reading.complete = rest.length >= length
      }
      return { ...reading, persistent }
    }
    if (head.status !== 100) reading.informed.push({ status: head.status, headers: head.headers })
  }
}

function readChunks(reading: ReturnType<typeof createReading>, pieces: Buffer[]): void {
  const body = new ChunkedBody()
  for (const piece of pieces) {
    // In memory of its own: payload moves together where it is read.
    const bytes = Buffer.from(piece)
    reading.body += bytes.toString('latin1', 0, body.decode(bytes, 0, bytes.length))
    if (body.malformed !== undefined || body.done) break
  }
  reading.complete = body.done && body.malformed === undefined
  reading.trailers = body.trailers
}

export interface AnsweringServer {
  readonly origin: string
  /** Connections that are open now. */
  open(): number
  /** Answers requests for `/key` with these pieces, one after the other, and then ends the connection. */
  answer(key: string, pieces: readonly Buffer[]): void
  /** Asked once the answer was read: whether its connection goes too. */
  gone(key: string): Promise<boolean>
  close(): Promise<void>
}

const MAX_LINGER_MS = 3_000

/** An upstream that answers byte for byte and then sends FIN. */
export async function startAnsweringServer(): Promise<AnsweringServer> {
  const answers = new Map<string, readonly Buffer[]>()
  const closed = new Map<string, (isGone: boolean) => void>()
  const left = new Set<string>()
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    let text = ''
    let key: string | undefined
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('end', () => socket.end())
    socket.on('close', () => {
      sockets.delete(socket)
      if (key === undefined) return
      left.add(key)
      closed.get(key)?.(true)
    })
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      const asked = /^[A-Z]+ \/(\S*) /.exec(text)?.[1]
      if (key !== undefined || asked === undefined || !text.includes('\r\n\r\n')) return
      key = asked
      write(socket, answers.get(asked) ?? [])
      answers.delete(asked)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: () => sockets.size,
    answer: (key, pieces) => void answers.set(key, pieces),
    async gone(key) {
      const end = new Promise<boolean>((resolve) => closed.set(key, resolve))
      const isGone = left.has(key) || (await Promise.race([end, lateness()]))
      closed.delete(key)
      left.delete(key)
      return isGone
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function lateness(): Promise<boolean> {
  return new Promise((resolve) => {
    setTimeout(resolve, MAX_LINGER_MS, false).unref()
  })
}

function write(socket: Socket, pieces: readonly Buffer[], from = 0): void {
  if (socket.destroyed) return
  const piece = pieces[from]
  if (piece === undefined) return void socket.end()
  socket.write(piece)
  // A turn of the loop is enough for each piece to be read by itself.
  if (from + 1 < pieces.length) setImmediate(write, socket, pieces, from + 1)
  else socket.end()
}

export interface EngineReader {
  read(key: string, method: 'GET' | 'HEAD'): Promise<Reading>
  close(): Promise<void>
}

/** Reads with an engine of one connection, so that no request can meet the end of another's. */
export function createEngineReader(engine: TargetSettings['engine'], origin: string): EngineReader {
  const times = { connectMs: 20_000, responseMs: 20_000, idleMs: 20_000, keepAliveMs: 20_000 }
  const settings = { target: origin, connections: 1, queue: 1, queueMs: 20_000, engine, ...times }
  const upstream = createTarget(settings, realClock)
  return {
    read(key, method) {
      const reading = createReading()
      const chunks: Buffer[] = []
      return new Promise((resolve) => {
        const finish = (complete: boolean, trailers: Reading['trailers']) =>
          resolve({
            ...reading,
            body: Buffer.concat(chunks).toString('latin1'),
            complete,
            trailers,
          })
        const request = { method, target: `/${key}`, headers: ['Host', 'a.test'], body: null }
        upstream.dispatch(request, {
          informed: (status, headers) => reading.informed.push({ status, headers }),
          head: (status, headers) => {
            reading.head = { status, headers }
          },
          data: (chunk) => chunks.push(Buffer.from(chunk)) > 0,
          ended: (trailers) => finish(true, trailers),
          failed: () => finish(false, []),
        })
      })
    },
    close: () => upstream.destroy(),
  }
}
