// Why a request cannot be read in one way only, as a value.

export interface Refusal {
  readonly refused: true
  readonly reason: 'target_ambiguous' | 'request_malformed'
  /** For the log alone. */
  readonly detail: string
}

export function toAmbiguous(detail: string): Refusal {
  return { refused: true, reason: 'target_ambiguous', detail }
}

export function toMalformed(detail: string): Refusal {
  return { refused: true, reason: 'request_malformed', detail }
}
