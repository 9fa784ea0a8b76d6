// The URLs that configuration may hold: upstream targets, issuers and key-set addresses.
import { isIP } from 'node:net'
import { toBareHost } from '../http/host.ts'

const ORIGIN = /^https?:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?\/?$/

/** The origin (scheme, host, port) of an http or https URL that is nothing more than that; else undefined. */
export function parseOrigin(text: string): string | undefined {
  return ORIGIN.test(text) ? toUrl(text)?.origin : undefined
}

/**
 * Whether signing keys or an issuer may stand at this URL: https, or plain http on a loopback host; no user name,
 * query or fragment.
 */
export function isTrustworthyUrl(text: string): boolean {
  const url = /^https?:\/\/[^\s\\?#@]+$/.test(text) ? toUrl(text) : undefined
  return url !== undefined && (url.protocol === 'https:' || isLoopbackHost(url.hostname))
}

/** Whether it names a host, perhaps with a user name, a password and the number of a database. */
export function isRedisUrl(text: string): boolean {
  const url = /^rediss?:\/\//.test(text) ? toUrl(text) : undefined
  return (
    url !== undefined &&
    url.hostname !== '' &&
    /^\/?\d*$/.test(url.pathname) &&
    [url.username, url.password].every(isDecodable)
  )
}

/** 127.0.0.0/8, ::1 (in brackets or not) and localhost. */
export function isLoopbackHost(hostname: string): boolean {
  return /^127(\.\d{1,3}){3}$|^(\[::1\]|::1|localhost)$/.test(hostname)
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

function toUrl(text: string): URL | undefined {
  return URL.parse(text) ?? undefined
}

export interface NamedOrigin {
  /** `http:` or `https:` */
  readonly scheme: string
  readonly host: string
  readonly port: number
}

/** An origin whose host is a name that DNS can be asked for. */
export function parseNamedOrigin(text: string): NamedOrigin | undefined {
  const url = ORIGIN.test(text) ? toUrl(text) : undefined
  if (url === undefined || url.port === '0') return undefined
  const host = url.hostname.replace(/\.$/, '')
  if (!isDnsName(host)) return undefined
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  return { scheme: url.protocol, host, port }
}

/** The same by service and protocol (RFC 2782), whose ports stand in DNS. */
export function parseServiceOrigin(text: string): Omit<NamedOrigin, 'port'> | undefined {
  const { scheme, host } = parseNamedOrigin(text) ?? {}
  const isService = host !== undefined && /^_[a-z0-9-]+\._(tcp|udp)\.[^.]/.test(host)
  if (scheme === undefined || !isService || /:\d+\/?$/.test(text)) return undefined
  return { scheme, host }
}

/** The address of a name server, with or without port, as it stands. */
export function parseNameServer(text: string): string | undefined {
  const [, bracketed, plain = text, port = '53'] =
    /^(?:\[([^\]]+)\]|([\d.]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const isFit = bracketed === undefined ? isIP(plain) !== 0 : isIP(bracketed) === 6
  return isFit && Number(port) > 0 && Number(port) <= 65_535 ? text : undefined
}

/** Labels of 1 to 63 characters, 253 in all (RFC 1035 section 2.3.4); an address is none. */
function isDnsName(host: string): boolean {
  const labels = host.split('.')
  return (
    isIP(toBareHost(host)) === 0 &&
    host.length <= 253 &&
    labels.every((label) => label.length > 0 && label.length <= 63)
  )
}
