// What every request to the dev pool must be: meant for loopback, and small. A page that rebinds its name is turned away.
import type { IncomingMessage } from 'node:http'
import { parseHost } from '../http/host.ts'

const MAX_BODY_BYTES = 64 * 1024
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** Whether the Host field names this machine's loopback; any other name may be an attacker's that resolves here. */
export function isForLoopback({ headers }: IncomingMessage): boolean {
  const host = parseHost(headers.host)
  return !('refused' in host) && LOOPBACK.test(host.name)
}

/** The body as UTF-8, or undefined when it is larger than 64 KiB; what is too much is read and dropped. */
export async function readSmallBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length <= MAX_BODY_BYTES) chunks.push(chunk)
  }
  return length > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks).toString('utf8')
}
