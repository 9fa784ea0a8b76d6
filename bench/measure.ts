// CPU time, memory and instructions of whole process trees, as the kernel counts them. It changes nothing in what it measures.
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** Nanoseconds on a CPU by thread id. */
export type CpuReading = ReadonlyMap<string, bigint>

/** The processes and all their descendants. */
export function processTree(roots: readonly number[]): number[] {
  return roots.flatMap((pid) => [pid, ...processTree(childrenOf(pid))])
}

export function readCpu(roots: readonly number[]): CpuReading {
  const reading = new Map<string, bigint>()
  for (const pid of processTree(roots)) {
    for (const thread of threadsOf(pid)) {
      const text = readOrEmpty(`/proc/${pid}/task/${thread}/schedstat`)
      if (text !== '') reading.set(thread, BigInt(text.split(' ')[0]!))
    }
  }
  return reading
}

/** Nanoseconds since an earlier reading. A thread that ended meanwhile is not counted. */
export function cpuSince(before: CpuReading, roots: readonly number[]): number {
  let sum = 0n
  for (const [thread, nanoseconds] of readCpu(roots))
    sum += nanoseconds - (before.get(thread) ?? 0n)
  return Number(sum)
}

/** Nanoseconds that a core was busy since the machine's start, stolen time included; to 10 ms. */
export function readCoreBusy(cpu: string): number {
  const line = new RegExp(`^cpu${cpu} (.*)$`, 'm').exec(readOrEmpty('/proc/stat'))?.[1] ?? ''
  const ticks = line.split(' ').map(Number)
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks
  return (user + nice + system + irq + softirq + steal) * 1e7
}

export interface Memory {
  readonly rssMiB: number
  /** Pages that several processes share are counted once among them. */
  readonly pssMiB: number
}

export function readMemory(roots: readonly number[]): Memory {
  const tree = processTree(roots).map((pid) => readOrEmpty(`/proc/${pid}/smaps_rollup`))
  return { rssMiB: sumOf(tree, /^Rss:\s+(\d+) kB$/m), pssMiB: sumOf(tree, /^Pss:\s+(\d+) kB$/m) }
}

function sumOf(texts: readonly string[], pattern: RegExp): number {
  return texts.reduce((sum, text) => sum + Number(pattern.exec(text)?.[1] ?? 0) / 1024, 0)
}

/** User instructions until `stop`; undefined where the machine does not count them. */
export function countInstructions(roots: readonly number[]): {
  stop(): Promise<number | undefined>
} {
  if (!instructionsCount()) return { stop: async () => undefined }
  const pids = processTree(roots).join(',')
  const perf = spawn('perf', ['stat', '-x,', '-e', 'instructions:u', '-p', pids])
  let output = ''
  perf.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const closed = new Promise((resolve) => perf.once('close', resolve))
  return {
    async stop() {
      perf.kill('SIGINT')
      await closed
      return toCount(output)
    },
  }
}

let probed: boolean | undefined

/** Virtual machines often count none. */
export function instructionsCount(): boolean {
  probed ??= toCount(probe()) !== undefined
  return probed
}

function probe(): string {
  const { stderr } = spawnSync('perf', ['stat', '-x,', '-e', 'instructions:u', 'true'])
  return stderr?.toString() ?? ''
}

/** `<not supported>` and `<not counted>` are no numbers. */
function toCount(output: string): number | undefined {
  const count = /^(\d+),.*instructions:u/m.exec(output)?.[1]
  return count === undefined ? undefined : Number(count)
}

function childrenOf(pid: number): number[] {
  return threadsOf(pid)
    .flatMap((thread) => readOrEmpty(`/proc/${pid}/task/${thread}/children`).split(' '))
    .flatMap((child) => (child.trim() === '' ? [] : [Number(child)]))
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** A process or thread may end between being listed and being read. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
