// Every second token is forged: what a refusal costs, beside good traffic that is known.
import { CPU_COLUMNS, createCpuRound, estimateCpuRounds } from '../cpu-round.ts'
import { asStartable, takeTurnsStarted } from '../rounds.ts'
import type { Scenario } from '../scenario.ts'

const REQUESTS = 40_000

export const badSignatures: Scenario = {
  name: 'bad-signatures',
  title: 'in turn one of 100 good tokens and a new one with a bad signature, 64 connections',
  columns: CPU_COLUMNS,
  runs: 'full',
  estimate: (stage) => estimateCpuRounds(stage, stage.contenders.length),
  run(stage) {
    const verifying = stage.contenders.filter(({ verifies }) => verifies)
    const startables = verifying.map((contender) => asStartable(stage, contender))
    const round = createCpuRound(stage, stage.traffic.halfBad(REQUESTS), 200, 401, 403)
    return takeTurnsStarted(stage, startables, round)
  },
}
