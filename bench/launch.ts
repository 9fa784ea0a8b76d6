// Starts one program of the benchmark on the CPUs it is given, waits until it accepts, and stops it.
// It must never leave a process behind, nor hide why one did not start.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Where every contender writes its access lines: each of them formats and writes one line per request, and no disk
 * gets into the figures.
 */
export const ACCESS_LOG = '/dev/null'

/** Under valgrind on a busy machine it takes long. */
const START_LIMIT_MS = 120_000
const STOP_LIMIT_MS = 3_000
const LAST_OUTPUT_CHARS = 4_000

export interface Program {
  readonly name: string
  /** For its standard error. */
  readonly dir: string
  readonly cpus: string
  readonly command: readonly [string, ...string[]]
  readonly env?: Readonly<Record<string, string>>
  /** On 127.0.0.1; it is started when it accepts there. */
  readonly port: number
}

export interface RunningProgram {
  readonly port: number
  readonly pids: readonly number[]
  stop(): Promise<void>
}

const running = new Set<ChildProcess>()
// SIGTERM, because nginx's workers outlive a killed master.
process.once('exit', () => {
  for (const child of running) child.kill('SIGTERM')
})

/** Its standard output, where some have their access log, goes to ACCESS_LOG. */
export async function launch(program: Program): Promise<RunningProgram> {
  const outputFile = join(program.dir, `${program.name}-${program.port}.stderr`)
  const stdout = openSync(ACCESS_LOG, 'w')
  const stderr = openSync(outputFile, 'w')
  const child = spawn('taskset', ['-c', program.cpus, ...program.command], {
    stdio: ['ignore', stdout, stderr],
    env: { ...process.env, ...program.env },
  })
  closeSync(stdout)
  closeSync(stderr)
  running.add(child)
  let failure: string | undefined
  child.once('error', (error) => (failure = error.message))
  child.once('exit', (code, signal) => {
    failure ??= `exit ${code ?? signal}`
    running.delete(child)
  })
  const started = await accepts(program.port, () => failure !== undefined)
  if (!started) {
    await stop(child)
    const output = readFileSync(outputFile, 'utf8').slice(-LAST_OUTPUT_CHARS)
    throw new Error(`${program.name} did not start: ${failure ?? 'not in time'}\n${output}`)
  }
  return { port: program.port, pids: [child.pid!], stop: () => stop(child) }
}

/** Several programs that serve as one: the first one's port, everybody's processes. */
export function together(first: RunningProgram, ...others: RunningProgram[]): RunningProgram {
  const all = [first, ...others]
  return {
    port: first.port,
    pids: all.flatMap(({ pids }) => pids),
    stop: async () => {
      await Promise.all(all.map((program) => program.stop()))
    },
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function accepts(port: number, hasFailed: () => boolean): Promise<boolean> {
  const limit = performance.now() + START_LIMIT_MS
  while (performance.now() < limit && !hasFailed()) {
    if (await canConnect(port)) return true
    // Short, because start-up times are measured with it.
    await sleep(1)
  }
  return false
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
  await exited
  clearTimeout(timer)
}
