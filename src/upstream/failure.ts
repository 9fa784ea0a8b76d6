// Why an upstream did not answer, or not to the end. The HTTP client's error codes are translated here and nowhere else.
import type { NoCredentials } from '../aws/aws-credentials.ts'

export interface UpstreamFailure {
  readonly kind: 'unreachable' | 'protocol' | 'timeout' | 'overloaded' | UnsignedKind
  /** For the log alone. */
  readonly detail: string
  /** With which code an HTTP/2 upstream reset the request's stream (RFC 9113 section 7). */
  readonly resetCode?: number
  /** Seconds after which the client may try again. */
  readonly retryAfterSeconds?: number | undefined
}

/**
 * Why a request to AWS was never signed. `login`: it needs the caller's ID token. `denied`, `credentials`: there are no credentials for the
 * caller, or nobody can tell. `refused`: it asks for what is not signed here. `length`, `too_large`: of its body.
 */
export type UnsignedKind = 'login' | 'denied' | 'credentials' | 'refused' | 'length' | 'too_large'

export function toUnsigned({ kind, detail, retryAfterSeconds }: NoCredentials): UpstreamFailure {
  return { kind: kind === 'denied' ? 'denied' : 'credentials', detail, retryAfterSeconds }
}

const TIMEOUTS: readonly string[] = ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']

/** `sent`: whether the request had a connection, so that a failure is no longer one to reach the upstream. */
export function toUpstreamFailure(
  error: Error & { code?: string },
  sent: boolean,
): UpstreamFailure {
  const detail = error.code ? `${error.code}: ${error.message}` : error.message
  if (TIMEOUTS.includes(error.code ?? '')) return { kind: 'timeout', detail }
  return { kind: sent ? 'protocol' : 'unreachable', detail }
}
