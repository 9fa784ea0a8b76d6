// The authority of a request (RFC 9110 section 7.2), in one spelling. Never takes more than a host and a port.
import { isIPv6 } from 'node:net'
import { type Refusal, toMalformed } from './refusal.ts'

export interface Host {
  /** Lower case, without port and last dot; an IPv6 literal keeps its brackets. */
  readonly name: string
  /** Digits, or '' when none was given. */
  readonly port: string
  /** `name[:port]`. */
  readonly authority: string
}

const AUTHORITY =
  /^([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/

export function parseHost(value: string | undefined): Host | Refusal {
  if (value === undefined) return toMalformed('no Host field')
  const match = AUTHORITY.exec(value)
  if (match === null) return toMalformed('Host is not a name or address with an optional port')
  const [, written = '', port = ''] = match
  const isName = written.startsWith('[') ? isIPv6(written.slice(1, -1)) : !written.includes('..')
  if (!isName || Number(port) > 65_535) return toMalformed('Host has a bad name or port')
  const folded = written.toLowerCase()
  const name = folded.endsWith('.') ? folded.slice(0, -1) : folded
  return { name, port, authority: port === '' ? name : `${name}:${port}` }
}

/** A URL's `hostname` as sockets take it: an IPv6 address without its brackets. */
export function toBareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '')
}
