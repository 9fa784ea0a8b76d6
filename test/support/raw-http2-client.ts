// An HTTP/2 client over plain TCP that a test drives frame by frame: what no HTTP/2 library would send can be sent.
import { connect, type Socket } from 'node:net'
import { type Frame, PING, type RawPeer, SETTINGS, toPeer } from './raw-http2-upstream.ts'

export interface RawHttp2Client extends RawPeer {
  readonly socket: Socket
  readonly frames: Frame[]
  readonly isClosed: () => boolean
  readonly closed: Promise<void>
}

const ACK = 1
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/** SETTINGS and PINGs are answered by itself, unless `silent`; everything that comes is kept in `frames`. */
export async function connectRawHttp2(
  origin: string,
  settings: Buffer = Buffer.alloc(0),
  silent = false,
): Promise<RawHttp2Client> {
  const { hostname, port } = new URL(origin)
  const socket = connect(Number(port), hostname)
  const peer = toPeer(socket)
  const frames: Frame[] = []
  let rest = Buffer.alloc(0)
  let isClosed = false
  const closed = new Promise<void>((resolve) =>
    socket.on('close', () => {
      isClosed = true
      resolve()
    }),
  )
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk as Buffer])
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const length = rest.readUIntBE(0, 3)
      const [type, flags] = [rest[3] as number, rest[4] as number]
      const payload = rest.subarray(9, 9 + length)
      frames.push({ type, flags, stream: rest.readUInt32BE(5), payload })
      rest = rest.subarray(9 + length)
      if (silent || flags === ACK) continue
      if (type === SETTINGS) peer.send(SETTINGS, 0, Buffer.alloc(0), ACK)
      else if (type === PING) peer.send(PING, 0, payload, ACK)
    }
  })
  await new Promise((resolve) => socket.on('connect', resolve))
  socket.write(PREFACE)
  peer.send(SETTINGS, 0, settings)
  return { ...peer, frames, isClosed: () => isClosed, closed }
}
