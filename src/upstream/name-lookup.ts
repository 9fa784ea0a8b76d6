// The addresses of names by DNS. A name, or a family of addresses, that cannot be asked for keeps what was known of it.
import { Resolver } from 'node:dns/promises'
import { isIPv6 } from 'node:net'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { toSpecialUse } from '../base/special-address.ts'

export interface NameAnswer {
  readonly addresses: readonly string[]
  /** The shortest time that one of them holds. */
  readonly ttlMs: number
  readonly leftOut: readonly string[]
  readonly problem: string | undefined
  /** False where all of it was known before. */
  readonly isFresh: boolean
}

/** Asks for each of these names, and forgets all others. */
export type NameLookUp = (
  resolver: Resolver,
  names: readonly string[],
) => Promise<readonly NameAnswer[]>

export type Family = 'IPv4' | 'IPv6'

interface Records {
  readonly addresses: readonly string[]
  readonly ttlMs: number
  readonly problem: string | undefined
}

const FAMILIES: readonly Family[] = ['IPv4', 'IPv6']
const TIMEOUT_MS = 2_000
const TRIES = 3

/** There is no such name, or nothing of the kind by that name. */
const ABSENT: readonly string[] = ['ENOTFOUND', 'ENODATA']
const NONE: Records = { addresses: [], ttlMs: Infinity, problem: undefined }

/** @param servers name servers; those of the machine where there is none, as they are at the moment */
export function openResolver(servers: readonly string[], signal: AbortSignal): Resolver {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES })
  if (servers.length > 0) resolver.setServers(servers)
  signal.addEventListener('abort', () => resolver.cancel(), { once: true })
  return resolver
}

const ownFamilies = () => usableFamilies(networkInterfaces())

/** @param families what the machine can reach; others are not asked for */
export function createNameLookUp(
  allowLinkLocal: boolean,
  families: () => readonly Family[] = ownFamilies,
): NameLookUp {
  let known = new Map<string, readonly Records[]>()

  return async (resolver, names) => {
    const usable = families()
    const next = new Map<string, readonly Records[]>()
    const answers = await Promise.all(
      names.map(async (name): Promise<NameAnswer> => {
        const asked = await Promise.all(
          FAMILIES.map((family) => (usable.includes(family) ? ask(resolver, family, name) : NONE)),
        )
        const isFresh = asked.some(({ addresses }) => addresses.length > 0)
        const earlier = known.get(name) ?? asked
        const records = asked.map((now, family) =>
          isFresh && now.problem === undefined ? now : (earlier[family] as Records),
        )
        next.set(name, records)
        const absent = isFresh ? undefined : `${name} has no address`
        return {
          ...judgeAddresses(
            records.flatMap((one) => one.addresses),
            allowLinkLocal,
          ),
          ttlMs: Math.min(...asked.map(({ ttlMs }) => ttlMs)),
          problem: asked.find(({ problem }) => problem !== undefined)?.problem ?? absent,
          isFresh,
        }
      }),
    )
    known = next
    return answers
  }
}

async function ask(resolver: Resolver, family: Family, name: string): Promise<Records> {
  try {
    const records =
      family === 'IPv4'
        ? await resolver.resolve4(name, { ttl: true })
        : await resolver.resolve6(name, { ttl: true })
    return {
      addresses: records.map(({ address }) => address),
      ttlMs: Math.min(...records.map(({ ttl }) => ttl * 1_000)),
      problem: undefined,
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return ABSENT.includes(code ?? '') ? NONE : { ...NONE, problem: message }
  }
}

/** U-14: whoever answers for a name could lead requests, and their tokens, to the machine's own metadata. */
export function judgeAddresses(
  found: readonly string[],
  allowLinkLocal: boolean,
): Pick<NameAnswer, 'addresses' | 'leftOut'> {
  const addresses: string[] = []
  const leftOut: string[] = []
  for (const address of found) {
    const use = toSpecialUse(address)
    if (use === undefined || (use === 'link-local' && allowLinkLocal)) addresses.push(address)
    else leftOut.push(`${address} is ${use}`)
  }
  return { addresses, leftOut }
}

/** Families that this machine has an address of, beside those for itself and its own link; both where it has none at all. */
export function usableFamilies(interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): readonly Family[] {
  const addresses = Object.values(interfaces).flatMap((each) => each ?? [])
  const usable = FAMILIES.filter((family) =>
    addresses.some(
      (one) => one.family === family && !one.internal && toSpecialUse(one.address) === undefined,
    ),
  )
  return usable.length === 0 ? FAMILIES : usable
}

/** Scheme, host and port as a target has them. @param scheme with its colon */
export function toOrigin(scheme: string, address: string, port: number): string {
  return new URL(`${scheme}//${isIPv6(address) ? `[${address}]` : address}:${port}`).origin
}
