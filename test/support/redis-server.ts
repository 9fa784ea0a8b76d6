// A real redis-server of the test's own, on loopback and a free port, keeping nothing. Where there is none the test skips aloud.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { freePort } from './free-ports.ts'

export interface RedisServer {
  readonly url: string
  readonly port: number
  stop(): Promise<void>
}

export function hasRedisServer(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0
}

/** @param options as on its command line */
export async function startRedisServer(
  port?: number,
  options: readonly string[] = [],
): Promise<RedisServer> {
  const own = port ?? (await freePort())
  const server = spawn(
    'redis-server',
    ['--port', String(own), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...options],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await ready(server)
  return {
    url: `redis://127.0.0.1:${own}`,
    port: own,
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return
      const closed = once(server, 'close')
      server.kill('SIGKILL')
      await closed
    },
  }
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    server.stdout?.on('data', (chunk) => {
      said += chunk
      if (/Ready to accept connections/.test(said)) resolve()
    })
    server.on('exit', () => reject(new Error(`redis-server: ${said}`)))
  })
}
