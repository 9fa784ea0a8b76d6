// Poolgate with a small and a large route table: does looking up a route cost more among many?
import { CPU_COLUMNS, createCpuRound, estimateCpuRounds } from '../cpu-round.ts'
import { asStartable, takeTurnsStarted } from '../rounds.ts'
import type { Scenario } from '../scenario.ts'

const TABLES = [10, 1_000]

export const routes: Scenario = {
  name: 'routes',
  title: `Poolgate with ${TABLES.join(' and with ')} routes, otherwise as in hot`,
  columns: CPU_COLUMNS,
  runs: 'full',
  // The difference that is looked for is small, so there are more rounds.
  estimate: (stage) => estimateCpuRounds(moreRounds(stage), TABLES.length),
  run(stage) {
    const poolgates = stage.contenders.filter(({ name }) => name === 'poolgate')
    const startables = poolgates.flatMap((poolgate) =>
      TABLES.map((size) => ({
        ...asStartable(stage, poolgate, size - 1),
        name: `${poolgate.name}, ${size} routes`,
      })),
    )
    const round = createCpuRound(stage, stage.traffic.good(100), 200)
    return takeTurnsStarted(moreRounds(stage), startables, round)
  },
}

function moreRounds<T extends { readonly rounds: number }>(stage: T): T {
  return { ...stage, rounds: stage.rounds * 3 }
}
