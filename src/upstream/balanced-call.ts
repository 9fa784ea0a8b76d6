// One request to one of several targets: tells how the target did, and asks another one when that is safe. Never more than two.
import type { Socket } from 'node:net'
import type { RawHeaders } from '../http/headers.ts'
import type { ResponseSink, UpstreamCall, UpstreamRequest } from './dispatch.ts'
import type { UpstreamFailure } from './failure.ts'
import { isRepeatable } from './repeatable.ts'
import type { Target } from './target.ts'

export interface BalancedCallPorts {
  /** Another target than `not`, where there is one. */
  choose(not: Target | undefined): Target | undefined
  succeeded(target: Target): void
  failed(target: Target, why: string): void
  /** Whether a second attempt is within what the upstream can bear. */
  mayRetry(): boolean
}

/** What a proxy or a server that is going down says (RFC 9110 sections 15.6.3 to 15.6.5). */
const GATEWAY_ERRORS: readonly number[] = [502, 503, 504]

/** A class because there is one for each request: its methods are shared, where closures would be made anew. */
export class BalancedCall implements ResponseSink, UpstreamCall {
  private readonly request: UpstreamRequest
  private readonly sink: ResponseSink
  private readonly ports: BalancedCallPorts
  private target: Target | undefined
  private call: UpstreamCall | undefined
  private isHeard = false
  private isRetried = false

  constructor(request: UpstreamRequest, sink: ResponseSink, ports: BalancedCallPorts) {
    this.request = request
    this.sink = sink
    this.ports = ports
  }

  begin(target: Target): void {
    this.target = target
    const call = target.dispatch(this.request, this)
    // It may have failed meanwhile, and gone to another one.
    if (this.target === target) this.call = call
  }

  get asked(): UpstreamCall['asked'] {
    const { target } = this
    return target && { origin: target.origin, attempts: this.isRetried ? 2 : 1 }
  }

  abort(): void {
    this.call?.abort()
  }

  resume(): void {
    this.call?.resume()
  }

  informed(status: number, headers: RawHeaders): void {
    this.isHeard = true
    this.sink.informed(status, headers)
  }

  head(status: number, headers: RawHeaders): void {
    this.isHeard = true
    const target = this.target as Target
    if (GATEWAY_ERRORS.includes(status)) this.ports.failed(target, `status ${status}`)
    else this.ports.succeeded(target)
    this.sink.head(status, headers)
  }

  switched(headers: RawHeaders, socket: Socket, early: Buffer): void {
    this.isHeard = true
    this.ports.succeeded(this.target as Target)
    this.sink.switched?.(headers, socket, early)
  }

  data(chunk: Buffer): boolean {
    return this.sink.data(chunk)
  }

  ended(trailers: RawHeaders): void {
    this.sink.ended(trailers)
  }

  /** Another target is the better choice where there is one, and is asked once this one has failed. */
  mayResend(): boolean {
    if (this.isRetried || this.ports.choose(this.target) !== undefined) return false
    this.isRetried = this.ports.mayRetry()
    return this.isRetried
  }

  failed(failure: UpstreamFailure): void {
    if (this.isTargets(failure)) {
      this.ports.failed(this.target as Target, `${failure.kind}: ${failure.detail}`)
    }
    const other = this.mayRepeat(failure) ? this.ports.choose(this.target) : undefined
    if (other !== undefined && this.ports.mayRetry()) {
      this.isRetried = true
      this.begin(other)
    } else this.sink.failed(failure)
  }

  /** A body that breaks off is its client's fault, and reads as a failure too. */
  private isTargets({ kind }: UpstreamFailure): boolean {
    return kind === 'unreachable' || (kind !== 'overloaded' && this.request.body === null)
  }

  /** A timeout has used up the client's patience. */
  private mayRepeat({ kind }: UpstreamFailure): boolean {
    if (this.isRetried || this.isHeard || !isRepeatable(this.request)) return false
    return kind === 'unreachable' || kind === 'protocol'
  }
}
