// The addresses of a static target's name, as the machine knows them at each connection. Those that are no machine's to have are never
// given out.
import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { judgeAddresses } from './name-lookup.ts'

/** For `connect`, which does not ask for the address of an address: one that is configured as such is the operator's own word. */
export const lookUpBySystem: LookupFunction = (name, options, callback) => {
  lookup(name, { ...options, all: true }, (error, found = []) => {
    const { addresses, leftOut } = judgeAddresses(
      found.map(({ address }) => address),
      false,
    )
    const usable = found.filter(({ address }) => addresses.includes(address))
    const [first] = usable
    if (error !== null) callback(error, '')
    else if (first === undefined) callback(new Error(`${name}: ${leftOut.join(', ')}`), '')
    else if (options.all) callback(null, usable)
    else callback(null, first.address, first.family)
  })
}
