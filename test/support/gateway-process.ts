// A gateway as its own process, as operators run it: signals, exit codes and memory are its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { eventually } from './eventually.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface GatewayProcess {
  readonly origin: string
  readonly adminOrigin: string
  readonly process: Command['process']
  /** Where the configuration is; write another and send SIGHUP. */
  readonly file: string
  /** Lines of the log so far, parsed. */
  lines(): Record<string, unknown>[]
  stderr(): string
  /** The exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>
  /** Resident bytes at most so far. */
  peakMemory(): number
}

export interface Command {
  readonly process: ChildProcess
  stdout(): string
  stderr(): string
  readonly exited: Promise<number | string>
}

/** Starts `poolgate` with these arguments; killed when the test ends. @param variables beside the test's own */
export function runCommand(
  t: Test,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Command {
  const child = spawn(process.execPath, ['--max-semi-space-size=8', MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...variables },
  })
  const texts = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    texts.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    texts.stderr += chunk
  })
  const exited = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'gone'))
  })
  t.teardown(() => {
    child.kill('SIGKILL')
    return exited
  })
  return { process: child, stdout: () => texts.stdout, stderr: () => texts.stderr, exited }
}

/** Starts `serve` with this configuration and waits until it listens. */
export async function startGatewayProcess(
  t: Test,
  config: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess> {
  const file = join(t.testdir({}), 'poolgate.yaml')
  writeFileSync(file, config)
  const { process, stdout, stderr, exited } = runCommand(t, ['serve', '--config', file], variables)
  const lines = () =>
    stdout()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  const listening = await eventually(
    'a line that says it listens',
    () => {
      if (process.exitCode !== null) throw new Error(`it ended: ${stderr()}`)
      return lines().find(({ message }) => message === 'listening')
    },
    20_000,
  )
  return {
    process,
    file,
    lines,
    stderr,
    exited,
    origin: `http://${listening.listen}`,
    adminOrigin: `http://${listening.admin}`,
    peakMemory() {
      const status = readFileSync(`/proc/${process.pid}/status`, 'utf8')
      return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024
    },
  }
}

/** A configuration for a process of its own: `/public/*` for everybody, `/api/*` with a token, and further YAML. */
export function createProcessConfig(parts: {
  readonly upstreamOrigin: string
  readonly jwksUri?: string
  readonly clientId?: string
  readonly more?: string
}): string {
  const { upstreamOrigin, jwksUri = 'http://127.0.0.1:9/', clientId = 'client', more = '' } = parts
  return `version: 1
listen: 127.0.0.1:0
admin: 127.0.0.1:0
${more}
userPools:
  main: {userPoolId: eu-west-1_TestPool1, clientIds: [${clientId}], jwksUri: '${jwksUri}'}
upstreams:
  up: {targets: ['${upstreamOrigin}']}
routes:
  - {name: open, match: {path: /public/*}, access: public, upstream: up}
  - {name: api, match: {path: /api/*}, access: authenticated, upstream: up}
`
}
