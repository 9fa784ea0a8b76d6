// A gateway as a process of its own between faulty peers, and what a test asks of it when all is over: nothing may be left.
import { readdirSync, readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { eventually } from './eventually.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts'
import { scrape } from './scrape.ts'

export interface FaultGateway extends GatewayProcess {
  /** Resident bytes now. */
  memory(): number
  /** Open files, sockets included. */
  handles(): number
  /** Waits until no request is under way. */
  idle(): Promise<void>
}

/** Upstreams by name, each the YAML of its mapping; requests for `/NAME/*` go to the upstream of that name, for everybody. */
export async function startFaultGateway(
  t: Test,
  upstreams: Readonly<Record<string, string>>,
  more = '',
): Promise<FaultGateway> {
  const names = Object.keys(upstreams)
  const gate = await startGatewayProcess(
    t,
    `version: 1
listen: 127.0.0.1:0
admin: 127.0.0.1:0
${more}
userPools:
  main: {userPoolId: eu-west-1_TestPool1, clientIds: [client], jwksUri: 'http://127.0.0.1:9/'}
upstreams:
${names.map((name) => `  ${name}: {${upstreams[name]}}`).join('\n')}
routes:
${names.map((name) => `  - {name: ${name}, match: {path: /${name}/*}, access: public, upstream: ${name}}`).join('\n')}
`,
  )
  const { pid } = gate.process
  return {
    ...gate,
    memory: () =>
      1024 * Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
    handles: () => readdirSync(`/proc/${pid}/fd`).length,
    idle: async () => {
      await eventually(
        'no request under way',
        async () => (await scrape(gate.adminOrigin, 'poolgate_active_requests')) === 0,
      )
    },
  }
}
