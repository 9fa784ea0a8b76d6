// Claim values as header values, so that each claim has one spelling and each spelling one claim. Nothing is cut or dropped.

const PLAIN = /^(?! )[ !-$&-+\--~]*(?<! )$/

/**
 * UTF-8, percent-encoded wherever a byte is neither visible ASCII nor an inner space, or is `%` or `,`.
 * `decodeURIComponent` gives the value back. Undefined, and so no header, for text with a lone surrogate: it has no UTF-8.
 */
export function encodeHeaderValue(value: string): string | undefined {
  if (PLAIN.test(value)) return value
  if (!value.isWellFormed()) return undefined
  const last = value.length - 1
  return value.replace(/[^!-$&-+\--~]/gu, (character, at: number) =>
    character === ' ' && at > 0 && at < last ? ' ' : encodeURIComponent(character),
  )
}

/**
 * Members joined with `,`, which no encoded member holds: splitting and decoding gives the list back.
 * Undefined, and so no header, for an empty list (an empty value is the list of one empty member) and where a member has no UTF-8.
 */
export function encodeHeaderList(values: readonly string[]): string | undefined {
  const encoded = values.map(encodeHeaderValue)
  return values.length === 0 || encoded.includes(undefined) ? undefined : encoded.join(',')
}
