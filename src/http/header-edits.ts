// Changes that configuration makes to a list of fields: names that go, in every spelling, and lines that come.
import { normaliseFieldName, type RawHeaders } from './headers.ts'

export interface HeaderEdits {
  /** Normalised names of the fields that go. */
  readonly names: ReadonlySet<string>
  /** What is added: name, value, name, value … */
  readonly lines: RawHeaders
}

/** `set` replaces every form of a name. Undefined where there is nothing to change. */
export function compileHeaderEdits(
  set: Readonly<Record<string, string>> = {},
  remove: readonly string[] = [],
): HeaderEdits | undefined {
  const names = [...Object.keys(set), ...remove].map(normaliseFieldName)
  if (names.length === 0) return undefined
  return {
    names: new Set(names),
    lines: Object.entries(set).flatMap(([name, value]) => [name.toLowerCase(), value]),
  }
}

export function editHeaders(headers: RawHeaders, edits: HeaderEdits): string[] {
  return [...withoutFields(headers, edits), ...edits.lines]
}

/** The same without what is added: for fields outside a message's own head. */
export function withoutFields(headers: RawHeaders, { names }: HeaderEdits): string[] {
  return headers.filter((_, i) => !names.has(normaliseFieldName(headers[i - (i % 2)] as string)))
}
