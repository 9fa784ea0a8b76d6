// Tells connections that speak HTTP/2 with prior knowledge (RFC 9113 section 3.3) from those that speak HTTP/1.1, by their first bytes. Those
// are left for whoever takes the connection.
import type { Socket } from 'node:net'
import type { Clock } from '../base/clock.ts'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

export interface PrefacePorts {
  readonly clock: Pick<Clock, 'after'>
  readonly http1: (socket: Socket) => void
  readonly http2: (socket: Socket) => void
}

/**
 * A connection that has not shown within `waitMs` what it speaks is cut.
 * @returns cuts it unless it has shown what it speaks
 */
export function readPreface(socket: Socket, waitMs: number, ports: PrefacePorts): () => void {
  let held = Buffer.alloc(0)
  const timer = ports.clock.after(waitMs, cut)
  function stop(): void {
    timer.cancel()
    socket.off('readable', look).off('end', cut).off('error', cut).off('close', stop)
  }
  function cut(): void {
    stop()
    socket.destroy()
  }
  function look(): void {
    const read: Buffer | null = socket.read()
    if (read === null) return
    held = Buffer.concat([held, read])
    const length = Math.min(held.length, PREFACE.length)
    const isHttp2 = held.compare(PREFACE, 0, length, 0, length) === 0
    if (isHttp2 && length < PREFACE.length) return
    stop()
    // Not before: what was put back would be told of at once, without end.
    socket.unshift(held)
    if (isHttp2) ports.http2(socket)
    else ports.http1(socket)
  }
  socket.on('readable', look).on('end', cut).on('error', cut).on('close', stop)
  return cut
}
