// Sizes as configuration writes them (512B, 64KiB, 10MiB, 1GiB). Only powers of 1024: KB and MB mean two things.

/** What a size looks like: a whole number and its unit. */
export const SIZE_PATTERN = /^\d{1,9}(B|KiB|MiB|GiB)$/

const UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}

/** Bytes, or undefined where the text is not a size or is beyond 2^53. */
export function parseSize(text: string): number | undefined {
  const unit = SIZE_PATTERN.exec(text)?.[1]
  if (unit === undefined) return undefined
  const bytes = Number.parseInt(text, 10) * UNIT_BYTES[unit]!
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** The shortest way to write so many bytes with one unit. */
export function toSize(bytes: number): string {
  const fits = (unit: string) => bytes >= UNIT_BYTES[unit]! && bytes % UNIT_BYTES[unit]! === 0
  const unit = ['GiB', 'MiB', 'KiB'].find(fits) ?? 'B'
  return `${bytes / UNIT_BYTES[unit]!}${unit}`
}
