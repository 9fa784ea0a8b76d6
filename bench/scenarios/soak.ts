// Ten minutes of load on Poolgate: does its memory stay where it is?
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningContender } from '../contender.ts'
import { assertOnly, runLoad } from '../load/run-load.ts'
import { readMemory } from '../measure.ts'
import { asStartable, median, takeTurns } from '../rounds.ts'
import { type Figures, LOAD_CPU, type Scenario } from '../scenario.ts'

const MINUTES = 10
const READING_MS = 5_000

export const soak: Scenario = {
  name: 'soak',
  title: `Poolgate alone for ${MINUTES} minutes, otherwise as in hot`,
  columns: [
    { key: 'maxRssMiB', label: 'largest RSS MiB', digits: 0 },
    { key: 'secondQuarterRssMiB', label: '2nd quarter', digits: 1 },
    { key: 'lastQuarterRssMiB', label: 'last quarter', digits: 1 },
    { key: 'growth', label: 'growth', digits: 3 },
    { key: 'perSecond', label: 'req/s', digits: 0 },
  ],
  runs: 'named',
  estimate: () => MINUTES * 60 + 2,
  async run(stage) {
    const requests = stage.traffic.good(100)
    const poolgates = stage.contenders.filter(({ name }) => name === 'poolgate')
    const entrants = poolgates.map((poolgate) => ({ name: poolgate.name, value: poolgate }))
    return takeTurns(stage, entrants, 1, async (poolgate, round) => {
      if (round === 0) return {}
      const running = await asStartable(stage, poolgate).start()
      try {
        return await takeRound(running, requests, (text) => stage.progress.say(text))
      } finally {
        await running.stop()
      }
    })
  },
}

async function takeRound(
  { port, pids }: RunningContender,
  requests: string,
  say: (text: string) => void,
): Promise<Figures> {
  const seconds = MINUTES * 60
  const load = runLoad({ cpus: LOAD_CPU, seconds }, { port, requests, connections: 64 })
  const readings: number[] = []
  for (let ms = READING_MS; ms < seconds * 1000; ms += READING_MS) {
    await sleep(READING_MS)
    readings.push(readMemory(pids).rssMiB)
    say(`RSS ${Math.round(readings.at(-1)!)} MiB`)
  }
  const [report] = await load
  const quarter = Math.floor(readings.length / 4)
  const secondQuarterRssMiB = median(readings.slice(quarter, 2 * quarter))
  const lastQuarterRssMiB = median(readings.slice(-quarter))
  return {
    maxRssMiB: Math.max(...readings),
    secondQuarterRssMiB,
    lastQuarterRssMiB,
    growth: lastQuarterRssMiB / secondQuarterRssMiB,
    perSecond: assertOnly(report!, 200).requests / report!.seconds,
  }
}
