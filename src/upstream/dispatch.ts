// The seam between the gateway and whatever speaks to an upstream: one request out, one response back as it comes.
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { RawHeaders } from '../http/headers.ts'
import type { UpstreamTimeouts } from '../policy/decision.ts'
import type { UpstreamFailure } from './failure.ts'

export interface UpstreamRequest {
  readonly method: string
  /** Path and query, byte for byte as matched. */
  readonly target: string
  readonly headers: RawHeaders
  readonly body: Readable | null
  /** What stands behind the body, asked once it has ended. HTTP/2 targets alone are sent it. */
  readonly trailers?: (() => RawHeaders) | undefined
  /** Whether the client takes trailers (RFC 9110 section 10.1.4). HTTP/2 targets alone are told: gRPC insists on it. */
  readonly takesTrailers?: boolean | undefined
  /** The route's, where they are not the upstream's. */
  readonly timeouts?: UpstreamTimeouts | undefined
  /** The protocol, in lower case, that the connection is to be upgraded to. */
  readonly upgrade?: string | undefined
}

/** Takes the response as it comes. After `failed` or `ended` nothing more is called. */
export interface ResponseSink {
  /** An interim response (RFC 9110 section 15.2); never 101. */
  informed(status: number, headers: RawHeaders): void
  head(status: number, headers: RawHeaders): void
  /**
   * The chunk is lent: after `true` its memory is used again at once; `false` keeps it, and holds the response back, until
   * `resume` is called.
   */
  data(chunk: Buffer): boolean
  ended(trailers: RawHeaders): void
  failed(failure: UpstreamFailure): void
  /**
   * The upstream speaks the protocol that the request asked for, instead of a response. The socket is paused and the sink's own;
   * `early` is what has come on it already.
   */
  switched?(headers: RawHeaders, socket: Socket, early: Buffer): void
}

export interface UpstreamCall {
  /** Which of several targets was asked last, and how many were; absent where there is only one. */
  readonly asked?: { readonly origin: string; readonly attempts: number } | undefined
  /** What the upstream said of a refusal, for the log alone. */
  readonly said?: string | undefined
  /** Lets go of the upstream; the sink hears nothing more. */
  abort(): void
  resume(): void
}

/** The call of a request that has failed before it was one. */
export const NO_CALL: UpstreamCall = { abort: () => undefined, resume: () => undefined }
