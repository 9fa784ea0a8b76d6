// Families of addresses that a machine cannot reach are not asked for.
import type { NetworkInterfaceInfo } from 'node:os'
import t from 'tap'
import { toOrigin, usableFamilies } from '../../src/upstream/name-lookup.ts'

function usable(...addresses: string[]) {
  const infos = addresses.map((address) => ({
    address,
    family: address.includes(':') ? 'IPv6' : 'IPv4',
    internal: address.startsWith('127.') || address === '::1',
  }))
  return usableFamilies({ eth0: infos as NetworkInterfaceInfo[] })
}

t.test(
  'a family is usable with an address of its own beyond the machine and its link',
  async (t) => {
    t.same(usable('127.0.0.1', '::1', '10.0.0.1', 'fe80::1'), ['IPv4'])
    t.same(usable('127.0.0.1', '10.0.0.1', 'fd00::1'), ['IPv4', 'IPv6'])
    t.same(usable('169.254.1.1', 'fd00::1'), ['IPv6'])
  },
)

t.test('a machine that has neither may still ask itself for both', async (t) => {
  t.same(usable('127.0.0.1', '::1'), ['IPv4', 'IPv6'])
  t.same(usableFamilies({}), ['IPv4', 'IPv6'])
})

t.test('an origin is what a URL makes of it', async (t) => {
  t.equal(toOrigin('http:', '10.0.0.1', 80), 'http://10.0.0.1')
  t.equal(toOrigin('https:', 'fd00:0:0::1', 8443), 'https://[fd00::1]:8443')
})
