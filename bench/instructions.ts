// `node bench/instructions.ts [DIST…]`: user instructions of one hot request, counted by valgrind where `perf stat` counts none.
// A count hardly depends on how busy the machine is; it knows nothing of the kernel, caches or time, so it must not be called a cost.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startPoolgate } from './contenders/poolgate.ts'
import { commandPath, missingCommand } from './installed.ts'
import { assertOnly, runLoad } from './load/run-load.ts'
import { median } from './rounds.ts'
import { LOAD_CPU, PROXY_CPU } from './scenario.ts'
import { createTraffic } from './traffic.ts'
import { createWorld, type BenchWorld } from './world.ts'

const CONNECTIONS = 8
const LIMIT_S = 900

const USAGE = `node bench/instructions.ts [options] [DIST…]

DIST: folders that \`npm run build -- --outDir DIST\` made, of other commits too; left out, this source is built.

  --runs n       processes of each, in turn (default 2)
  --warmup n     requests before counting begins (default 20000)
  --windows n    counted stretches of each process (default 5)
  --requests n   of each stretch (default 2000)
  --help         this text
`

interface Sizes {
  readonly warmup: number
  readonly windows: number
  readonly requests: number
}

/** Thousands of instructions a request, one figure for each window of one process. */
async function countProcess(
  bench: BenchWorld,
  requests: string,
  main: string | undefined,
  sizes: Sizes,
): Promise<number[]> {
  const dir = mkdtempSync(join(bench.world.dir, 'callgrind-'))
  // The compiler writes code that it overwrites later; valgrind must not run what stood there before.
  const options = [
    '--smc-check=all-non-file',
    '--fair-sched=try',
    '--instr-atstart=no',
    `--callgrind-out-file=${dir}/counts`,
  ]
  const wrapper = [commandPath('valgrind'), '--tool=callgrind', ...options] as const
  const running = await startPoolgate(bench.world, {
    name: 'poolgate-counted',
    cpus: PROXY_CPU,
    wrapper,
    ...(main === undefined ? {} : { main }),
  })
  const ask = async (count: number) => {
    const stream = { port: running.port, requests, connections: CONNECTIONS, count }
    const [report] = await runLoad({ cpus: LOAD_CPU, seconds: LIMIT_S }, stream)
    assertOnly(report!, 200)
  }
  const control = (option: string) =>
    execFileSync(commandPath('callgrind_control'), [option, String(running.pids[0])], {
      stdio: 'ignore',
    })
  try {
    await ask(sizes.warmup)
    control('--instr=on')
    // What the switch itself brings about must not be counted.
    await ask(sizes.requests)
    const counts: number[] = []
    for (let window = 0; window < sizes.windows; window++) {
      control('--zero')
      await ask(sizes.requests)
      control('--dump')
      counts.push(readTotal(dir) / sizes.requests / 1000)
    }
    return counts
  } finally {
    await running.stop()
  }
}

/** Of the dump that was written last. */
function readTotal(dir: string): number {
  const dumps = readdirSync(dir).map((file) => Number(/^counts\.(\d+)$/.exec(file)?.[1] ?? 0))
  const text = readFileSync(join(dir, `counts.${Math.max(...dumps)}`), 'latin1')
  return Number(/^(?:totals|summary): (\d+)/m.exec(text)?.[1])
}

async function main(dists: readonly (string | undefined)[], runs: number, sizes: Sizes) {
  const dir = mkdtempSync(join(tmpdir(), 'poolgate-bench-'))
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  execFileSync('taskset', ['-apc', LOAD_CPU, String(process.pid)], { stdio: 'ignore' })
  const bench = await createWorld(dir, LOAD_CPU)
  try {
    const requests = createTraffic(bench, dir).good(100)
    const counts = dists.map((): number[] => [])
    for (let run = 0; run < runs; run++) {
      for (const [index, dist] of dists.entries()) {
        const built = dist === undefined ? undefined : join(resolve(dist), 'main.js')
        const own = await countProcess(bench, requests, built, sizes)
        process.stdout.write(`${dist ?? 'this source'}: ${own.map(toText).join(' ')}\n`)
        counts[index]!.push(...own)
      }
    }
    const lowest = counts.map((own) => Math.min(...own))
    for (const [index, dist] of dists.entries()) {
      const figures = `median ${toText(median(counts[index]!))} k, least ${toText(lowest[index]!)} k`
      const times = (lowest[index]! / lowest[0]!).toFixed(3)
      process.stdout.write(`${dist ?? 'this source'}: ${figures}, least ${times} × the first\n`)
    }
  } finally {
    await bench.stop()
  }
}

function toText(count: number): string {
  return count.toFixed(1)
}

process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '2' },
    warmup: { type: 'string', default: '20000' },
    windows: { type: 'string', default: '5' },
    requests: { type: 'string', default: '2000' },
    help: { type: 'boolean', default: false },
  },
})
const missing = missingCommand('valgrind') ?? missingCommand('callgrind_control')
if (values.help) process.stdout.write(USAGE)
else if (missing !== undefined) process.stdout.write(`SKIPPED: ${missing}\n`)
else {
  const sizes = {
    warmup: Number(values.warmup),
    windows: Number(values.windows),
    requests: Number(values.requests),
  }
  await main(positionals.length === 0 ? [undefined] : positionals, Number(values.runs), sizes)
}
