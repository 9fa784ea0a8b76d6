// An upstream in a process of its own that a test can stop as a debugger would: its kernel goes on acknowledging, and it says nothing more.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'

export interface StoppableUpstream {
  readonly origin: string
  readonly port: number
  stop(): void
}

/** Answers the beginning of a body to whatever it is sent. @param backlog connections that wait for it to take them, and one more */
export async function startStoppableUpstream(t: Test, backlog = 511): Promise<StoppableUpstream> {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'
  const program = `
    const server = require('node:net').createServer((socket) => {
      socket.on('error', () => undefined).on('data', () => socket.write(${JSON.stringify(answer)}))
    })
    server.listen({ port: 0, host: '127.0.0.1', backlog: ${backlog} }, () => {
      process.stdout.write(String(server.address().port))
    })`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  t.teardown(() => {
    child.kill('SIGKILL')
    return exited
  })
  const [port] = await once(child.stdout, 'data')
  return {
    origin: `http://127.0.0.1:${port}`,
    port: Number(port),
    stop: () => void child.kill('SIGSTOP'),
  }
}
