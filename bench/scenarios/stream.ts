// 1 GiB through each contender, once down and once up: what does a gigabyte cost?
import type { RunningContender } from '../contender.ts'
import { assertOnly, runLoad } from '../load/run-load.ts'
import { cpuSince, readCpu, readMemory } from '../measure.ts'
import { asStartable, takeTurnsStarted } from '../rounds.ts'
import { type Figures, LOAD_CPU, type Scenario } from '../scenario.ts'

const BYTES = 1024 ** 3
const LIMIT_S = 60

export const stream: Scenario = {
  name: 'stream',
  title: '1 GiB down (Content-Length, from sendfile) and 1 GiB up, one connection',
  columns: [
    { key: 'downCpuS', label: 'down CPU s/GiB', digits: 3, ratio: true },
    { key: 'downMiBs', label: 'down MiB/s', digits: 0 },
    { key: 'upCpuS', label: 'up CPU s/GiB', digits: 3, ratio: true },
    { key: 'upMiBs', label: 'up MiB/s', digits: 0 },
    { key: 'rssMiB', label: 'RSS MiB', digits: 0 },
  ],
  runs: 'full',
  estimate: ({ contenders, rounds }) => contenders.length * (rounds + 1) * 4,
  run(stage) {
    const download = stage.traffic.download()
    const upload = stage.traffic.upload(BYTES)
    const startables = stage.contenders.map((contender) => asStartable(stage, contender))
    return takeTurnsStarted(stage, startables, async (running) => {
      const down = await transfer(running, download, 0)
      const up = await transfer(running, upload, BYTES)
      return {
        downCpuS: down.cpuS!,
        downMiBs: down.mibS!,
        upCpuS: up.cpuS!,
        upMiBs: up.mibS!,
        rssMiB: readMemory(running.pids).rssMiB,
      }
    })
  },
}

async function transfer(
  { port, pids }: RunningContender,
  requests: string,
  body: number,
): Promise<Figures> {
  const before = readCpu(pids)
  const only = { port, requests, body, connections: 1, count: 1 }
  const [report] = await runLoad({ cpus: LOAD_CPU, seconds: LIMIT_S }, only)
  const cpuS = cpuSince(before, pids) / 1e9
  return { cpuS, mibS: BYTES / 2 ** 20 / assertOnly(report!, 200).seconds }
}
