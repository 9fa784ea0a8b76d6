// What a proxy adds to a request's time when it is not busy: requests fall due by the clock, the same number each second.
import type { RunningContender } from '../contender.ts'
import { runLoad } from '../load/run-load.ts'
import { asStartable, takeTurnsStarted } from '../rounds.ts'
import { type Figures, LOAD_CPU, type Row, type Scenario } from '../scenario.ts'

const RATE = 5_000
const CONNECTIONS = 32
const WARMUP_S = 0.3

export const latency: Scenario = {
  name: 'latency',
  title: `${RATE} requests a second by the clock, ${CONNECTIONS} connections, 100 tokens; added: against no proxy at all`,
  columns: [
    { key: 'p50Us', label: 'p50 µs', digits: 1 },
    { key: 'p90Us', label: 'p90 µs', digits: 1 },
    { key: 'p99Us', label: 'p99 µs', digits: 1 },
    { key: 'addedP50Us', label: 'added p50', digits: 1, ratio: true },
    { key: 'addedP99Us', label: 'added p99', digits: 1, ratio: true },
    // Below 100 it does not keep up, and its figures are too low.
    { key: 'answeredPercent', label: 'answered %', digits: 1 },
  ],
  runs: 'quick',
  estimate: ({ contenders, rounds, seconds }) =>
    (contenders.length + 1) * (1 + (rounds + 1) * (2 * seconds + WARMUP_S + 0.1)),
  async run(stage) {
    const requests = stage.traffic.good(100)
    const { upstreamPort: port } = stage.bench.world
    const direct: RunningContender = { port, pids: [], stop: async () => undefined }
    const startables = [
      { name: 'direct', start: async () => direct },
      ...stage.contenders.map((contender) => asStartable(stage, contender)),
    ]
    const rows = await takeTurnsStarted(stage, startables, (running, round) =>
      takePacedRound(running, requests, RATE, 2 * stage.seconds, round === 0 ? 2 : WARMUP_S),
    )
    return rows.map((row) => withAdded(row, rows[0]!))
  },
}

export async function takePacedRound(
  { port }: RunningContender,
  requests: string,
  rate: number,
  seconds: number,
  warmup: number,
): Promise<Figures> {
  const paced = { port, requests, connections: CONNECTIONS, rate }
  const [report] = await runLoad({ cpus: LOAD_CPU, seconds, warmup }, paced)
  const { statuses, latencyUs, requests: answered } = report!
  const others = Object.keys(statuses).filter((status) => status !== '200')
  if (others.length > 0) throw new Error(`answered ${JSON.stringify(statuses)}`)
  const { p50, p90, p99, p999 } = latencyUs
  const answeredPercent = (100 * answered) / (rate * seconds)
  return { p50Us: p50, p90Us: p90, p99Us: p99, p999Us: p999, answeredPercent }
}

function withAdded(row: Row, direct: Row): Row {
  if (row === direct || row.rounds.length === 0) return row
  const { p50Us, p99Us } = row.medians
  const addedP50Us = p50Us! - direct.medians.p50Us!
  const addedP99Us = p99Us! - direct.medians.p99Us!
  return { ...row, medians: { ...row.medians, addedP50Us, addedP99Us } }
}
