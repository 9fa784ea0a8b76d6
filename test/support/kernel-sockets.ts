// What the kernel holds for IPv4 sockets of this machine: bytes that stand in its buffers are in nobody's memory, but under way.
import { readFileSync } from 'node:fs'

export interface KernelSocket {
  readonly localPort: number
  readonly remotePort: number
  /** Bytes that were written and not yet taken by the other side's kernel, and bytes that have come and were not read. */
  readonly bytes: number
  /** When a peer that is silent will be asked whether it is there; undefined where it never will. */
  readonly probeMs: number | undefined
}

/** Of the timer that stands in the fifth field: keepalive, as opposed to retransmission and the like. */
const KEEPALIVE = '02'
const JIFFY_MS = 10
const ESTABLISHED = '01'

/** Established connections with one of these ports at either end, each end by itself. */
export function kernelSockets(...ports: readonly number[]): KernelSocket[] {
  const sockets = []
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1, -1)) {
    const [, local = '', remote = '', state, queues = '', timer = ''] = line.trim().split(/\s+/)
    const [localPort, remotePort] = [toPort(local), toPort(remote)]
    if (state !== ESTABLISHED || !(ports.includes(localPort) || ports.includes(remotePort)))
      continue
    const [kind, jiffies = ''] = timer.split(':')
    sockets.push({
      localPort,
      remotePort,
      bytes: queues.split(':').reduce((sum, hex) => sum + Number.parseInt(hex, 16), 0),
      probeMs: kind === KEEPALIVE ? Number.parseInt(jiffies, 16) * JIFFY_MS : undefined,
    })
  }
  return sockets
}

function toPort(address: string): number {
  return Number.parseInt(address.slice(address.indexOf(':') + 1), 16)
}
