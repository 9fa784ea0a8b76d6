// A key endpoint that can be well, slow, broken or gone, and counts who asks.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface JwksServer {
  readonly url: string
  /** Requests that came in. */
  count(): number
  /** What the endpoint answers from now on: a document, or its own handler. */
  serve(next: object | ((request: IncomingMessage, response: ServerResponse) => void)): void
  close(): Promise<void>
}

export async function startJwksServer(document: object): Promise<JwksServer> {
  let count = 0
  let answer: object | ((request: IncomingMessage, response: ServerResponse) => void) = document
  const server = createServer((request, response) => {
    count++
    if (typeof answer === 'function') {
      ;(answer as (request: IncomingMessage, response: ServerResponse) => void)(request, response)
    } else response.end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/.well-known/jwks.json`,
    count: () => count,
    serve: (next) => {
      answer = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
