// An HTTP/2 upstream over plain TCP that a test answers for frame by frame: what no HTTP/2 library would send can be sent.
import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

export const DATA = 0
export const HEADERS = 1
export const RST_STREAM = 3
export const SETTINGS = 4
export const PING = 6
export const GOAWAY = 7
export const END_STREAM = 1
const ACK = 1
const END_HEADERS = 4
const PREFACE = 24

export interface RawPeer {
  readonly socket: Socket
  send(type: number, stream: number, payload?: Buffer, flags?: number): void
  /** A block without compression; `flags` beside END_HEADERS. */
  sendHeaders(
    stream: number,
    fields: Readonly<Record<string, string>> | readonly (readonly [string, string])[],
    flags?: number,
  ): void
}

export interface RawHttp2Upstream {
  readonly origin: string
  readonly frames: Frame[]
  connections(): number
  open(): number
  handle(next: (frame: Frame, peer: RawPeer) => void): void
  close(): Promise<void>
}

/** SETTINGS are exchanged by itself, and PINGs answered unless `silent`; all other frames go to `handle`. */
export async function startRawHttp2Upstream(
  settings: Buffer = Buffer.alloc(0),
  silent = false,
): Promise<RawHttp2Upstream> {
  const frames: Frame[] = []
  const sockets = new Set<Socket>()
  let count = 0
  let handle: (frame: Frame, peer: RawPeer) => void = () => undefined
  const server = createServer((socket) => {
    count++
    sockets.add(socket)
    const peer = toPeer(socket)
    let rest = Buffer.alloc(0)
    let isPrefaced = false
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    peer.send(SETTINGS, 0, settings)
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk as Buffer])
      if (!isPrefaced && rest.length >= PREFACE) {
        rest = rest.subarray(PREFACE)
        isPrefaced = true
      }
      while (isPrefaced && rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
        const length = rest.readUIntBE(0, 3)
        const [type, flags] = [rest[3] as number, rest[4] as number]
        const payload = rest.subarray(9, 9 + length)
        const frame = { type, flags, stream: rest.readUInt32BE(5), payload }
        rest = rest.subarray(9 + length)
        frames.push(frame)
        if (type === SETTINGS && flags !== ACK) peer.send(SETTINGS, 0, Buffer.alloc(0), ACK)
        else if (type === PING && flags !== ACK && !silent) peer.send(PING, 0, payload, ACK)
        else handle(frame, peer)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    frames,
    connections: () => count,
    open: () => sockets.size,
    handle: (next) => {
      handle = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** Writes frames to a socket. */
export function toPeer(socket: Socket): RawPeer {
  const send: RawPeer['send'] = (type, stream, payload = Buffer.alloc(0), flags = 0) => {
    const head = Buffer.alloc(9)
    head.writeUIntBE(payload.length, 0, 3)
    head[3] = type
    head[4] = flags
    head.writeUInt32BE(stream, 5)
    socket.write(Buffer.concat([head, payload]))
  }
  return {
    socket,
    send,
    sendHeaders(stream, fields, flags = 0) {
      const pairs = Array.isArray(fields) ? fields : Object.entries(fields)
      const lines = pairs.map(([name, value]) =>
        Buffer.concat([Buffer.from([0]), toText(name), toText(value)]),
      )
      send(HEADERS, stream, Buffer.concat(lines), flags | END_HEADERS)
    },
  }
}

/** A string literal without Huffman coding (RFC 7541 section 5.2), of less than 127 + 128 bytes. */
function toText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  const length = bytes.length < 127 ? [bytes.length] : [127, bytes.length - 127]
  return Buffer.concat([Buffer.from(length), bytes])
}
