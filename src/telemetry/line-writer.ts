// Writes log lines to a file descriptor in large pieces, one write at a time, off the main thread.
// It never blocks, never throws and holds a bounded amount: what does not fit is dropped and counted.
import { write } from 'node:fs'
import type { Clock } from '../base/clock.ts'

export interface LineWriter {
  /** Takes one line with its line feed; `urgent` begins to write at once instead of gathering more. */
  put(line: string, urgent?: boolean): void
  /** Lines that could not be written and are gone. */
  dropped(): number
  /** Resolves when everything is written, or a write has failed, or after two seconds. */
  flush(): Promise<void>
}

const WRITE_AT_CHARS = 64 * 1024
const WRITE_AFTER_MS = 250
const MAX_GATHERED_CHARS = 4 * 1024 * 1024
const FLUSH_LIMIT_MS = 2000
const NOTHING = Buffer.alloc(0)

/**
 * Lines wait for 64 KiB or 250 ms. While the descriptor takes nothing up to 4 Mi characters wait, and a failed write is
 * tried again every 250 ms; after a broken pipe everything is dropped.
 */
export function createLineWriter(fd: number, clock: Clock): LineWriter {
  let gathered = ''
  let unwritten = NOTHING
  let isWriting = false
  let isFailing = false
  let isBroken = false
  let drops = 0
  let isDue = false
  let waiting: (() => void)[] = []

  function put(line: string, urgent = false): void {
    if (isBroken || gathered.length + line.length > MAX_GATHERED_CHARS) {
      drops++
      return
    }
    gathered += line
    const isEnough = urgent || gathered.length >= WRITE_AT_CHARS
    if (isEnough && !isFailing) writeNext()
    else writeLater()
  }

  function writeLater(): void {
    if (isDue) return
    isDue = true
    clock.after(WRITE_AFTER_MS, () => {
      isDue = false
      writeNext()
    })
  }

  function writeNext(): void {
    if (isWriting) return
    if (unwritten.length === 0) {
      unwritten = Buffer.from(gathered)
      gathered = ''
    }
    if (unwritten.length === 0) {
      settle()
      return
    }
    isWriting = true
    write(fd, unwritten, afterWrite)
  }

  function afterWrite(error: NodeJS.ErrnoException | null, written: number): void {
    isWriting = false
    isFailing = error !== null
    if (error) {
      afterFailure(error)
      return
    }
    unwritten = unwritten.subarray(written)
    const isBehind = gathered.length >= WRITE_AT_CHARS || waiting.length > 0
    if (unwritten.length > 0 || isBehind) writeNext()
    else if (gathered !== '') writeLater()
  }

  function afterFailure(error: NodeJS.ErrnoException): void {
    if (error.code === 'EPIPE') {
      isBroken = true
      drops += countLines(unwritten.toString()) + countLines(gathered)
      unwritten = NOTHING
      gathered = ''
    } else writeLater()
    settle()
  }

  function settle(): void {
    const settled = waiting
    waiting = []
    for (const resolve of settled) resolve()
  }

  return {
    put,
    dropped: () => drops,
    flush: () =>
      new Promise((resolve) => {
        const limit = clock.after(FLUSH_LIMIT_MS, resolve)
        waiting.push(() => {
          limit.cancel()
          resolve()
        })
        writeNext()
      }),
  }
}

function countLines(text: string): number {
  return text.split('\n').length - 1
}
