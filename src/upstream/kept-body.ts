// A body that has to be whole before it is sent, because its hash goes ahead of it. Kept in one piece, however small the pieces were that it
// came in, and within what its reservation gives.
import { Readable } from 'node:stream'
import type { Reservation } from './memory-budget.ts'

export interface KeptBody {
  /** All of the body, or why it is not kept. Rejects when it breaks off. */
  readonly whole: Promise<Buffer | 'too_large' | 'overloaded'>
  /** Nobody wants it any more: reading ends, and what was taken is given back. */
  drop(): void
}

/** @param mostBytes of this body */
export function keepBody(body: Readable, mostBytes: number, reservation: Reservation): KeptBody {
  const { promise: whole, resolve, reject } = Promise.withResolvers<Awaited<KeptBody['whole']>>()
  let kept = Buffer.alloc(0)
  let bytes = 0

  /** False where there is no room for so many. */
  function fit(needed: number): boolean {
    if (needed <= kept.length) return true
    const size = Math.min(mostBytes, Math.max(needed, kept.length * 2))
    if (!reservation.take(size - kept.length)) return false
    const grown = Buffer.allocUnsafe(size)
    kept.copy(grown, 0, 0, bytes)
    kept = grown
    return true
  }

  function stop(): void {
    body.off('data', onData).off('end', onEnd).off('error', onClose).off('close', onClose)
  }

  function drop(): void {
    stop()
    kept = Buffer.alloc(0)
    reservation.release()
  }

  function refuse(why: 'too_large' | 'overloaded'): void {
    drop()
    resolve(why)
  }

  function onData(chunk: Buffer): void {
    if (bytes + chunk.length > mostBytes) refuse('too_large')
    else if (!fit(bytes + chunk.length)) refuse('overloaded')
    else bytes += chunk.copy(kept, bytes)
  }

  function onEnd(): void {
    stop()
    resolve(kept.subarray(0, bytes))
  }

  function onClose(): void {
    drop()
    reject(new Error('the body broke off'))
  }

  if (body.destroyed) onClose()
  else body.on('data', onData).on('end', onEnd).on('error', onClose).on('close', onClose)
  return {
    whole,
    drop() {
      drop()
      resolve('overloaded')
    },
  }
}

/** The same bytes, to be read once. */
export function toReadable(bytes: Buffer): Readable {
  const readable = new Readable({ read: () => undefined })
  readable.push(bytes)
  readable.push(null)
  return readable
}
