// Opens a connection to a target: TCP, TLS or a unix socket. A certificate has to be for the configured name, whatever Host a client
// wrote, and no TLS session is ever resumed.
import { connect, isIP, type NetConnectOpts, type Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls } from 'node:tls'
import { toBareHost } from '../http/host.ts'
import type { TargetAddress, UpstreamTls } from './engine.ts'
import { lookUpBySystem } from './system-lookup.ts'

const UNIX = 'unix:'

/** A peer that is gone without a word is asked for after 30 s of silence, where the system would wait for two hours. */
const PROBED = { keepAlive: true, keepAliveInitialDelay: 30_000 }

export function isUnix(target: string): boolean {
  return target.startsWith(UNIX)
}

export function isTls(target: string): boolean {
  return target.startsWith('https:')
}

/** Where a target's connections go. */
export function toAddress(target: string): NetConnectOpts {
  if (isUnix(target)) return { path: target.slice(UNIX.length) }
  const { protocol, hostname, port } = new URL(target)
  const defaultPort = protocol === 'https:' ? 443 : 80
  const host = toBareHost(hostname)
  const lookup = lookUpBySystem
  return { host, port: Number(port || defaultPort), lookup, noDelay: true, ...PROBED }
}

/**
 * Ready at `connect`, or at `secureConnect` where the target is https.
 * @param allowHalfOpen whether there may be more to send once the target has sent all
 */
export function openSocket(
  { target, serverName }: TargetAddress,
  tls: UpstreamTls,
  protocol: 'h2' | 'http/1.1',
  allowHalfOpen = false,
): Socket {
  const address = { ...toAddress(target), allowHalfOpen }
  if (!isTls(target)) return connect(address)
  const { ca, cert, key } = tls
  const name = tls.serverName ?? serverName ?? (address as unknown as { host: string }).host
  return connectTls({
    ...address,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    // An address is no server name (RFC 6066 section 3).
    ...(isIP(name) === 0 && { servername: name }),
    ALPNProtocols: [protocol],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
  })
}
