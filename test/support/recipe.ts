// Runs a folder of examples/ as its README says, on free ports: Poolgate, the peer that asks it, and a service that records.
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { createGateway } from '../../src/gateway.ts'
import { eventually } from './eventually.ts'
import { freePorts } from './free-ports.ts'
import { type FakeManagedLogin, startFakeManagedLogin } from './fake-managed-login.ts'
import { createIssuer, type TestIssuer } from './issuer.ts'
import { startJwksServer } from './jwks-server.ts'
import { realClock } from './real-clock.ts'
import { SESSION_KEYS } from './sessions.ts'
import { type RecordingUpstream, startRecordingUpstream } from './recording-upstream.ts'

const EXAMPLES = join(import.meta.dirname, '../../examples')
/** The ports that every recipe is written with. */
const PORTS = { poolgate: 8080, extAuthz: 9191, ingress: 8000, service: 3000 }

export interface Recipe {
  /** Below examples/. */
  readonly folder: string
  readonly program: string
  /** Run in the folder. */
  readonly args: readonly string[]
}

export interface RunningRecipe {
  /** Of the peer, where clients ask. */
  readonly origin: string
  readonly issuer: TestIssuer
  readonly login: FakeManagedLogin
  /** The service behind the peer. */
  readonly service: RecordingUpstream
  /** Access lines of Poolgate so far. */
  accessLines(): Record<string, unknown>[]
  stopPoolgate(): Promise<void>
}

/** Where the program is, by its variable or on the usual paths; undefined: it is not installed. */
export function findProgram(name: string): string | undefined {
  const named = process.env[`POOLGATE_${name.toUpperCase()}`]
  const places = ['', '/usr/sbin/', '/usr/local/sbin/'].map((folder) => folder + name)
  return [named, ...places].find(
    (path) => path !== undefined && spawnSync(path, ['--help']).error === undefined,
  )
}

export async function startRecipe(t: Test, recipe: Recipe): Promise<RunningRecipe> {
  const issuer = createIssuer()
  const jwks = await startJwksServer(issuer.jwks())
  const service = await startRecordingUpstream()
  const login = await startFakeManagedLogin(issuer)
  t.teardown(() => Promise.all([jwks.close(), service.close(), login.stop()]))
  const [poolgate, extAuthz, ingress] = await freePorts(3)
  const ports = { poolgate, extAuthz, ingress, service: Number(new URL(service.origin).port) }
  const directory = t.testdir({})
  for (const name of readdirSync(join(EXAMPLES, recipe.folder))) {
    const text = readFileSync(join(EXAMPLES, recipe.folder, name), 'utf8')
    writeFileSync(join(directory, name), withPorts(text, ports as Record<string, number>))
  }
  const logged: string[] = []
  const text = readFileSync(join(directory, 'poolgate.yaml'), 'utf8')
    .replace(/^listen: /m, 'admin: none\n$&')
    .replace(/^( +)clientIds: .*$/m, `$1clientIds: [${issuer.clientId}]\n$1jwksUri: ${jwks.url}`)
    .replace(/userPoolId: .*/, `userPoolId: ${issuer.userPoolId}`)
    .replace(/domain: .*/, `domain: ${login.domain}`)
    .replace(/clientId: .*/, `clientId: ${issuer.clientId}`)
  const [SESSION_KEY] = SESSION_KEYS as [string]
  const loaded = loadConfig(text, `${recipe.folder}/poolgate.yaml`, { SESSION_KEY })
  const gateway = createGateway(loaded, {
    clock: realClock,
    version: '0.0.0-test',
    logDestination: { write: (line) => logged.push(line) },
  })
  await gateway.start()
  let stopping: Promise<void> | undefined
  const stopPoolgate = () => {
    stopping ??= gateway.stop()
    void gateway.stop()
    return stopping
  }
  t.teardown(stopPoolgate)
  const origin = `http://127.0.0.1:${ingress}`
  await startPeer(t, recipe, directory, origin)
  return {
    origin,
    issuer,
    login,
    service,
    accessLines: () => logged.map((line) => JSON.parse(line)).filter((line) => 'decision' in line),
    stopPoolgate,
  }
}

async function startPeer(
  t: Test,
  { program, args }: Recipe,
  cwd: string,
  origin: string,
): Promise<void> {
  const env = { ...process.env, HOME: cwd, XDG_CONFIG_HOME: cwd, XDG_DATA_HOME: cwd }
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk
    })
  }
  const ended = new Promise((resolve) => child.on('exit', resolve))
  t.teardown(() => {
    child.kill()
    return ended
  })
  await eventually('the peer listens', async () => {
    if (child.exitCode !== null) throw new Error(`${program} ended: ${said}`)
    return fetch(`${origin}/public/ready`).then(
      ({ status }) => status === 200,
      () => false,
    )
  })
}

function withPorts(text: string, ports: Readonly<Record<string, number>>): string {
  const names = Object.entries(PORTS)
  return text.replace(/\b\d{4}\b/g, (port) => {
    const name = names.find(([, usual]) => usual === Number(port))?.[0]
    return name === undefined ? port : String(ports[name])
  })
}
