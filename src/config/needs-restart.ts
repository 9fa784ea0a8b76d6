// Settings that a running gateway cannot take over from a new configuration: sockets and servers are made once, at its start.
import type { Config } from './schema.ts'

/** Setting → what of the configuration it stands for. */
const SETTINGS: Readonly<Record<string, (config: Config) => unknown>> = {
  'listen.address': ({ listen }) => listen.address,
  // Its default comes with TLS, and is no change of its own.
  'listen.http2': ({ listen }) => listen.http2 !== (listen.tls !== undefined),
  'listen.tls': ({ listen }) => listen.tls,
  'admin.address': ({ admin }) => (admin === 'none' ? admin : admin.address),
  'admin.tls': ({ admin }) => (admin === 'none' ? undefined : admin.tls),
  'extAuthz.address': ({ extAuthz }) => (extAuthz === 'none' ? extAuthz : extAuthz.address),
  'extAuthz.tls': ({ extAuthz }) => (extAuthz === 'none' ? undefined : extAuthz.tls),
  'limits.headerBytes': ({ limits }) => limits.headerBytes,
  'limits.connections': ({ limits }) => limits.connections,
  'limits.requestsPerConnection': ({ limits }) => limits.requestsPerConnection,
  'timeouts.headers': ({ timeouts }) => timeouts.headersMs,
  'timeouts.request': ({ timeouts }) => timeouts.requestMs,
  'timeouts.idle': ({ timeouts }) => timeouts.idleMs,
  'timeouts.keepAlive': ({ timeouts }) => timeouts.keepAliveMs,
  'timeouts.drain': ({ timeouts }) => timeouts.drainMs,
  'timeouts.tlsHandshake': ({ timeouts }) => timeouts.tlsHandshakeMs,
  'timeouts.checkInterval': ({ timeouts }) => timeouts.checkIntervalMs,
  'log.level': ({ log }) => log.level,
}

/**
 * Names of the settings that differ and stay as they are until a restart.
 * @param started the configuration that the gateway was started with
 */
export function needsRestart(started: Config, next: Config): readonly string[] {
  return Object.entries(SETTINGS)
    .filter(([, read]) => JSON.stringify(read(started)) !== JSON.stringify(read(next)))
    .map(([name]) => name)
}
