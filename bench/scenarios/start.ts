// A fresh process: how long until it has proxied one request, and how large is it then, and after work?
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender } from '../contender.ts'
import { runLoad } from '../load/run-load.ts'
import { readMemory } from '../measure.ts'
import { asStartable, takeTurns } from '../rounds.ts'
import { type Figures, LOAD_CPU, type Scenario, type Stage } from '../scenario.ts'

const SETTLE_MS = 400
const LIMIT_MS = 10_000

export const start: Scenario = {
  name: 'start',
  title:
    'from spawn to the first proxied 200 (asked every millisecond), then memory idle and after load',
  columns: [
    { key: 'firstMs', label: 'first 200 ms', digits: 0 },
    { key: 'idleRssMiB', label: 'idle RSS MiB', digits: 0 },
    { key: 'idlePssMiB', label: 'idle PSS MiB', digits: 0 },
    { key: 'loadedRssMiB', label: 'loaded RSS MiB', digits: 0 },
  ],
  runs: 'quick',
  estimate: ({ contenders, rounds, seconds }) =>
    contenders.length * (rounds * (1.5 + 2 * seconds) + 0.5),
  run(stage) {
    const [token] = stage.bench.tokens(1)
    const entrants = stage.contenders.map((contender) => ({
      name: contender.name,
      value: contender,
    }))
    return takeTurns(stage, entrants, stage.rounds, (contender, round) =>
      round === 0 ? Promise.resolve({}) : takeRound(stage, contender, token!),
    )
  },
}

async function takeRound(stage: Stage, contender: Contender, token: string): Promise<Figures> {
  const begun = performance.now()
  const running = await asStartable(stage, contender).start()
  try {
    while ((await statusOf(running.port, token)) !== 200) {
      if (performance.now() - begun > LIMIT_MS) throw new Error('no 200 in time')
      await sleep(1)
    }
    const firstMs = performance.now() - begun
    await sleep(SETTLE_MS)
    const idle = readMemory(running.pids)
    const all = { port: running.port, requests: stage.traffic.good(100), connections: 64 }
    await runLoad({ cpus: LOAD_CPU, seconds: 2 * stage.seconds }, all)
    const loaded = readMemory(running.pids)
    return {
      firstMs,
      idleRssMiB: idle.rssMiB,
      idlePssMiB: idle.pssMiB,
      loadedRssMiB: loaded.rssMiB,
    }
  } finally {
    await running.stop()
  }
}

function statusOf(port: number, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  return new Promise((resolve) => {
    const call = request({ host: '127.0.0.1', port, agent: false, headers }, (response) => {
      response.resume().once('close', () => resolve(response.statusCode!))
    })
    call.once('error', () => resolve(0))
    call.end()
  })
}
