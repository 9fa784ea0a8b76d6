// Targets by one name: each of its IPv4 and IPv6 addresses is one.
import type { LookUp } from './discovery.ts'
import { createNameLookUp, type Family, openResolver, toOrigin } from './name-lookup.ts'

export interface DnsSettings {
  /** `http:` or `https:` */
  readonly scheme: string
  readonly host: string
  readonly port: number
}

export interface NameServers {
  /** Each with or without a port; the machine's own where there is none. */
  readonly servers: readonly string[]
  /** Whether names may lead to link-local addresses. */
  readonly allowLinkLocal: boolean
}

export function createDnsLookUp(
  { scheme, host, port }: DnsSettings,
  { servers, allowLinkLocal }: NameServers,
  families?: () => readonly Family[],
): LookUp {
  const lookUpNames = createNameLookUp(allowLinkLocal, families)
  return {
    async ask(signal) {
      const [answer] = await lookUpNames(openResolver(servers, signal), [host])
      if (!answer?.isFresh) throw new Error(answer?.problem)
      const { addresses, ttlMs, leftOut, problem } = answer
      const targets = addresses.map((address) => ({
        target: toOrigin(scheme, address, port),
        serverName: host,
      }))
      return { targets, ttlMs, leftOut, problem }
    },
    close: () => undefined,
  }
}
