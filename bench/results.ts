// The record of a run: what was measured, on what, with which versions. It keeps every round, so that medians can be doubted.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import type { Row, Scenario } from './scenario.ts'

export interface ScenarioResult extends Pick<Scenario, 'name' | 'title' | 'columns'> {
  readonly rows: readonly Row[]
}

export interface Results {
  readonly date: string
  readonly commit: string
  readonly node: string
  readonly machine: {
    readonly cpu: string
    readonly cpus: number
    readonly memoryGiB: number
    readonly kernel: string
  }
  readonly rounds: number
  readonly secondsPerRound: number
  readonly versions: Readonly<Record<string, string>>
  /** Why by name. */
  readonly missing: Readonly<Record<string, string>>
  /** Problems by name; these were not measured. */
  readonly incorrect: Readonly<Record<string, readonly string[]>>
  readonly scenarios: Record<string, ScenarioResult>
  /** Scenarios that broke off as a whole, and why. */
  readonly broken: Record<string, string>
}

export function describeRun(): Pick<Results, 'date' | 'commit' | 'node' | 'machine'> {
  const all = cpus()
  return {
    date: new Date().toISOString(),
    commit: readCommit(),
    node: process.version,
    machine: {
      cpu: all[0]?.model.trim() ?? 'unknown',
      cpus: all.length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      kernel: release(),
    },
  }
}

/** What is measured is src; notes beside it make no commit another. */
function readCommit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', import.meta.dirname, ...args], { encoding: 'utf8' }).trim()
  try {
    const isChanged = git('status', '--porcelain', '--', '../src') !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? '-dirty' : ''}`
  } catch {
    return 'unknown'
  }
}

export function resultsFile({ date, commit }: Results): string {
  return join(import.meta.dirname, 'results', `${date.slice(0, 10)}-${commit}.json`)
}

export function writeResults(file: string, results: Results): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(results, undefined, 1)}\n`)
}

export function readResults(file: string): Results {
  return JSON.parse(readFileSync(file, 'utf8')) as Results
}

/** A contender's median; undefined when it was not measured or broke off. */
export function findMedian(
  results: Results,
  scenario: string,
  name: string,
  key: string,
): number | undefined {
  const row = results.scenarios[scenario]?.rows.find((one) => one.name === name)
  return row?.problem === undefined ? row?.medians[key] : undefined
}
