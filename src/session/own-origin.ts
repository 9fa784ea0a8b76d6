// Which of the configured origins a browser sees. Never learnt from X-Forwarded-* fields: whoever sends a request could write them.
import type { RequestFacts } from '../http/request-facts.ts'

/** By the Host of a request, where a default port may be written or not; undefined for a host of no origin. */
export function compileOrigins(
  origins: readonly string[],
): (facts: RequestFacts) => string | undefined {
  const byAuthority = new Map<string, string>()
  for (const origin of origins.toReversed()) {
    const { protocol, hostname, port } = new URL(origin)
    const standard = protocol === 'https:' ? '443' : '80'
    byAuthority.set(`${hostname}:${port === '' ? standard : port}`, origin)
    if (port === '') byAuthority.set(hostname, origin)
  }
  return ({ host }) => byAuthority.get(host.authority)
}
