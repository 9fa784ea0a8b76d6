// Compiles the load generator and runs it. It never lets a run pass whose requests were not all answered as they should be.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface LoadOptions {
  readonly port: number
  /** A file of traffic.ts. */
  readonly requests: string
  readonly connections: number
  /** Requests a second, due by the clock; left out, every connection asks again at once. */
  readonly rate?: number
  /** Stops after so many requests. */
  readonly count?: number
  /** Index of the first request in the file. */
  readonly first?: number
  /** Zero bytes sent after each request. */
  readonly body?: number
}

export interface LoadReport {
  /** Answered in the measured time. */
  readonly requests: number
  /** Sent from start to end, warm-up included. */
  readonly sent: number
  readonly seconds: number
  readonly statuses: Readonly<Record<string, number>>
  /** Sent and not answered whole. */
  readonly errors: number
  readonly reconnects: number
  readonly latencyUs: Readonly<Record<'p50' | 'p90' | 'p99' | 'p999' | 'max' | 'mean', number>>
}

export interface LoadTimes {
  readonly cpus: string
  readonly seconds: number
  readonly warmup?: number
}

let binary: string | undefined

function compiled(): string {
  if (binary !== undefined) return binary
  const dir = mkdtempSync(join(tmpdir(), 'poolgate-load-'))
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  binary = join(dir, 'load')
  const source = join(import.meta.dirname, 'load.c')
  execFileSync('gcc', ['-O2', '-std=gnu17', '-Wall', '-Wextra', '-o', binary, source])
  return binary
}

/** One report for each kind of traffic, all of which run at the same time. */
export async function runLoad(
  times: LoadTimes,
  ...streams: readonly LoadOptions[]
): Promise<LoadReport[]> {
  const time = ['--seconds', String(times.seconds), '--warmup', String(times.warmup ?? 0)]
  const args = streams.flatMap((stream, index) => [
    ...(index > 0 ? ['--and'] : []),
    ...toArguments(stream),
  ])
  const child = spawn('taskset', ['-c', times.cpus, compiled(), ...time, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let trouble = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (trouble += chunk.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(trouble.trim() || `load generator: exit ${code}`)
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as LoadReport)
}

/** Opens connections with one request each and holds them until `close`. */
export async function holdIdle(
  cpus: string,
  port: number,
  connections: number,
  requests: string,
): Promise<{ close(): Promise<void> }> {
  const args = ['--idle', String(connections), '--port', String(port), '--requests', requests]
  const child = spawn('taskset', ['-c', cpus, compiled(), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const closed = new Promise((resolve) => child.once('close', resolve))
  const lines = createInterface(child.stdout)
  const first = await Promise.race([
    new Promise<string>((resolve) => lines.once('line', resolve)),
    closed.then(() => 'no answer'),
  ])
  async function close(): Promise<void> {
    child.stdin.end()
    await closed
  }
  if (first !== JSON.stringify({ open: connections, errors: 0 })) {
    await close()
    throw new Error(`idle connections: ${first}`)
  }
  return { close }
}

/** Throws when anything but `status` was answered, or something was not answered at all. */
export function assertOnly(report: LoadReport, ...statuses: readonly number[]): LoadReport {
  const others = Object.keys(report.statuses).filter((status) => !statuses.includes(Number(status)))
  if (others.length > 0 || report.errors > 0 || report.requests === 0) {
    throw new Error(`answered ${JSON.stringify(report.statuses)}, ${report.errors} errors`)
  }
  return report
}

function toArguments(options: LoadOptions): string[] {
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
}
