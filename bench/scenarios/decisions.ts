// Who decides for another proxy: nginx asks by auth_request, and a client of gRPC asks as Envoy does. Tokens are known, as in hot.
import { deciders } from '../contenders/nginx-auth-request.ts'
import { startPoolgate } from '../contenders/poolgate.ts'
import { createCpuRound, estimateCpuRounds } from '../cpu-round.ts'
import { freePort } from '../launch.ts'
import { type CheckLoad, runCheckLoad } from '../load/run-check-load.ts'
import { cpuSince, readCpu, readMemory } from '../measure.ts'
import { asStartable, type Startable, type Stoppable, takeTurnsStarted } from '../rounds.ts'
import { type Figures, LOAD_CPU, PROXY_CPU, type Scenario, type Stage } from '../scenario.ts'
import { takePacedRound } from './latency.ts'

const TOKENS = 100
const RATE = 1_000
const IN_FLIGHT = 64
const SETTLE_S = 0.3

export const decisions: Scenario = {
  name: 'decisions',
  title: `as fast as it goes with ${IN_FLIGHT} at a time, then p50 and p99 at ${RATE} a second by the clock; ${TOKENS} tokens repeating`,
  contenders: deciders,
  columns: [
    { key: 'cpuUs', label: 'CPU µs/req', digits: 2 },
    { key: 'perSecond', label: 'req/s', digits: 0 },
    { key: 'p50Us', label: 'p50 µs', digits: 0 },
    { key: 'p99Us', label: 'p99 µs', digits: 0 },
    { key: 'rssMiB', label: 'RSS MiB', digits: 0 },
  ],
  runs: 'full',
  estimate: (extent) => 2.5 * estimateCpuRounds(extent, extent.contenders.length + 1),
  run(stage) {
    const startables = [
      ...stage.contenders.map((contender) => byAuthRequest(stage, contender)),
      byGrpc(stage),
    ]
    return takeTurnsStarted(stage, startables, ({ measure }, round) => measure(round))
  },
}

interface Asked extends Stoppable {
  measure(round: number): Promise<Figures>
}

function byAuthRequest(stage: Stage, contender: Stage['contenders'][number]): Startable<Asked> {
  const { name, start } = asStartable(stage, contender)
  const requests = stage.traffic.good(TOKENS)
  const takeCpuRound = createCpuRound(stage, requests, 200)
  return {
    name,
    async start() {
      const running = await start()
      return {
        stop: running.stop,
        async measure(round) {
          const busy = await takeCpuRound(running, round)
          const paced = await takePacedRound(running, requests, RATE, 2 * stage.seconds, SETTLE_S)
          return { ...busy, ...paced }
        },
      }
    },
  }
}

/** The client takes more of its core than Poolgate of its own, so that req/s is the client's limit. */
function byGrpc(stage: Stage): Startable<Asked> {
  const tokens = stage.bench.tokens(TOKENS)
  return {
    name: 'poolgate by gRPC',
    async start() {
      const port = await freePort()
      const { pids, stop } = await startPoolgate(stage.bench.world, {
        name: 'poolgate-grpc',
        cpus: PROXY_CPU,
        settings: { trustedProxies: ['127.0.0.1/32'], extAuthz: `127.0.0.1:${port}` },
      })
      const client = await runCheckLoad(LOAD_CPU, port, tokens)
      return {
        stop: async () => void (await Promise.all([client.stop(), stop()])),
        measure: (round) => takeCheckRound(client, pids, (round === 0 ? 3 : 1) * stage.seconds),
      }
    },
  }
}

async function takeCheckRound(
  client: CheckLoad,
  pids: readonly number[],
  seconds: number,
): Promise<Figures> {
  const before = readCpu(pids)
  const busy = await client.ask({ seconds, inFlight: IN_FLIGHT })
  const cpuUs = cpuSince(before, pids) / busy.answered / 1000
  const { p50Us, p99Us } = await client.ask({ seconds: 2 * seconds, rate: RATE })
  const perSecond = busy.answered / busy.seconds
  return { cpuUs, perSecond, p50Us, p99Us, rssMiB: readMemory(pids).rssMiB }
}
