// Durations as configuration writes them (500ms, 5s, 10m, 24h). Never guesses a unit: a bare number is no duration.

/** What a duration looks like: a whole number and its unit. */
export const DURATION_PATTERN = /^\d{1,9}(ms|s|m|h)$/

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** Milliseconds, or undefined where the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  const unit = DURATION_PATTERN.exec(text)?.[1]
  return unit === undefined ? undefined : Number.parseInt(text, 10) * UNIT_MS[unit]!
}

/** The shortest way to write so many milliseconds with one unit. */
export function toDuration(ms: number): string {
  const unit = ['h', 'm', 's'].find((name) => ms >= UNIT_MS[name]! && ms % UNIT_MS[name]! === 0)
  return unit === undefined ? `${ms}ms` : `${ms / UNIT_MS[unit]!}${unit}`
}
