// The program's log: pino for what is rare, ready-made access lines beside it, both as JSON lines to one place.
// A log that cannot be written drops lines and counts them; it never holds up a request and never ends the process.
import { pino } from 'pino'
import type { Clock } from '../base/clock.ts'
import { createLineWriter, type LineWriter } from './line-writer.ts'

export type LogLevel = 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, unknown>>

export interface Log {
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  /** One line as `toAccessLine` makes it. */
  access(line: string): void
  /** Lines that could not be written. */
  dropped(): number
  /** Resolves when all that was logged is written, or cannot be; to be called before the process exits. */
  flush(): Promise<void>
}

export interface LogOptions {
  readonly level: LogLevel
  readonly clock: Clock
  /** A file descriptor (standard output when absent), or something that gets each line at once. */
  readonly destination?: number | { write(line: string): unknown }
}

/** A log at `level`; access lines are written at every level. */
export function createLog({ level, clock, destination = 1 }: LogOptions): Log {
  const writer =
    typeof destination === 'number'
      ? createLineWriter(destination, clock)
      : createDirectWriter(destination)
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => writer.put(line, true) },
  )
  return {
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    access: (line) => writer.put(line),
    dropped: writer.dropped,
    flush: writer.flush,
  }
}

function createDirectWriter(destination: { write(line: string): unknown }): LineWriter {
  return {
    put: (line) => void destination.write(line),
    dropped: () => 0,
    flush: () => Promise.resolve(),
  }
}
