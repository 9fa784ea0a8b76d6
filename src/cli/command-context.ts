// What a command gets from the process it runs in; main makes the real one, tests make their own.
import type { Clock } from '../base/clock.ts'

export interface CommandContext {
  readonly clock: Clock
  /** The version of this program. */
  readonly version: string
  /** The words that call this program from a shell, to be followed by a command. */
  readonly invocation: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  /** Everything on standard input, as UTF-8. */
  readonly readStdin: () => Promise<string>
  /** Registers what a signal does; the handler replaces an earlier one for that signal. */
  readonly onSignal: (signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP', handler: () => void) => void
}

/** Exit codes of the command line: 0 fine, 1 bad configuration or failed check, 2 bad usage, 3 denied, 70 internal. */
export type ExitCode = 0 | 1 | 2 | 3 | 70
