// One direction of a tunnel.
import type { Socket } from 'node:net'
import { FrameReader } from '../http/web-socket-frames.ts'

export interface FlowPorts {
  readonly moved: (bytes: number) => void
  /** Its sender has ended; true when that is how such a connection ends. */
  readonly mayEnd: () => boolean
  /** Nothing more goes this way. */
  readonly over: () => void
}

export class TunnelFlow {
  isOver = false
  private readonly from: Socket
  private readonly to: Socket
  private readonly frames: FrameReader | undefined
  private readonly ports: FlowPorts
  /** What is said as soon as a frame ends. */
  private last: Buffer | undefined

  constructor(from: Socket, to: Socket, isWebSocket: boolean, ports: FlowPorts) {
    this.from = from
    this.to = to
    this.frames = isWebSocket ? new FrameReader() : undefined
    this.ports = ports
  }

  /** A Close has passed: what comes after it is nothing that its receiver waits for. */
  get isClosed(): boolean {
    return this.frames?.isClosed === true
  }

  start(early: Buffer): void {
    const { from, to } = this
    from.on('data', (chunk: Buffer) => this.pass(chunk))
    from.on('end', () => {
      if (!this.isOver && this.ports.mayEnd()) this.end()
    })
    from.on('error', () => undefined)
    to.on('drain', () => from.resume())
    if (early.length > 0) this.pass(early)
    if (!to.writableNeedDrain) from.resume()
  }

  /** Says `last` between two frames and ends; where there are no frames, or one has closed, it ends at once. */
  endWith(last: Buffer): void {
    if (this.isOver) return
    if (this.frames === undefined || this.isClosed) this.end()
    else if (this.frames.isBetweenFrames) this.sayLast(last)
    else this.last = last
  }

  private pass(chunk: Buffer): void {
    if (this.isOver) return
    this.ports.moved(chunk.length)
    const frameEnd = this.frames?.read(chunk) ?? -1
    if (this.last !== undefined && frameEnd !== -1) {
      this.to.write(chunk.subarray(0, frameEnd))
      if (this.isClosed) this.end()
      else this.sayLast(this.last)
    } else if (!this.to.write(chunk)) this.from.pause()
  }

  private sayLast(last: Buffer): void {
    this.to.write(last)
    this.end()
  }

  private end(): void {
    if (this.isOver) return
    this.isOver = true
    this.to.end()
    // What still comes is dropped, so that its end is seen.
    this.from.resume()
    this.ports.over()
  }
}
