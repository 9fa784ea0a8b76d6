// One part of an explanation: what was looked at, and what came of each check. Never holds a signature or a whole token.
import type { DenyReason } from '../policy/decision.ts'

export interface Check {
  /** `info` where nothing could fail. */
  readonly result: 'ok' | 'no' | 'info'
  readonly what: string
  readonly detail: string
  /** Why it denies; only with `no`. */
  readonly reason?: DenyReason
}

export interface Step {
  readonly title: string
  readonly checks: readonly Check[]
}

export function toInfo(what: string, detail: string): Check {
  return { result: 'info', what, detail }
}

export function toOk(what: string, detail: string): Check {
  return { result: 'ok', what, detail }
}

/** `no` where there is a refusal, else `ok` with what was seen. */
export function toCheck(
  what: string,
  refusal: { readonly reason: DenyReason; readonly detail: string } | undefined,
  seen = '',
): Check {
  if (refusal === undefined) return toOk(what, seen)
  return { result: 'no', what, detail: refusal.detail, reason: refusal.reason }
}
