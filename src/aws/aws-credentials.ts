// Credentials that requests to AWS are signed with, and why there are none. Nothing of them is ever logged.

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Undefined for credentials that are not temporary. */
  readonly sessionToken?: string | undefined
  /** Wall clock; Infinity for never. */
  readonly expiresAtMs: number
}

/** `denied`: this caller gets none. `unavailable`: nobody can tell now. */
export interface NoCredentials {
  readonly kind: 'denied' | 'unavailable'
  /** For the log alone. */
  readonly detail: string
  readonly retryAfterSeconds?: number | undefined
  /** Whether the next one may be told otherwise at any time. */
  readonly isPassing?: boolean
}

export type CredentialsResult = AwsCredentials | NoCredentials

export function isNoCredentials(result: CredentialsResult): result is NoCredentials {
  return 'kind' in result
}
