// One request, normalised once and then only read: what routing, decision and forwarding go by.
import type { RawHeaders } from './headers.ts'
import type { Host } from './host.ts'
import type { RequestTarget } from './request-target.ts'

export interface RequestFacts {
  readonly method: string
  readonly host: Host
  readonly target: RequestTarget
  /** As received, in order: name, value, name, value … */
  readonly headers: RawHeaders
  /** The value of the one Authorization field. */
  readonly authorization: string | undefined
  /** The protocol that it could be upgraded to, in lower case; undefined where nothing but an answer can follow. */
  readonly upgrade?: string | undefined
  /** Only the decision is asked for: whoever asks forwards the request itself. */
  readonly forwardedElsewhere?: boolean
  /** The caller's address: the peer's, or what trusted proxies say. */
  readonly clientAddress: string
  readonly peerAddress: string
  readonly peerTrusted: boolean
  /** Whether the caller's connection to us is TLS. */
  readonly secure: boolean
  /** Whether a body follows, by the framing fields. */
  readonly hasBody: boolean
  /** Bytes that Content-Length announces; undefined without one. */
  readonly contentLength: number | undefined
}
