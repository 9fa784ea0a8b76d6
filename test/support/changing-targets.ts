// Many targets that change by DNS all the time, behind a gateway in a process of its own, while requests go on without a pause.
import { readFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { startDnsServer } from './dns-server.ts'
import { eventually } from './eventually.ts'
import { startGatewayProcess } from './gateway-process.ts'

export interface ChangingTargets {
  /** At a time. */
  readonly targets: number
  /** How many of them are others after each change. */
  readonly moving: number
  readonly everyMs: number
  readonly forMs: number
  /** Requests under way at a time. */
  readonly callers: number
}

export interface ChangingTargetsReport {
  readonly changes: number
  readonly requests: number
  /** What each request met that did not get its answer. */
  readonly failures: readonly string[]
  /** Different targets that got a request. */
  readonly met: number
  /** Resident bytes of the gateway, twice a second. */
  readonly memory: readonly number[]
}

const NAME = 'many.internal'

export async function changeTargets(
  t: Test,
  { targets, moving, everyMs, forMs, callers }: ChangingTargets,
): Promise<ChangingTargetsReport> {
  const met = new Set<string | undefined>()
  const server = createServer((incoming, response) => {
    met.add(incoming.socket.localAddress)
    incoming.resume().on('end', () => response.end('ok'))
  })
  // One listener for all of 127.0.0.0/8.
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  const dns = await startDnsServer()
  let changes = 0
  const change = () => {
    const first = changes++ * moving
    const A = Array.from({ length: targets }, (_, n) => toLoopback(first + n))
    dns.serve({ [NAME]: { A, ttl: 0 } })
  }
  change()
  const gate = await startGatewayProcess(
    t,
    toConfig((server.address() as AddressInfo).port, dns.address, everyMs),
  )
  const agent = new Agent({ keepAlive: true })
  t.teardown(async () => {
    agent.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await dns.close()
  })
  const ready = () => fetch(`${gate.adminOrigin}/readyz`).then(({ status }) => status === 200)
  await eventually('the first targets', ready)

  const failures: string[] = []
  const memory: number[] = []
  const timers = [
    setInterval(change, everyMs),
    setInterval(() => memory.push(residentBytes(gate.process.pid)), 500),
  ]
  const end = performance.now() + forMs
  let requests = 0
  const call = async () => {
    while (performance.now() < end) {
      const failure = await ask(
        `${gate.origin}/public/x`,
        agent,
        requests++ % 2 === 0 ? 'GET' : 'POST',
      )
      if (failure !== undefined) failures.push(failure)
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
  for (const timer of timers) clearInterval(timer)
  return { changes, requests, failures, met: met.size, memory }
}

/** Undefined where it was answered as it should be. A POST is never sent twice, so nothing hides a failure of one. */
function ask(url: string, agent: Agent, method: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const outgoing = request(url, { agent, method }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      response.on('error', (error) => resolve(error.message))
      response.on('end', () => {
        const isFine = response.statusCode === 200 && body === 'ok'
        resolve(isFine ? undefined : `${method} ${response.statusCode} ${body}`)
      })
    })
    outgoing.on('error', (error) => resolve(error.message))
    outgoing.end(method === 'POST' ? 'hello' : undefined)
  })
}

function toLoopback(n: number): string {
  return `127.${10 + ((n >> 16) & 63)}.${(n >> 8) & 255}.${n & 255}`
}

function residentBytes(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}

function toConfig(port: number, nameServer: string, refreshMs: number): string {
  return `version: 1
listen: 127.0.0.1:0
admin: 127.0.0.1:0
log: {access: errors}
upstreams:
  up:
    discover: {dns: 'http://${NAME}:${port}', servers: ['${nameServer}'], refresh: ${refreshMs}ms}
routes:
  - {name: open, match: {path: /public/*}, access: public, upstream: up}
`
}
