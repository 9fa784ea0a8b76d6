// Asks for decisions by gRPC as Envoy does, on one connection; told by messages what to do. A check that is not allowed ends the run.
import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { createEnvoyCheck } from '../../test/support/envoy-check.ts'
import { toFields } from '../traffic.ts'
import type { CheckFigures, CheckRun } from './run-check-load.ts'

const [port, cpus] = process.argv.slice(2)
execFileSync('taskset', ['-apc', cpus!, String(process.pid)], { stdio: 'ignore' })
const check = createEnvoyCheck(`127.0.0.1:${port}`)
let requests: readonly object[] = []
let next = 0

process.on('message', (message: readonly string[] | CheckRun) => {
  if (!('seconds' in message)) requests = message.map(toRequest)
  else
    run(message).then(
      (figures) => process.send!(figures),
      (error: Error) => process.send!({ trouble: error.message }),
    )
})

/** The request that the other contenders are asked about. */
function toRequest(token: string): object {
  const lines = toFields(token).trim().split('\r\n')
  const fields = lines.map((line) => line.split(': ', 2) as [string, string])
  const { host = '', ...headers } = Object.fromEntries(
    fields.map(([name, value]) => [name.toLowerCase(), value] as const),
  )
  return { method: 'GET', path: '/', host, scheme: 'http', headers }
}

async function run({ seconds, inFlight, rate }: CheckRun): Promise<CheckFigures> {
  const latencies: number[] = []
  let trouble: string | undefined
  const begun = performance.now()
  const end = begun + seconds * 1000

  async function ask(): Promise<void> {
    const sent = performance.now()
    const asked = check.ask(requests[next++ % requests.length])
    const { allowed, status } = await asked.catch(({ message }: Error) => ({
      allowed: false,
      status: message,
    }))
    if (!allowed) trouble ??= `a check was answered ${status}`
    latencies.push(performance.now() - sent)
  }

  const goesOn = (time: number) => time < end && trouble === undefined

  async function askAgain(): Promise<void> {
    while (goesOn(performance.now())) await ask()
  }

  /** Waits for no answer, so that a server that stalls has all the more to answer. */
  async function askByTheClock(perSecond: number): Promise<void> {
    const asked: Promise<void>[] = []
    for (let due = begun; goesOn(due); due += 1000 / perSecond) {
      while (performance.now() < due) await sleep(1)
      asked.push(ask())
    }
    await Promise.all(asked)
  }

  if (rate !== undefined) await askByTheClock(rate)
  else await Promise.all(Array.from({ length: inFlight ?? 1 }, askAgain))
  if (trouble !== undefined) throw new Error(trouble)
  latencies.sort((a, b) => a - b)
  const percentile = (share: number) => 1000 * latencies[Math.floor(share * latencies.length)]!
  return {
    answered: latencies.length,
    seconds: (performance.now() - begun) / 1000,
    p50Us: percentile(0.5),
    p99Us: percentile(0.99),
  }
}
