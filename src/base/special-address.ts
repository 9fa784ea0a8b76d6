// Addresses that mean something of their own, and no machine that a name should lead to (RFC 6890).
import { BlockList, isIPv6 } from 'node:net'

export type SpecialUse = 'link-local' | 'unspecified' | 'multicast'

const RANGES: readonly (readonly [SpecialUse, string, number])[] = [
  // The instance metadata service is 169.254.169.254, a task's credentials are at 169.254.170.2.
  ['link-local', '169.254.0.0', 16],
  ['link-local', 'fe80::', 10],
  // The metadata, name and time services of EC2 by IPv6.
  ['link-local', 'fd00:ec2::', 32],
  ['unspecified', '0.0.0.0', 8],
  ['unspecified', '::', 128],
  ['multicast', '224.0.0.0', 4],
  ['multicast', '255.255.255.255', 32],
  ['multicast', 'ff00::', 8],
  // 169.254.0.0/16 inside IPv6, as a translator or a tunnel on the way would take it out (RFC 4291 section 2.5.5.1, RFC 6052, RFC 8215,
  // RFC 2765, RFC 3056).
  ['link-local', '::a9fe:0', 112],
  ['link-local', '64:ff9b::a9fe:0', 112],
  ['link-local', '64:ff9b:1::a9fe:0', 112],
  ['link-local', '::ffff:0:a9fe:0', 112],
  ['link-local', '2002:a9fe::', 32],
]

const LISTS = toLists()

/** What an IP address is for, also where it is IPv4 in IPv6; undefined for one that a machine may have. */
export function toSpecialUse(address: string): SpecialUse | undefined {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  return LISTS.find(([, list]) => list.check(address, family))?.[0]
}

function toLists(): readonly (readonly [SpecialUse, BlockList])[] {
  return RANGES.map(([use, network, bits]) => {
    const list = new BlockList()
    list.addSubnet(network, bits, isIPv6(network) ? 'ipv6' : 'ipv4')
    return [use, list] as const
  })
}
