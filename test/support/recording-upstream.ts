// An upstream that keeps the raw bytes of every connection and reads them without any mercy: what is not plainly one request
// after the other is told as a problem. It answers a request once its body is complete.
import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface SeenRequest {
  readonly method: string
  readonly target: string
  /** Name, value, name, value … as they came. */
  readonly headers: readonly string[]
  /** One character a byte. */
  body: string
  complete: boolean
  /** The connection closed before the body was complete. */
  cut: boolean
  /** Why no strict reader would take it. */
  readonly problem: string | undefined
}

export type RawReply = (request: SeenRequest, socket: Socket) => void

export interface RecordingUpstream {
  readonly origin: string
  /** Requests of which the head has come in since the last call. */
  take(): SeenRequest[]
  /** How every request is answered from now on; undefined: 200, the target as `x-target`, and the body again. */
  reply(next: RawReply | undefined): void
  close(): Promise<void>
}

export async function startRecordingUpstream(): Promise<RecordingUpstream> {
  const sockets = new Set<Socket>()
  let seen: SeenRequest[] = []
  let reply: RawReply = replyPlainly
  const server = createServer((socket) => {
    sockets.add(socket)
    let last: SeenRequest | undefined
    socket.on('close', () => {
      sockets.delete(socket)
      if (last !== undefined) last.cut = !last.complete
    })
    socket.on('error', () => undefined)
    const read = createReader({
      head(request) {
        last = request
        seen.push(request)
      },
      whole: (request) => reply(request, socket),
    })
    socket.on('data', (chunk) => read(chunk.toString('latin1')))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    take() {
      const taken = seen
      seen = []
      return taken
    },
    reply: (next = replyPlainly) => {
      reply = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

export function replyPlainly({ method, target, body }: SeenRequest, socket: Socket): void {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nx-target: ${target}\r\n\r\n`
  socket.write(method === 'HEAD' ? head : head + body, 'latin1')
}

interface ReaderPorts {
  readonly head: (request: SeenRequest) => void
  readonly whole: (request: SeenRequest) => void
}

/** Reads one connection, however its bytes are split. */
function createReader(ports: ReaderPorts): (text: string) => void {
  let pending = ''
  let current: { request: SeenRequest; takeBody: TakeBody } | undefined
  return (text) => {
    pending += text
    for (;;) {
      if (current === undefined) {
        const end = pending.indexOf('\r\n\r\n')
        if (end === -1) return
        current = parseHead(pending.slice(0, end))
        pending = pending.slice(end + 4)
        ports.head(current.request)
      }
      const taken = current.takeBody(pending)
      if (taken === undefined) return
      const { request } = current
      pending = taken.rest
      current = undefined
      request.body = taken.body
      request.complete = true
      ports.whole(request)
    }
  }
}

/** Undefined until the whole body is there. */
type TakeBody = (text: string) => { readonly body: string; readonly rest: string } | undefined

const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)[ \t]*$/

function parseHead(head: string): { request: SeenRequest; takeBody: TakeBody } {
  const [line = '', ...fields] = head.split('\r\n')
  const [, method = '', target = ''] = /^([A-Z-]+) (\/[!-~]*) HTTP\/1\.1$/.exec(line) ?? []
  const headers = fields.flatMap((field) => FIELD.exec(field)?.slice(1) ?? [])
  const values = (name: string) =>
    headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name)
  const [lengths, codings] = [values('content-length'), values('transfer-encoding')]
  const isFramed =
    lengths.length + codings.length <= 1 &&
    lengths.every((value) => /^\d+$/.test(value)) &&
    codings.every((value) => value === 'chunked')
  const problem =
    method === ''
      ? `request line ${JSON.stringify(line)}`
      : headers.length !== fields.length * 2
        ? `field lines ${JSON.stringify(fields)}`
        : isFramed
          ? undefined
          : `framing ${lengths} ${codings}`
  return {
    request: { method, target, headers, body: '', complete: false, cut: false, problem },
    takeBody:
      codings.length > 0 ? takeChunked : (text) => takeLength(text, Number(lengths[0] ?? 0)),
  }
}

function takeLength(text: string, length: number): ReturnType<TakeBody> {
  return text.length < length
    ? undefined
    : { body: text.slice(0, length), rest: text.slice(length) }
}

function takeChunked(text: string): ReturnType<TakeBody> {
  let [at, body] = [0, '']
  for (;;) {
    const size = /^([0-9a-f]+)\r\n/i.exec(text.slice(at, at + 20))
    if (size === null) return undefined
    at += size[0].length
    const length = parseInt(size[1] as string, 16)
    if (length === 0) {
      const trailers = /^(?:[^\r\n]+\r\n)*\r\n/.exec(text.slice(at))?.[0]
      return trailers === undefined ? undefined : { body, rest: text.slice(at + trailers.length) }
    }
    if (text.length < at + length + 2) return undefined
    body += text.slice(at, at + length)
    at += length + 2
  }
}
