// Two workers on both cores, which load generator and upstream share: does throughput grow with a second one?
import type { Contender, RunningContender, World } from '../contender.ts'
import { assertOnly, runLoad } from '../load/run-load.ts'
import { cpuSince, readCpu, readMemory } from '../measure.ts'
import { takeTurnsStarted } from '../rounds.ts'
import { type Figures, LOAD_CPU, PROXY_CPU, type Scenario } from '../scenario.ts'

const BOTH = `${PROXY_CPU},${LOAD_CPU}`
const CONNECTIONS = 64
/** These have no workers of their own: two processes, two ports, half of the connections each. */
const ONE_PROCESS = /^(poolgate|fastify|oauth2-proxy)/

interface Pair {
  readonly running: readonly RunningContender[]
  stop(): Promise<void>
}

export const workers: Scenario = {
  name: 'workers',
  title:
    'two workers free on both cores, 100 tokens, 64 connections; one-process contenders run twice',
  columns: [
    { key: 'perSecond', label: 'req/s', digits: 0, ratio: true },
    { key: 'cpuUs', label: 'CPU µs/req', digits: 2, ratio: true },
    { key: 'rssMiB', label: 'RSS MiB', digits: 0 },
  ],
  runs: 'full',
  estimate: ({ contenders, rounds, seconds }) => contenders.length * (1 + (rounds + 3) * seconds),
  run(stage) {
    const requests = stage.traffic.good(100)
    const startables = stage.contenders.map((contender) => ({
      name: contender.name,
      start: () => startTwo(contender, stage.bench.world),
    }))
    return takeTurnsStarted(stage, startables, ({ running }, round) =>
      takeRound(running, requests, (round === 0 ? 3 : 1) * stage.seconds),
    )
  },
}

async function startTwo(contender: Contender, world: World): Promise<Pair> {
  const counts = ONE_PROCESS.test(contender.name) ? [1, 1] : [2]
  const running: RunningContender[] = []
  const stop = async () => void (await Promise.all(running.map((one) => one.stop())))
  try {
    for (const count of counts) {
      running.push(await contender.start(world, { cpus: BOTH, workers: count, routes: 0 }))
    }
    return { running, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function takeRound(
  running: readonly RunningContender[],
  requests: string,
  seconds: number,
): Promise<Figures> {
  const pids = running.flatMap((one) => one.pids)
  const before = readCpu(pids)
  const connections = CONNECTIONS / running.length
  const streams = running.map(({ port }) => ({ port, requests, connections }))
  const reports = await runLoad({ cpus: BOTH, seconds }, ...streams)
  const cpu = cpuSince(before, pids)
  for (const report of reports) assertOnly(report, 200)
  const sent = reports.reduce((sum, report) => sum + report.sent, 0)
  const answered = reports.reduce((sum, report) => sum + report.requests / report.seconds, 0)
  return { perSecond: answered, cpuUs: cpu / sent / 1000, rssMiB: readMemory(pids).rssMiB }
}
