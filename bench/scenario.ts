// What a scenario is, what it is given and what it gives back. A scenario decides what is done; figures come from measure.ts.
import type { Contender } from './contender.ts'
import type { Progress } from './progress.ts'
import type { Traffic } from './traffic.ts'
import type { BenchWorld } from './world.ts'

/** One round's figures, or their medians, by column key. */
export type Figures = Readonly<Record<string, number>>

export interface Column {
  readonly key: string
  /** With its unit. */
  readonly label: string
  readonly digits: number
  /** Also shown as a multiple of each anchor's figure. */
  readonly ratio?: boolean
}

export interface Row {
  readonly name: string
  readonly rounds: Figures[]
  medians: Figures
  /** Why its rounds ended early; its figures are not to be believed then. */
  problem?: string
}

/** How much is to be done. */
export interface Extent {
  /** Correct and chosen, in table order. */
  readonly contenders: readonly Contender[]
  /** That are kept. */
  readonly rounds: number
  /** Length of one closed-loop round. */
  readonly seconds: number
  readonly quick: boolean
}

export interface Stage extends Extent {
  readonly bench: BenchWorld
  readonly traffic: Traffic
  readonly progress: Progress
}

export interface Scenario {
  readonly name: string
  /** What is done, in one line. */
  readonly title: string
  readonly columns: readonly Column[]
  /** Who takes part instead of the usual ones. */
  readonly contenders?: readonly Contender[]
  /** When it runs without being named: always, in whole runs, or never. */
  readonly runs: 'quick' | 'full' | 'named'
  /** A guess in seconds, for the progress display. */
  estimate(extent: Extent): number
  run(stage: Stage): Promise<Row[]>
}

/** Where contenders run, and where load generator, upstream and harness do. */
export const PROXY_CPU = '0'
export const LOAD_CPU = '1'
