// The ways a presented credential is refused, as values: a flood of bad tokens builds no exceptions.

export type TokenReason =
  | 'credential_ambiguous'
  | 'credential_missing'
  | 'credential_malformed'
  | 'token_malformed'
  | 'token_algorithm'
  | 'token_key_unknown'
  | 'token_signature'
  | 'token_issuer'
  | 'token_client'
  | 'token_use'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'keys_unavailable'
  | 'overloaded'

export interface Rejected {
  readonly rejected: true
  readonly reason: TokenReason
  /** Says which check failed and what was seen; for the log alone, never for the caller. */
  readonly detail: string
  /** Seconds after which the caller may try again; only with `keys_unavailable`. */
  readonly retryAfterSeconds?: number
}

export function toRejected(reason: TokenReason, detail: string): Rejected {
  return { rejected: true, reason, detail }
}

/** Client-made text for a log line: at most 64 characters, quoted and escaped. */
export function toQuoted(value: unknown): string {
  if (typeof value !== 'string') return value === null ? 'null' : typeof value
  return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value)
}
