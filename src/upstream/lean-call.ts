// One request on its way through the lean engine: waiting for a connection, on one, or over. It is over exactly once.
import type { ResponseSink, UpstreamCall, UpstreamRequest } from './dispatch.ts'
import type { UpstreamFailure } from './failure.ts'

/** What carries a call. */
interface Carrier {
  resume(): void
  close(why: string): void
}

/** A class because there is one for each request: its methods are shared, where closures would be made anew. */
export class LeanCall implements UpstreamCall {
  readonly request: UpstreamRequest
  readonly sink: ResponseSink
  /** Undefined while it waits, and once it is over. */
  connection: Carrier | undefined
  over = false
  /** Connections that ended before anything of it was sent. */
  lostConnections = 0
  /** The tick at which it has waited too long for a connection. */
  due = 0
  /** Whether it was sent before, and its connection lost; it is not sent a third time. */
  isResent = false
  private readonly release: () => void
  private readonly leaveQueue: (call: LeanCall) => void

  constructor(
    request: UpstreamRequest,
    sink: ResponseSink,
    release: () => void,
    leaveQueue: (call: LeanCall) => void,
  ) {
    this.request = request
    this.sink = sink
    this.release = release
    this.leaveQueue = leaveQueue
  }

  abort(): void {
    const { connection } = this
    if (!this.end()) return
    if (connection) connection.close('its request was let go of')
    else this.leaveQueue(this)
  }

  resume(): void {
    this.connection?.resume()
  }

  /** True when the sink is still to hear how it ended. */
  end(): boolean {
    if (this.over) return false
    this.over = true
    this.connection = undefined
    this.release()
    return true
  }

  fail(failure: UpstreamFailure): void {
    if (this.end()) this.sink.failed(failure)
  }
}
