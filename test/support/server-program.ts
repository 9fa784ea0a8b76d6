// A server program of somebody else's for one test: started, waited for until it says where it listens, killed at the end.
import { spawn } from 'node:child_process'
import { basename } from 'node:path'
import type { Test } from 'tap'
import { eventually } from './eventually.ts'

/** @param saysWhere what it prints, on either of its outputs, once it listens; the first group is the answer */
export async function startServerProgram(
  t: Test,
  program: string,
  args: readonly string[],
  saysWhere: RegExp,
  variables: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = { ...process.env, ...variables }
  const server = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise((resolve) => server.on('close', resolve))
  t.teardown(() => {
    server.kill('SIGKILL')
    return ended
  })
  let said = ''
  for (const output of [server.stdout, server.stderr]) {
    output.on('data', (chunk) => {
      said = (said + chunk).slice(-10_000)
    })
  }
  return eventually(
    `${basename(program)} listening`,
    () => {
      if (server.exitCode !== null) throw new Error(`${program} ended: ${said}`)
      return saysWhere.exec(said)?.[1]
    },
    60_000,
  )
}
