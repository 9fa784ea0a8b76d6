// Tokens that no cache holds any more when they come again: what a verification costs.
import { CPU_COLUMNS, createCpuRound, estimateCpuRounds } from '../cpu-round.ts'
import { asStartable, takeTurnsStarted } from '../rounds.ts'
import type { Scenario } from '../scenario.ts'

const TOKENS = 50_000
/** Still twice the largest cache; making a token takes half a millisecond. */
const QUICK_TOKENS = 20_000

export const cold: Scenario = {
  name: 'cold',
  title: 'more distinct tokens than any cache holds (50,000; quick 20,000), 64 connections',
  columns: CPU_COLUMNS,
  runs: 'quick',
  estimate: (stage) =>
    estimateCpuRounds(stage, stage.contenders.length) + tokenCount(stage.quick) / 2000,
  run(stage) {
    stage.progress.say('making tokens')
    const requests = stage.traffic.good(tokenCount(stage.quick))
    const startables = stage.contenders.map((contender) => asStartable(stage, contender))
    return takeTurnsStarted(stage, startables, createCpuRound(stage, requests, 200))
  },
}

function tokenCount(isQuick: boolean): number {
  return isQuick ? QUICK_TOKENS : TOKENS
}
