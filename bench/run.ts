// The benchmark's one command: checks every contender, runs the scenarios, prints tables and keeps the record.
// It must never time a contender that answers wrongly.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { writeChart } from './chart.ts'
import { checkContender } from './check.ts'
import type { Contender } from './contender.ts'
import { contenders } from './contenders/all.ts'
import { createProgress, type Progress } from './progress.ts'
import { describeRun, type Results, resultsFile, writeResults } from './results.ts'
import { type Extent, LOAD_CPU, type Scenario, type Stage } from './scenario.ts'
import { scenarios } from './scenarios/all.ts'
import { toTables } from './table.ts'
import { createTraffic } from './traffic.ts'
import { type BenchWorld, createWorld } from './world.ts'

const CHECK_SECONDS = 1.5
/** The ones that gates name. */
const QUICK_CONTENDERS =
  'poolgate,haproxy,haproxy-jwt,envoy-jwt,fastify-fast-jwt,fastify-aws-jwt-verify'
const everybody = [
  ...new Set([...contenders, ...scenarios.flatMap((scenario) => scenario.contenders ?? [])]),
]
const HELP = `Usage: node bench/run.ts [options]

Measures Poolgate and its peers in turn on two cores. Whole runs take about half an hour.

  --quick               hot, cold, latency and start for the chief contenders, few short rounds: under 3 minutes
  --only a,b            these scenarios: ${scenarios.map(({ name }) => name).join(', ')}
  --contenders a,b      these contenders: ${everybody.map(({ name }) => name).join(', ')}
  --rounds n            kept rounds of each scenario (default 5, quick 3)
  --out file            where the record goes (default bench/results/<date>-<commit>.json)
  --help

Progress goes to standard error, tables to standard output; ratios are to haproxy and haproxy-jwt of the same run.
`

interface Options {
  readonly quick: boolean
  readonly rounds: number
  readonly scenarios: readonly Scenario[]
  readonly contenders: readonly Contender[]
  readonly out: string | undefined
}

function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      contenders: { type: 'string' },
      rounds: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const { quick } = values
  const rounds = Number(values.rounds ?? (quick ? 3 : 5))
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error('--rounds takes a whole number from 1')
  const usual = scenarios.filter(({ runs }) => runs === 'quick' || (runs === 'full' && !quick))
  const usualContenders = quick ? pick(contenders, QUICK_CONTENDERS) : contenders
  const chosen = values.only === undefined ? usual : pick(scenarios, values.only)
  const taking = new Set(chosen.flatMap((scenario) => scenario.contenders ?? usualContenders))
  return {
    quick,
    rounds,
    scenarios: chosen,
    contenders: values.contenders === undefined ? [...taking] : pick(everybody, values.contenders),
    out: values.out,
  }
}

function pick<T extends { readonly name: string }>(all: readonly T[], names: string): T[] {
  const wanted = names.split(',')
  const unknown = wanted.find((name) => !all.some((one) => one.name === name))
  if (unknown !== undefined) {
    throw new Error(`no ${unknown}; there are ${all.map(({ name }) => name).join(', ')}`)
  }
  return all.filter(({ name }) => wanted.includes(name))
}

interface Checked {
  readonly correct: Contender[]
  readonly versions: Record<string, string>
  readonly missing: Record<string, string>
  readonly incorrect: Record<string, string[]>
}

async function checkAll(
  chosen: readonly Contender[],
  bench: BenchWorld,
  progress: Progress,
): Promise<Checked> {
  const checked: Checked = { correct: [], versions: {}, missing: {}, incorrect: {} }
  for (const contender of chosen) {
    const { name } = contender
    const why = contender.missing()
    if (why !== undefined) {
      checked.missing[name] = why
      continue
    }
    progress.say(name)
    const problems = await checkContender(contender, bench)
    if (problems.length > 0) checked.incorrect[name] = problems
    else {
      checked.correct.push(contender)
      checked.versions[name] = contender.version()
    }
  }
  return checked
}

async function runAll(options: Options, bench: BenchWorld, dir: string): Promise<Results> {
  const { quick, rounds } = options
  const extent = { contenders: options.contenders, rounds, seconds: quick ? 0.5 : 1, quick }
  const progress = createProgress(toPlan(options.scenarios, extent))
  progress.begin('check')
  const { correct, ...checked } = await checkAll(options.contenders, bench, progress)
  const traffic = createTraffic(bench, dir)
  const stage: Stage = { ...extent, contenders: correct, bench, traffic, progress }
  const results: Results = {
    ...describeRun(),
    rounds,
    secondsPerRound: extent.seconds,
    ...checked,
    scenarios: {},
    broken: {},
  }
  for (const scenario of options.scenarios) await runOne(scenario, stage, results)
  progress.end()
  return results
}

function toPlan(chosen: readonly Scenario[], extent: Extent): Map<string, number> {
  return new Map([
    ['check', extent.contenders.length * CHECK_SECONDS],
    ...chosen.map(
      (scenario) => [scenario.name, scenario.estimate(forScenario(scenario, extent))] as const,
    ),
  ])
}

function forScenario<T extends Extent>(scenario: Scenario, extent: T): T {
  const taking = scenario.contenders ?? contenders
  return { ...extent, contenders: extent.contenders.filter((one) => taking.includes(one)) }
}

async function runOne(scenario: Scenario, stage: Stage, results: Results): Promise<void> {
  const { name, title, columns } = scenario
  stage.progress.begin(name)
  try {
    results.scenarios[name] = {
      name,
      title,
      columns,
      rows: await scenario.run(forScenario(scenario, stage)),
    }
  } catch (error) {
    results.broken[name] = (error as Error).message
  }
}

async function main(options: Options): Promise<void> {
  // What the harness itself does must not disturb the contenders' core.
  execFileSync('taskset', ['-apc', LOAD_CPU, String(process.pid)], { stdio: 'ignore' })
  const dir = mkdtempSync(join(tmpdir(), 'poolgate-bench-'))
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  const bench = await createWorld(dir, LOAD_CPU)
  try {
    const results = await runAll(options, bench, dir)
    process.stdout.write(toTables(results))
    const file = options.out ?? resultsFile(results)
    writeResults(file, results)
    process.stderr.write(`record: ${file}\n`)
    if (!options.quick && options.out === undefined) {
      const chart = writeChart(results)
      if (chart !== undefined) process.stderr.write(`chart: ${chart}\n`)
    }
    const hasTrouble = [results.incorrect, results.broken].some(
      (one) => Object.keys(one).length > 0,
    )
    if (hasTrouble) process.exitCode = 1
  } finally {
    await bench.stop()
  }
}

// So that the programs that were started are ended with this one.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

try {
  const options = parseOptions(process.argv.slice(2))
  if (options === undefined) process.stdout.write(HELP)
  else await main(options)
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`)
  process.exitCode = 2
}
