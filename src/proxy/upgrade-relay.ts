// Carries the answer to a request that asks for an upgrade: a 101 becomes a tunnel, everything else is relayed like any response.
import type { Socket } from 'node:net'
import type { RawHeaders } from '../http/headers.ts'
import { WEB_SOCKET } from '../http/upgrade.ts'
import type { BuildClientHeaders } from './client-headers.ts'
import type { EarlyBytes } from './early-bytes.ts'
import type { Exchange } from './exchange.ts'
import { Relay, type RelayPorts } from './relay.ts'
import { POLICY_VIOLATION, Tunnel, type TunnelPorts } from './tunnel.ts'

export interface Upgrade {
  /** In lower case. */
  readonly protocol: string
  readonly early: EarlyBytes
  readonly idleMs: number
  readonly clock: TunnelPorts['clock']
  readonly expiresAtMs: number
  /** A tunnel has begun, or is over. */
  readonly upgraded: (delta: 1 | -1) => void
}

export class UpgradeRelay extends Relay {
  private readonly opened: Exchange
  private readonly upgrade: Upgrade

  constructor(
    exchange: Exchange,
    ports: RelayPorts,
    buildHeaders: BuildClientHeaders,
    upgrade: Upgrade,
  ) {
    super(exchange, ports, buildHeaders, undefined, upgrade.expiresAtMs)
    this.opened = exchange
    this.upgrade = upgrade
  }

  switched(headers: RawHeaders, upstream: Socket, fromUpstream: Buffer): void {
    const { opened: exchange, upgrade } = this
    const { response } = exchange
    const client = response.socket as Socket | null
    if (client === null || client.destroyed) {
      upstream.destroy()
      return
    }
    exchange.answered()
    const own = ['connection', 'Upgrade', 'upgrade', upgrade.protocol]
    response.writeHead(101, [...this.buildHead(headers), ...own])
    response.flushHeaders()
    client.setTimeout(0)
    const tunnel = new Tunnel(client, upstream, this.toPorts())
    exchange.tunnels(tunnel)
    exchange.endsAt(upgrade.expiresAtMs, () => {
      tunnel.endEarly(POLICY_VIOLATION, 'token expired')
    })
    tunnel.start({ fromClient: upgrade.early.take(), fromUpstream })
  }

  private toPorts(): TunnelPorts {
    const { opened: exchange, upgrade } = this
    const { clock, idleMs, protocol, upgraded } = upgrade
    upgraded(1)
    return {
      clock,
      idleMs,
      isWebSocket: protocol === WEB_SOCKET,
      moved(from, bytes) {
        if (from === 'client') exchange.requestBytes += bytes
        else exchange.responseBytes += bytes
      },
      over(how) {
        upgraded(-1)
        exchange.tunnelled(how)
      },
      idle: () => exchange.endTunnel(`nothing moved for ${idleMs} ms`),
    }
  }
}
