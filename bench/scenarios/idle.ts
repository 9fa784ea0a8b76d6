// Connections that were used once and then rest: what memory does each hold?
import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender } from '../contender.ts'
import { holdIdle, runLoad } from '../load/run-load.ts'
import { readMemory } from '../measure.ts'
import { asStartable, takeTurns } from '../rounds.ts'
import { type Figures, LOAD_CPU, type Scenario, type Stage } from '../scenario.ts'

const CONNECTIONS = 4_000
const SETTLE_MS = 1_500
const MAX_ROUNDS = 3

export const idle: Scenario = {
  name: 'idle',
  title: `${CONNECTIONS} connections with one request each, then at rest; a fresh process each round`,
  columns: [
    { key: 'kibPerConnection', label: 'KiB/connection', digits: 1, ratio: true },
    { key: 'rssMiB', label: 'RSS MiB', digits: 0 },
  ],
  runs: 'full',
  estimate: ({ contenders, rounds }) =>
    contenders.length * Math.min(rounds, MAX_ROUNDS) * (2 * (SETTLE_MS / 1000) + 2),
  run(stage) {
    const entrants = stage.contenders.map((contender) => ({
      name: contender.name,
      value: contender,
    }))
    return takeTurns(stage, entrants, Math.min(stage.rounds, MAX_ROUNDS), (contender, round) =>
      round === 0 ? Promise.resolve({}) : takeRound(stage, contender),
    )
  },
}

/** The same number of requests is served before the first reading, so that it is the connections that make the difference. */
async function takeRound(stage: Stage, contender: Contender): Promise<Figures> {
  const requests = stage.traffic.good(100)
  const running = await asStartable(stage, contender).start()
  try {
    const some = { port: running.port, requests, connections: 64, count: CONNECTIONS }
    await runLoad({ cpus: LOAD_CPU, seconds: 30 }, some)
    await sleep(SETTLE_MS)
    const before = readMemory(running.pids)
    const held = await holdIdle(LOAD_CPU, running.port, CONNECTIONS, requests)
    await sleep(SETTLE_MS)
    const after = readMemory(running.pids)
    await held.close()
    const kib = (after.pssMiB - before.pssMiB) * 1024
    return { kibPerConnection: kib / CONNECTIONS, rssMiB: after.rssMiB }
  } finally {
    await running.stop()
  }
}
