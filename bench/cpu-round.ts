// The round that most scenarios are made of: 64 connections ask as fast as they are answered; what does a request cost?
import type { RunningContender } from './contender.ts'
import { assertOnly, runLoad } from './load/run-load.ts'
import {
  countInstructions,
  cpuSince,
  instructionsCount,
  readCoreBusy,
  readCpu,
  readMemory,
} from './measure.ts'
import {
  type Column,
  type Extent,
  type Figures,
  LOAD_CPU,
  PROXY_CPU,
  type Stage,
} from './scenario.ts'

export const CONNECTIONS = 64
/** Compilers and caches settle in it. */
const WARMUP_ROUNDS = 3

export const CPU_COLUMNS: readonly Column[] = [
  { key: 'cpuUs', label: 'CPU µs/req', digits: 2, ratio: true },
  ...(instructionsCount() ? [{ key: 'kinstr', label: 'user kinstr/req', digits: 1 }] : []),
  { key: 'perSecond', label: 'req/s', digits: 0 },
  { key: 'p50Us', label: 'p50 µs', digits: 0 },
  { key: 'rssMiB', label: 'RSS MiB', digits: 0 },
]

/** Each contender goes on in the file where its last round ended, so that none meets a token again too soon. */
export function createCpuRound(
  stage: Stage,
  requests: string,
  ...statuses: readonly number[]
): (running: RunningContender, round: number) => Promise<Figures> {
  const next = new Map<number, number>()
  return async ({ port, pids }, round) => {
    const first = next.get(port) ?? 0
    const seconds = round === 0 ? stage.seconds * WARMUP_ROUNDS : stage.seconds
    const instructions = countInstructions(pids)
    const begun = performance.now()
    const busyBefore = readCoreBusy(PROXY_CPU)
    const before = readCpu(pids)
    const stream = { port, requests, connections: CONNECTIONS, first }
    const [report] = await runLoad({ cpus: LOAD_CPU, seconds }, stream)
    const cpu = cpuSince(before, pids)
    const elapsed = (performance.now() - begun) * 1e6
    const others = Math.max(0, readCoreBusy(PROXY_CPU) - busyBefore - cpu)
    const counted = await instructions.stop()
    const { sent, requests: answered, latencyUs } = assertOnly(report!, ...statuses)
    next.set(port, first + sent)
    return {
      cpuUs: cpu / sent / 1000,
      ...(counted === undefined ? {} : { kinstr: counted / sent / 1000 }),
      perSecond: answered / report!.seconds,
      p50Us: latencyUs.p50,
      rssMiB: readMemory(pids).rssMiB,
      otherShare: others / elapsed,
    }
  }
}

/** A guess for `count` contenders. */
export function estimateCpuRounds({ rounds, seconds }: Extent, count: number): number {
  return count * (1 + (rounds + WARMUP_ROUNDS) * (seconds + 0.1))
}
