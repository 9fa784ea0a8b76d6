// What every request to the dev pool must be: meant for loopback, and small. A page that rebinds its name is turned away.
import type { IncomingMessage } from 'node:http'
import { parseHost } from '../http/host.ts'

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** Whether the Host field names this machine's loopback; any other name may be an attacker's that resolves here. */
export function isForLoopback({ headers }: IncomingMessage): boolean {
  const host = parseHost(headers.host)
  return !('refused' in host) && LOOPBACK.test(host.name)
}

/** The body as UTF-8, or undefined when it is larger; what is too much is read and dropped. */
export async function readSmallBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length <= maxBytes) chunks.push(chunk)
  }
  return length > maxBytes ? undefined : Buffer.concat(chunks).toString('utf8')
}
