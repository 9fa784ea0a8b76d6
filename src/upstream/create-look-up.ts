// Which way of finding targets a configuration asks for.
import type { LookUp } from './discovery.ts'
import { createDnsLookUp, type DnsSettings, type NameServers } from './dns-lookup.ts'
import { createEc2LookUp, type Ec2Settings } from './ec2-lookup.ts'
import { createSrvLookUp, type SrvSettings } from './srv-lookup.ts'

/** One of `dns`, `srv` and `ec2`. */
export interface DiscoverSettings extends NameServers {
  readonly dns?: DnsSettings | undefined
  readonly srv?: SrvSettings | undefined
  readonly ec2?: Ec2Settings | undefined
  readonly refreshMs: number
}

export function createLookUp({ dns, srv, ec2, ...names }: DiscoverSettings): LookUp {
  if (dns !== undefined) return createDnsLookUp(dns, names)
  if (srv !== undefined) return createSrvLookUp(srv, names)
  return createEc2LookUp(ec2 as Ec2Settings)
}
