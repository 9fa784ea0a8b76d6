// Good callers beside a flood of bad tokens: how much longer do they wait, and is one of them refused?
import type { RunningContender } from '../contender.ts'
import { type LoadReport, runLoad } from '../load/run-load.ts'
import { asStartable, takeTurnsStarted } from '../rounds.ts'
import { type Column, type Figures, LOAD_CPU, type Row, type Scenario } from '../scenario.ts'

const GOOD_RATE = 2_000
const FLOOD_RATE = 20_000
const WARMUP_S = 0.5
/** As many distinct tokens as a second brings, so that remembering refusals helps little. */
const BAD_TOKENS = 20_000

const COLUMNS: readonly Column[] = [
  { key: 'calmP99Us', label: 'good p99 µs', digits: 0 },
  { key: 'unknownKidP99Us', label: 'p99, unknown kid', digits: 0 },
  { key: 'unknownKidTimes', label: '×', digits: 2 },
  { key: 'badSignatureP99Us', label: 'p99, bad signature', digits: 0 },
  { key: 'badSignatureTimes', label: '×', digits: 2 },
  { key: 'refused', label: 'good refused', digits: 0 },
  { key: 'unknownKidPerSecond', label: 'unknown kid/s', digits: 0 },
  { key: 'badSignaturePerSecond', label: 'bad signature/s', digits: 0 },
]

export const flood: Scenario = {
  name: 'flood',
  title: `${GOOD_RATE} good requests a second by the clock, alone and beside ${FLOOD_RATE} bad tokens a second`,
  columns: COLUMNS,
  runs: 'full',
  estimate: ({ contenders, rounds, seconds }) =>
    contenders.filter(({ verifies }) => verifies).length * (rounds + 1) * 3 * (2 * seconds + 1),
  async run(stage) {
    const { traffic } = stage
    const files = {
      good: traffic.good(100),
      unknownKid: traffic.unknownKid(BAD_TOKENS),
      badSignature: traffic.badSignature(BAD_TOKENS),
    }
    const verifying = stage.contenders.filter(({ verifies }) => verifies)
    const startables = verifying.map((contender) => asStartable(stage, contender))
    const rows = await takeTurnsStarted(stage, startables, (running) =>
      takeRound(running, files, 2 * stage.seconds),
    )
    for (const row of rows) row.medians = withTimes(row)
    return rows
  },
}

interface Files {
  readonly good: string
  readonly unknownKid: string
  readonly badSignature: string
}

async function takeRound(
  running: RunningContender,
  files: Files,
  seconds: number,
): Promise<Figures> {
  const calm = await load(running.port, files.good, undefined, seconds)
  const unknownKid = await load(running.port, files.good, files.unknownKid, seconds)
  const badSignature = await load(running.port, files.good, files.badSignature, seconds)
  return {
    calmP99Us: calm.good.latencyUs.p99,
    unknownKidP99Us: unknownKid.good.latencyUs.p99,
    badSignatureP99Us: badSignature.good.latencyUs.p99,
    refused: [calm, unknownKid, badSignature].reduce(
      (sum, { good }) => sum + countRefused(good),
      0,
    ),
    unknownKidPerSecond: perSecond(unknownKid.bad!),
    badSignaturePerSecond: perSecond(badSignature.bad!),
  }
}

async function load(
  port: number,
  good: string,
  bad: string | undefined,
  seconds: number,
): Promise<{ good: LoadReport; bad?: LoadReport }> {
  const streams = [
    { port, requests: good, rate: GOOD_RATE, connections: 16 },
    ...(bad === undefined ? [] : [{ port, requests: bad, rate: FLOOD_RATE, connections: 32 }]),
  ]
  const reports = await runLoad({ cpus: LOAD_CPU, seconds, warmup: WARMUP_S }, ...streams)
  const [first, second] = reports
  if (second?.statuses[200] !== undefined) throw new Error('let a bad token through')
  return { good: first!, ...(second === undefined ? {} : { bad: second }) }
}

/** Answered with anything but 200, or not at all. */
function countRefused(report: LoadReport): number {
  return report.requests - (report.statuses[200] ?? 0) + report.errors
}

function perSecond(report: LoadReport): number {
  return report.requests / report.seconds
}

/** One refused request in any round counts: a median would hide it. */
function withTimes({ rounds, medians }: Row): Figures {
  if (rounds.length === 0) return medians
  return {
    ...medians,
    refused: rounds.reduce((sum, { refused }) => sum + refused!, 0),
    unknownKidTimes: medians.unknownKidP99Us! / medians.calmP99Us!,
    badSignatureTimes: medians.badSignatureP99Us! / medians.calmP99Us!,
  }
}
