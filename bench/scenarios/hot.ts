// Tokens that were seen before: what a request costs once its caller is known.
import { CPU_COLUMNS, createCpuRound, estimateCpuRounds } from '../cpu-round.ts'
import { asStartable, takeTurnsStarted } from '../rounds.ts'
import type { Scenario } from '../scenario.ts'

const TOKENS = 100

export const hot: Scenario = {
  name: 'hot',
  title: `${TOKENS} tokens repeating, 64 connections, as fast as it goes`,
  columns: CPU_COLUMNS,
  runs: 'quick',
  estimate: (stage) => estimateCpuRounds(stage, stage.contenders.length),
  run(stage) {
    const startables = stage.contenders.map((contender) => asStartable(stage, contender))
    const round = createCpuRound(stage, stage.traffic.good(TOKENS), 200)
    return takeTurnsStarted(stage, startables, round)
  },
}
