// A request that has to be over by a deadline, second attempts and bodies included. There is one only where a total time is set.
import type { Socket } from 'node:net'
import type { Clock, Timer } from '../base/clock.ts'
import type { RawHeaders } from '../http/headers.ts'
import type { ResponseSink, UpstreamCall } from './dispatch.ts'
import type { UpstreamFailure } from './failure.ts'

export class DeadlineCall implements ResponseSink, UpstreamCall {
  private readonly sink: ResponseSink
  private readonly timer: Timer
  private call: UpstreamCall | undefined
  private isOver = false

  constructor(sink: ResponseSink, totalMs: number, clock: Pick<Clock, 'after'>) {
    this.sink = sink
    this.timer = clock.after(totalMs, () => {
      this.abort()
      sink.failed({ kind: 'timeout', detail: `no whole response within ${totalMs} ms` })
    })
  }

  begin(dispatch: (sink: ResponseSink) => UpstreamCall): this {
    this.call = dispatch(this)
    return this
  }

  get asked(): UpstreamCall['asked'] {
    return this.call?.asked
  }

  abort(): void {
    this.end()
    this.call?.abort()
  }

  resume(): void {
    this.call?.resume()
  }

  informed(status: number, headers: RawHeaders): void {
    if (!this.isOver) this.sink.informed(status, headers)
  }

  head(status: number, headers: RawHeaders): void {
    if (!this.isOver) this.sink.head(status, headers)
  }

  /** A total time bounds the answer; what follows this one is none. */
  switched(headers: RawHeaders, socket: Socket, early: Buffer): void {
    this.timer.cancel()
    if (this.isOver) socket.destroy()
    else this.sink.switched?.(headers, socket, early)
  }

  data(chunk: Buffer): boolean {
    return this.isOver || this.sink.data(chunk)
  }

  ended(trailers: RawHeaders): void {
    if (this.end()) this.sink.ended(trailers)
  }

  failed(failure: UpstreamFailure): void {
    if (this.end()) this.sink.failed(failure)
  }

  /** True when the sink is still to hear how it ended. */
  private end(): boolean {
    if (this.isOver) return false
    this.isOver = true
    this.timer.cancel()
    return true
  }
}
