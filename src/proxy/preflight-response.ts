// Tells a browser what a page may ask, before it asks (Fetch Standard section 3.2.3). Nothing of a preflight goes to an upstream.
import type { Preflight } from '../policy/decision.ts'
import type { ClientResponse } from './client-side.ts'

/** @param close whether the answer also ends the connection */
export function respondPermitted(
  response: ClientResponse,
  { fields }: Preflight,
  requestId: string,
  close: boolean,
): void {
  const own = { 'x-request-id': requestId, ...(close && { connection: 'close' }) }
  response.writeHead(204, { ...fields, ...own }).end()
}
