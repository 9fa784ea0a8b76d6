// Where a listener binds: host:port or unix:/path. Never binds to every interface because the host was left out.
import { isIP } from 'node:net'
import { asMapping, asText, type Mapping } from './loose.ts'

export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

const HOST_AND_PORT = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/
const HOST_NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i
/** Bytes of a socket path that every system takes (sun_path with its end). */
const MAX_SOCKET_PATH = 103

const DEFAULTS = { listen: '127.0.0.1:8080', admin: '127.0.0.1:9090', extAuthz: 'none' }

/** The address of a listener as a file of any shape has it, or its default. */
export function listenText(settings: Mapping, name: keyof typeof DEFAULTS): string {
  const given = settings[name]
  return asText(given) ?? asText(asMapping(given).address) ?? DEFAULTS[name]
}

/** Whether a listener is a unix socket; `none` is no listener. */
export function isUnix(listen: { readonly address: ListenAddress } | 'none'): boolean {
  return listen !== 'none' && listen.address.kind === 'unix'
}

/** Port 0 lets the system choose. The problem never repeats the text. */
export function parseListenAddress(text: string): ListenAddress | { readonly problem: string } {
  if (text.startsWith('unix:')) return parseSocketPath(text.slice('unix:'.length))
  const [, bracketed, plain, port] = HOST_AND_PORT.exec(text) ?? []
  if (port === undefined) {
    return { problem: 'expected host:port, [ipv6]:port or unix:/path, such as 127.0.0.1:8080' }
  }
  if (plain === '') {
    return { problem: 'the host is missing; for every interface write 0.0.0.0:PORT or [::]:PORT' }
  }
  if (Number(port) > 65_535) return { problem: 'a port is a number from 0 to 65535' }
  if (bracketed !== undefined) {
    if (isIP(bracketed) !== 6) return { problem: 'expected an IPv6 address between the brackets' }
    return { kind: 'tcp', host: bracketed, port: Number(port) }
  }
  if (!isHost(plain!)) return { problem: 'expected a host name or an IP address before the port' }
  return { kind: 'tcp', host: plain!, port: Number(port) }
}

function isHost(text: string): boolean {
  // All digits and dots is meant as an address, so it has to be one.
  return /^[\d.]+$/.test(text) ? isIP(text) === 4 : HOST_NAME.test(text)
}

function parseSocketPath(path: string): ListenAddress | { readonly problem: string } {
  if (!path.startsWith('/')) return { problem: 'a socket path is absolute: unix:/path' }
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    return { problem: `a socket path has at most ${MAX_SOCKET_PATH} bytes` }
  }
  return { kind: 'unix', path }
}
