// Rounds in turn, A B C … A B C …, so that a slow phase of the machine falls on all alike. A contender that fails is named, and the rest goes on.
import type { Contender, RunningContender } from './contender.ts'
import { type Figures, PROXY_CPU, type Row, type Stage } from './scenario.ts'

/** What is measured under one name. */
export interface Entrant<T> {
  readonly name: string
  readonly value: T
}

/** Round 0 is for warming up and is not kept. */
export async function takeTurns<T>(
  stage: Stage,
  entrants: readonly Entrant<T>[],
  rounds: number,
  measure: (value: T, round: number) => Promise<Figures>,
): Promise<Row[]> {
  const rows = entrants.map<Row>(({ name }) => ({ name, rounds: [], medians: {} }))
  for (let round = 0; round <= rounds; round++) {
    for (const [index, { name, value }] of entrants.entries()) {
      const row = rows[index]!
      if (row.problem !== undefined) continue
      stage.progress.say(`${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`} · ${name}`)
      try {
        const figures = await measure(value, round)
        if (round > 0) row.rounds.push(figures)
      } catch (error) {
        row.problem = (error as Error).message
      }
    }
  }
  for (const row of rows) row.medians = toMedians(row.rounds)
  return rows
}

export interface Stoppable {
  stop(): Promise<void>
}

export interface Startable<T extends Stoppable> {
  readonly name: string
  start(): Promise<T>
}

/** All stay started until the last round is over. */
export async function takeTurnsStarted<T extends Stoppable>(
  stage: Stage,
  startables: readonly Startable<T>[],
  measure: (running: T, round: number) => Promise<Figures>,
): Promise<Row[]> {
  const entrants: Entrant<T>[] = []
  const failed: Row[] = []
  try {
    for (const { name, start } of startables) {
      stage.progress.say(`starting ${name}`)
      try {
        entrants.push({ name, value: await start() })
      } catch (error) {
        failed.push({ name, rounds: [], medians: {}, problem: (error as Error).message })
      }
    }
    return [...(await takeTurns(stage, entrants, stage.rounds, measure)), ...failed]
  } finally {
    await Promise.all(entrants.map(({ value }) => value.stop()))
  }
}

/** One worker on the contenders' own core. */
export function asStartable(
  stage: Stage,
  contender: Contender,
  routes = 0,
): Startable<RunningContender> {
  const options = { cpus: PROXY_CPU, workers: 1, routes }
  return { name: contender.name, start: () => contender.start(stage.bench.world, options) }
}

export function toMedians(rounds: readonly Figures[]): Figures {
  const keys = new Set(rounds.flatMap((figures) => Object.keys(figures)))
  return Object.fromEntries([...keys].map((key) => [key, median(rounds.map((one) => one[key]!))]))
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}
