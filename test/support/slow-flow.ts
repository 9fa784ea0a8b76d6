// Bodies without an end between peers of which one is slow, and where their bytes stand: read, in the kernel, or in the gateway between.
import { connect, type Socket } from 'node:net'
import { eventually } from './eventually.ts'
import { kernelSockets } from './kernel-sockets.ts'

const KIB = 1024
const PIECE = Buffer.alloc(16 * KIB, 'x')
const LOOK_MS = 500

/** Writes without end, as fast as it is taken; only one piece, of 16 KiB, is ever waiting to be. */
export function pour(socket: Socket): void {
  const next = () => {
    if (!socket.destroyed) socket.write(PIECE, next)
  }
  next()
}

/** Connects, and from then on reads so much and no more once a second. */
export async function connectSlow(port: number, bytesPerSecond: number): Promise<Socket> {
  const onread = { buffer: Buffer.alloc(bytesPerSecond), callback: () => false }
  const socket = connect({ host: '127.0.0.1', port, onread })
  socket.on('error', () => undefined)
  const timer = setInterval(() => socket.resume(), 1_000)
  socket.on('close', () => clearInterval(timer))
  await new Promise((resolve) => socket.once('connect', resolve))
  return socket
}

/** Sees to it that not much more than 64 KiB a second is read of what this socket gets. */
export function readSlowly(socket: Socket): void {
  socket.removeAllListeners('data').on('data', () => socket.pause())
  const timer = setInterval(() => socket.resume(), 1_000)
  socket.on('close', () => clearInterval(timer))
}

export interface Flow {
  readonly writers: readonly Socket[]
  readonly readers: readonly Socket[]
  /** The gateway's, and its upstream's. */
  readonly ports: readonly number[]
}

export interface Standing {
  /** Written and not read, and of that what is neither in the kernel's buffers: bytes. */
  readonly unread: number
  readonly between: number
}

export function totalOf(sockets: readonly Socket[], what: 'bytesRead' | 'bytesWritten'): number {
  return sockets.reduce((total, socket) => total + socket[what], 0)
}

/** Once nothing moves any more but what the slow side reads. */
export async function settle(flow: Flow): Promise<Standing> {
  const sent = () => totalOf(flow.writers, 'bytesWritten')
  let last = -1
  await eventually(
    'writers that stand still',
    async () => {
      const before = last
      last = sent()
      const stands = last === before && flow.writers.every((writer) => writer.writableLength > 0)
      if (!stands) await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      return stands
    },
    20_000,
  )
  const kernel = kernelSockets(...flow.ports).reduce((total, { bytes }) => total + bytes, 0)
  const unread = sent() - totalOf(flow.readers, 'bytesRead')
  return { unread, between: unread - kernel }
}
