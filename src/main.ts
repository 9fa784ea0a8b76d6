#!/usr/bin/env -S node --max-semi-space-size=8
// The process entry: arguments to a command, signals, exit codes, the real clock. The only place that touches the machine's own.
import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import type { Clock } from './base/clock.ts'
import { startTimer } from './base/timer.ts'
import type { CommandContext } from './cli/command-context.ts'
import { toInvocation } from './cli/invocation.ts'
import { runProgram } from './cli/program.ts'

// How V8 collects a small heap that little is ever added to (decision 0010).
setFlagsFromString('--no-allocation-site-pretenuring')
setFlagsFromString('--heap-growing-percent=100')

const clock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  after: startTimer,
}

const context: CommandContext = {
  clock,
  version: readVersion(),
  invocation: toInvocation({
    execPath: process.execPath,
    script: process.argv[1] ?? '',
    npmPackage: process.env.npm_package_name,
  }),
  env: process.env,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  readStdin: async () => {
    const chunks: Buffer[] = []
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks).toString('utf8')
  },
  onSignal: (signal, handler) => {
    process.removeAllListeners(signal)
    process.on(signal, handler)
  },
}

function readVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

// A reader that goes away, as `poolgate check FILE 2>&1 | head` does, is no failure of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

// Every request guards itself; what still comes here is a defect, and a process in an unknown state must not decide anything.
process.on('uncaughtException', (error) => {
  process.stderr.write(`internal error: ${error.stack ?? error.message}\n`)
  process.exit(70)
})

process.exitCode = await runProgram(process.argv.slice(2), context)
