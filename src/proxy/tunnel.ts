// Two connections joined after a 101: bytes go both ways untouched, at the pace of whoever takes them, until both sides have ended or one
// breaks off. Of a WebSocket the frames are followed, so that a Close can be said between two of them.
import type { Socket } from 'node:net'
import type { Clock, Timer } from '../base/clock.ts'
import { toCloseFrame } from '../http/web-socket-frames.ts'
import { TunnelFlow } from './tunnel-flow.ts'

export type Broken = 'client_aborted' | 'upstream_truncated'

export interface TunnelPorts {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  /** It is ended when nothing moves either way for so long. */
  readonly idleMs: number
  readonly isWebSocket: boolean
  readonly moved: (from: 'client' | 'upstream', bytes: number) => void
  /** Called once. `whole`: both sides have ended, or were told why. */
  readonly over: (how: 'whole' | Broken) => void
  /** Nothing has moved for `idleMs`. */
  readonly idle: () => void
}

/** Why a WebSocket is closed (RFC 6455 section 7.4.1). */
export const GOING_AWAY = 1001
export const POLICY_VIOLATION = 1008

/** How long a frame that has begun may take to end, and a Close to be answered. */
const CLOSING_MS = 1_000

export class Tunnel {
  private readonly client: Socket
  private readonly upstream: Socket
  private readonly ports: TunnelPorts
  private readonly fromClient: TunnelFlow
  private readonly fromUpstream: TunnelFlow
  private movedAtMs: number
  private timer: Timer | undefined
  private isOver = false

  constructor(client: Socket, upstream: Socket, ports: TunnelPorts) {
    this.client = client
    this.upstream = upstream
    this.ports = ports
    this.movedAtMs = ports.clock.monotonic()
    const { isWebSocket } = ports
    const over = () => this.flowOver()
    this.fromClient = new TunnelFlow(client, upstream, isWebSocket, {
      moved: (bytes) => this.moved('client', bytes),
      mayEnd: () => this.mayEnd('client_aborted'),
      over,
    })
    this.fromUpstream = new TunnelFlow(upstream, client, isWebSocket, {
      moved: (bytes) => this.moved('upstream', bytes),
      mayEnd: () => this.mayEnd('upstream_truncated'),
      over,
    })
    client.on('close', () => this.lost('client_aborted', this.fromUpstream))
    upstream.on('close', () => this.lost('upstream_truncated', this.fromClient))
  }

  /** Begins with what either side has sent already. */
  start(early: { readonly fromClient: Buffer; readonly fromUpstream: Buffer }): void {
    this.fromUpstream.start(early.fromUpstream)
    this.fromClient.start(early.fromClient)
    this.watch(this.ports.idleMs)
  }

  /** Ends both sides as soon as a frame ends, and cuts them when none does. */
  endEarly(code: number, reason: string): void {
    if (this.isOver) return
    this.timer?.cancel()
    this.timer = this.ports.clock.after(CLOSING_MS, () => this.cut())
    this.fromUpstream.endWith(toCloseFrame(code, reason, false))
    this.fromClient.endWith(toCloseFrame(GOING_AWAY, '', true))
  }

  private moved(from: 'client' | 'upstream', bytes: number): void {
    this.movedAtMs = this.ports.clock.monotonic()
    this.ports.moved(from, bytes)
  }

  private watch(ms: number): void {
    const { clock, idleMs, idle } = this.ports
    this.timer = clock.after(ms, () => {
      const leftMs = this.movedAtMs + idleMs - clock.monotonic()
      if (leftMs > 0) this.watch(leftMs)
      else idle()
    })
  }

  /** A WebSocket ends with a Close of either side; without one it is broken off (RFC 6455 section 7.1.5). */
  private mayEnd(how: Broken): boolean {
    const { fromClient, fromUpstream } = this
    if (!this.ports.isWebSocket || fromClient.isClosed || fromUpstream.isClosed) return true
    this.end(how)
    this.cut()
    return false
  }

  private flowOver(): void {
    if (!this.fromClient.isOver || !this.fromUpstream.isOver) return
    // Who has been told the end may still have to answer; nobody waits for that for long.
    this.timer?.cancel()
    this.timer = this.ports.clock.after(CLOSING_MS, () => this.cut())
    this.end('whole')
  }

  /** One side is gone: the other one is not left alone. */
  private lost(how: Broken, toIt: TunnelFlow): void {
    // Whoever has been sent all that there was for it may leave.
    this.end(toIt.isOver || toIt.isClosed ? 'whole' : how)
    this.cut()
  }

  private end(how: 'whole' | Broken): void {
    if (this.isOver) return
    this.isOver = true
    this.ports.over(how)
  }

  private cut(): void {
    this.timer?.cancel()
    this.client.destroy()
    this.upstream.destroy()
  }
}
