// A session as the text that is sealed. What is read back is what was written, or nothing.
import type { Session } from './session.ts'

export function toSessionText(session: Session): string {
  return JSON.stringify(session)
}

/** Undefined for what no session was ever written as. */
export function parseSession(text: string): Session | undefined {
  const value = parseObject(text)
  if (value === undefined) return undefined
  const { id, subject, tokens, tokensEndMs, createdMs, seenMs, endsMs } = value
  const isWhole =
    typeof id === 'string' &&
    typeof subject === 'string' &&
    typeof tokens === 'object' &&
    tokens !== null &&
    [tokensEndMs, createdMs, seenMs, endsMs].every(Number.isFinite)
  return isWhole ? (value as unknown as Session) : undefined
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
