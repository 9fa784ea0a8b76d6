// What a command gets of its process, in memory: its texts, its signals, its input.
import type { CommandContext } from '../../src/cli/command-context.ts'
import { realClock } from './real-clock.ts'

export interface TestContext {
  readonly context: CommandContext
  stdout(): string
  stderr(): string
  /** As the operating system would. */
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGHUP'): void
}

export function createTestContext(
  parts: { env?: Readonly<Record<string, string>>; stdin?: string } = {},
): TestContext {
  const texts = { stdout: '', stderr: '' }
  const handlers = new Map<string, () => void>()
  return {
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    signal: (name) => handlers.get(name)?.(),
    context: {
      clock: realClock,
      version: '1.2.3',
      invocation: 'poolgate',
      env: parts.env ?? {},
      stdout: (text) => {
        texts.stdout += text
      },
      stderr: (text) => {
        texts.stderr += text
      },
      readStdin: async () => parts.stdin ?? '',
      onSignal: (signal, handler) => void handlers.set(signal, handler),
    },
  }
}
