// A named pipe, for tests of what writes to one whose reader is slow, stuck or gone.
import { execFileSync } from 'node:child_process'
import { constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'

export interface Fifo {
  /** Writes to it block while it is full (64 KiB). */
  readonly fd: number
  /** Begins to read; resolves with everything read once it ends with `ending`. */
  readUntil(ending: string): Promise<string>
  /** The reader goes away. */
  hangUp(): void
}

export function createFifo(t: Test): Fifo {
  const path = join(t.testdir(), 'fifo')
  execFileSync('mkfifo', [path])
  const reader = new Socket({
    fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
    readable: true,
    writable: false,
  })
  reader.pause()
  t.teardown(() => reader.destroy())
  let text = ''
  reader.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  return {
    fd: openSync(path, 'w'),
    readUntil: (ending) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (text.endsWith(ending)) resolve(text)
        }
        reader.on('data', check)
        reader.resume()
        check()
      }),
    hangUp: () => void reader.destroy(),
  }
}
