// What a client sends before its upgrade is answered: held, never read as a request and never forwarded before the 101. A client that
// sends more than a little, or leaves meanwhile, is cut.
import type { Socket } from 'node:net'

const MAX_BYTES = 64 * 1024

export class EarlyBytes {
  private readonly socket: Socket
  private readonly chunks: Buffer[] = []
  private bytes = 0
  private readonly keep = (chunk: Buffer): void => {
    this.bytes += chunk.length
    if (this.bytes > MAX_BYTES) this.socket.destroy()
    else this.chunks.push(chunk)
  }
  private readonly leave = (): void => void this.socket.destroy()

  /** @param head what has come behind the request already */
  constructor(socket: Socket, head: Buffer) {
    this.socket = socket
    this.keep(head)
    socket.on('data', this.keep).on('end', this.leave)
  }

  /** What was held, in one piece; the socket is paused, and read by whoever takes it from here. */
  take(): Buffer {
    this.socket.pause().off('data', this.keep).off('end', this.leave)
    return Buffer.concat(this.chunks)
  }
}
