// An upstream that is nothing but a socket: it answers byte for byte as a test says, also what no HTTP server would.
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** Bodies are not parsed: whatever looks like a head is one. */
const HEAD = /[A-Z]+ \/\S* HTTP\/1\.1\r\n[\s\S]*?\r\n\r\n/
const MAX_HEAD = 16 * 1024

export interface RawUpstream {
  readonly origin: string
  /** Connections so far. */
  connections(): number
  /** Requests of which the head has come in. */
  requests(): number
  /** Connections that are open now. */
  open(): number
  /** What happens from now on when the head of a request has come in; `head` ends in the empty line. */
  answer(next: (socket: Socket, head: string) => void): void
  close(): Promise<void>
}

export async function startRawUpstream(
  first: (socket: Socket, head: string) => void = () => undefined,
): Promise<RawUpstream> {
  const sockets = new Set<Socket>()
  let answer = first
  let connections = 0
  let requests = 0
  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    let text = ''
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      text = text.slice(-MAX_HEAD) + chunk.toString('latin1')
      const head = HEAD.exec(text)?.[0]
      if (head === undefined) return
      text = ''
      requests++
      answer(socket, head)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    connections: () => connections,
    requests: () => requests,
    open: () => sockets.size,
    answer: (next) => {
      answer = next
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Node never closes a socket that is reset while its end is on its way, and the process then never ends. */
export function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}
