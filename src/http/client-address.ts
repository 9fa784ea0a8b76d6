// Whose request it is when it came through proxies: only the word of trusted peers counts, from the nearest outwards.
import { BlockList, isIPv4, isIPv6, SocketAddress } from 'node:net'
import { trimBlanks } from './headers.ts'

/** Proxies that are asked; no real chain is as long, and each one costs the more. */
const MAX_PROXIES = 32

/**
 * Compiles addresses and CIDRs, already checked, into a test. IPv4 written as IPv6 (`::ffff:10.0.0.1`) is judged as IPv4; `unix` stands
 * for peers without an address, those of a unix socket.
 * @param isUnix whether the listener is one: a TCP connection that was reset has no address either
 */
export function compileTrustedProxies(
  cidrs: readonly string[],
  isUnix = false,
): (address: string) => boolean {
  if (cidrs.length === 0) return () => false
  const list = new BlockList()
  const ranges = cidrs.filter((cidr) => cidr !== 'unix')
  const isUnixTrusted = isUnix && ranges.length < cidrs.length
  for (const cidr of ranges) {
    const [address = '', bits] = cidr.split('/')
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return (address) => {
    if (address === '') return isUnixTrusted
    const plain = toPlainAddress(address)
    return plain !== undefined && list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6')
  }
}

/**
 * The nearest address that no trusted proxy vouches for, or the farthest that one does.
 * An entry that is no address ends the walk, as does a chain of more than 32: what lies beyond is anybody's word. One address
 * has one spelling here.
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | undefined,
  isTrusted: (address: string) => boolean,
): string {
  let client = toPlainAddress(peer) ?? peer
  let rest = forwardedFor
  for (let i = 0; i < MAX_PROXIES && rest !== undefined && isTrusted(client); i++) {
    const comma = rest.lastIndexOf(',')
    const address = toPlainAddress(withoutPort(trimBlanks(rest.slice(comma + 1))))
    if (address === undefined) break
    client = address
    rest = comma === -1 ? undefined : rest.slice(0, comma)
  }
  return client
}

/** The address in its shortest spelling, without zone id, mapped IPv4 as IPv4. Undefined when it is no IP address. */
export function toPlainAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  if (!isIPv6(text)) return undefined
  const [unzoned = ''] = text.split('%', 1)
  const { address } = new SocketAddress({ address: unzoned, family: 'ipv6' })
  const mapped = address.startsWith('::ffff:') ? address.slice(7) : ''
  return isIPv4(mapped) ? mapped : address
}

function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1]
  if (bracketed !== undefined) return bracketed
  return /^\d+\.\d+\.\d+\.\d+:\d+$/.test(text) ? text.slice(0, text.lastIndexOf(':')) : text
}
