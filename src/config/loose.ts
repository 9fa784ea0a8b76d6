// Looks into settings that may not have the shape they should: what is not there reads as empty.

export type Mapping = Readonly<Record<string, unknown>>

export function asMapping(value: unknown): Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Mapping)
    : {}
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The list itself, or the one value as a list. */
export function asTexts(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).filter((member) => typeof member === 'string')
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
