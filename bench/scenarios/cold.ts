// Tokens that no cache holds when they come, nor when they come again: what a verification costs. Each contender's cache is full of
// others before; one that takes what it has not yet seen forgets it long before its next time.
import type { RunningContender } from '../contender.ts'
import { CONNECTIONS, CPU_COLUMNS, createCpuRound, estimateCpuRounds } from '../cpu-round.ts'
import { assertOnly, runLoad } from '../load/run-load.ts'
import { asStartable, takeTurnsStarted } from '../rounds.ts'
import { LOAD_CPU, type Scenario } from '../scenario.ts'

const TOKENS = 50_000
/** Still three times the largest cache; making a token takes half a millisecond. */
const QUICK_TOKENS = 30_000
/** More than the largest cache holds. */
const OTHERS = 11_000
const FILL_SECONDS = 60

export const cold: Scenario = {
  name: 'cold',
  title: 'more distinct tokens than any cache holds (50,000; quick 30,000), 64 connections',
  columns: CPU_COLUMNS,
  runs: 'quick',
  estimate: (stage) =>
    estimateCpuRounds(stage, stage.contenders.length) +
    (tokenCount(stage.quick) + OTHERS) / 2000 +
    stage.contenders.length * 2,
  run(stage) {
    stage.progress.say('making tokens')
    const requests = stage.traffic.good(tokenCount(stage.quick))
    const others = stage.traffic.otherGood(OTHERS)
    const startables = stage.contenders.map((contender) => {
      const { name, start } = asStartable(stage, contender)
      return { name, start: async () => fill(await start(), others) }
    })
    return takeTurnsStarted(stage, startables, createCpuRound(stage, requests, 200))
  },
}

async function fill(running: RunningContender, requests: string): Promise<RunningContender> {
  const once = { port: running.port, requests, connections: CONNECTIONS, count: OTHERS }
  try {
    const [report] = await runLoad({ cpus: LOAD_CPU, seconds: FILL_SECONDS }, once)
    assertOnly(report!, 200)
    return running
  } catch (error) {
    await running.stop()
    throw error
  }
}

function tokenCount(isQuick: boolean): number {
  return isQuick ? QUICK_TOKENS : TOKENS
}
