// Bodies that have to be whole before they are sent, because their hash goes ahead of them. Bounded each, and all of an upstream together.
import { Readable } from 'node:stream'

export interface KeptBodies {
  /** All of the body, or why it is not kept. Rejects when it breaks off. @param isOver whether nobody wants it any more */
  read(body: Readable, isOver: () => boolean): Promise<KeptBody | 'too_large' | 'overloaded'>
}

export interface KeptBody {
  readonly bytes: Buffer
  /** To be called once, when it is of no use any more. */
  release(): void
}

/** Of all requests of an upstream. */
const MOST_BYTES = 256 * 1024 * 1024

/** @param maxBody bytes of one body */
export function createKeptBodies(maxBody: number, mostBytes = MOST_BYTES): KeptBodies {
  let kept = 0
  return {
    read(body, isOver) {
      const chunks: Buffer[] = []
      let bytes = 0
      const release = () => {
        kept -= bytes
        bytes = 0
      }
      return new Promise((resolve, reject) => {
        const stop = (): void => {
          body.off('data', onData).off('end', onEnd).off('error', onClose).off('close', onClose)
        }
        const refuse = (why: 'too_large' | 'overloaded'): void => {
          stop()
          release()
          resolve(why)
        }
        const onData = (chunk: Buffer): void => {
          bytes += chunk.length
          kept += chunk.length
          if (isOver()) onClose()
          else if (bytes > maxBody) refuse('too_large')
          else if (kept > mostBytes) refuse('overloaded')
          else chunks.push(chunk)
        }
        const onEnd = (): void => {
          stop()
          resolve({ bytes: Buffer.concat(chunks, bytes), release })
        }
        const onClose = (): void => {
          stop()
          release()
          reject(new Error('the body broke off'))
        }
        if (body.destroyed) onClose()
        else body.on('data', onData).on('end', onEnd).on('error', onClose).on('close', onClose)
      })
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
