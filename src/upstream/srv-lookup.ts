// Targets by SRV records (RFC 2782): each address of each record's host, at the record's port. Priorities are kept to, weights are not.
import type { SrvRecord } from 'node:dns'
import type { LookUp } from './discovery.ts'
import type { NameServers } from './dns-lookup.ts'
import { createNameLookUp, openResolver, toOrigin } from './name-lookup.ts'

export interface SrvSettings {
  /** `http:` or `https:` */
  readonly scheme: string
  /** Begins with service and protocol: `_http._tcp.orders.internal`. */
  readonly host: string
}

/** A host of `.` says that the service is not there (RFC 2782). */
const isThere = ({ name, port }: SrvRecord) => port > 0 && name !== '' && name !== '.'

export function createSrvLookUp(
  { scheme, host }: SrvSettings,
  { servers, allowLinkLocal }: NameServers,
): LookUp {
  const lookUpNames = createNameLookUp(allowLinkLocal)
  // The name that is trusted is the configured one: the records' are whatever the name server says (RFC 6125 section 6.2.1).
  const serverName = host.split('.').slice(2).join('.')
  return {
    async ask(signal) {
      const resolver = openResolver(servers, signal)
      const records = await resolver.resolveSrv(host)
      const priority = Math.min(...records.map((record) => record.priority))
      const first = records.filter((record) => record.priority === priority && isThere(record))
      const names = [...new Set(first.map(({ name }) => name.toLowerCase()))]
      const answers = await lookUpNames(resolver, names)
      const problem = answers.find((answer) => answer.problem !== undefined)?.problem
      if (problem !== undefined && !answers.some(({ isFresh }) => isFresh)) throw new Error(problem)
      const byName = new Map(names.map((name, n) => [name, answers[n]?.addresses ?? []]))
      const targets = first.flatMap(({ name, port }) =>
        (byName.get(name.toLowerCase()) ?? []).map((address) => ({
          target: toOrigin(scheme, address, port),
          serverName,
        })),
      )
      return { targets, leftOut: answers.flatMap((answer) => answer.leftOut), problem }
    },
    close: () => undefined,
  }
}
