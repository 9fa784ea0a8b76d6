// Runs the client that asks for decisions by gRPC, in a process of its own that stays, so that its code is warm too.
import { fork } from 'node:child_process'
import { join } from 'node:path'

export interface CheckRun {
  readonly seconds: number
  /** So many at a time, each asked again at once … */
  readonly inFlight?: number
  /** … or so many a second by the clock. */
  readonly rate?: number
}

export interface CheckFigures {
  readonly answered: number
  readonly seconds: number
  readonly p50Us: number
  readonly p99Us: number
}

export interface CheckLoad {
  /** Rejects when anything was not allowed. */
  ask(run: CheckRun): Promise<CheckFigures>
  stop(): Promise<void>
}

export async function runCheckLoad(
  cpus: string,
  port: number,
  tokens: readonly string[],
): Promise<CheckLoad> {
  const program = join(import.meta.dirname, 'check-load.ts')
  const child = fork(program, [String(port), cpus])
  process.once('exit', () => child.kill())
  const closed = new Promise<undefined>((resolve) => child.once('close', () => resolve(undefined)))
  const answer = () =>
    Promise.race([
      new Promise<CheckFigures | { readonly trouble: string }>((resolve) =>
        child.once('message', resolve as (message: unknown) => void),
      ),
      closed,
    ])
  child.send(tokens)
  return {
    async ask(run) {
      if (!child.connected) throw new Error('the gRPC client has ended')
      child.send(run)
      const figures = await answer()
      if (figures === undefined) throw new Error('the gRPC client ended')
      if ('trouble' in figures) throw new Error(figures.trouble)
      return figures
    },
    async stop() {
      child.kill()
      await closed
    },
  }
}
