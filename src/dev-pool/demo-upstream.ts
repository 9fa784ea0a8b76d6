// A service to stand behind the gateway for a first try: it answers every request with what it received, as JSON or as a page.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listenOn } from '../base/listen.ts'
import { toDemoPage } from './demo-page.ts'
import { PAGE_POLICY } from './page.ts'
import { type ReceivedRequest, receiveRequest } from './received-request.ts'

export interface DemoUpstream {
  readonly origin: string
  stop(): Promise<void>
}

export async function startDemoUpstream(): Promise<DemoUpstream> {
  const server = createServer((request, response) => {
    receiveRequest(request).then(
      (received) => respond(response, received, request),
      // The client broke off: nobody is left to answer.
      () => response.destroy(),
    )
  })
  const address = await listenOn(server, { kind: 'tcp', host: '127.0.0.1', port: 0 })
  return {
    origin: `http://${address}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function respond(
  response: ServerResponse,
  received: ReceivedRequest,
  { headers, method }: IncomingMessage,
): void {
  const isPage = /\btext\/html\b/i.test(headers.accept ?? '')
  const body = isPage ? toDemoPage(received) : toDemoJson(received)
  response.writeHead(200, {
    'content-type': isPage ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'content-security-policy': isPage ? PAGE_POLICY : "default-src 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    vary: 'accept',
  })
  response.end(method === 'HEAD' ? undefined : body)
}

/** `identity` has the claims, decoded; `headers` has every line as it came. */
function toDemoJson({ method, target, headers, body }: ReceivedRequest): string {
  const identity = headers.flatMap(({ name, decoded }) =>
    decoded === undefined ? [] : [[name.toLowerCase(), decoded.length > 1 ? decoded : decoded[0]]],
  )
  const shown = {
    method,
    target,
    identity: Object.fromEntries(identity),
    headers: headers.map(({ name, value }) => `${name}: ${value}`),
    body,
  }
  return `${JSON.stringify(shown, null, 2)}\n`
}
