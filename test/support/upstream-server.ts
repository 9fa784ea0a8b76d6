// An upstream that records what it receives and answers as a test says; by default it echoes as JSON.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly headers: IncomingMessage['headers']
  body: string
}

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

export interface UpstreamServer {
  readonly origin: string
  readonly received: Received[]
  answer(next: Answer | undefined): void
  /** Takes over before the body is read; for streaming tests. */
  handle(next: ((request: IncomingMessage, response: ServerResponse) => void) | undefined): void
  close(): Promise<void>
}

export async function startUpstreamServer(): Promise<UpstreamServer> {
  const received: Received[] = []
  let answer: Answer | undefined
  let handle: ((request: IncomingMessage, response: ServerResponse) => void) | undefined
  const server = createServer((request, response) => {
    const { method = '', url = '', rawHeaders, headers } = request
    const record = { method, url, rawHeaders, headers, body: '' }
    received.push(record)
    if (handle) return handle(request, response)
    request.setEncoding('latin1').on('data', (chunk: string) => {
      record.body += chunk
    })
    request.on('error', () => {})
    request.on('end', () => {
      if (answer) return answer(request, response, record.body)
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(record))
    })
  })
  server.on('clientError', (_, socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    received,
    answer: (next) => {
      answer = next
    },
    handle: (next) => {
      handle = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
