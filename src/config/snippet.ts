// The source line of a problem with a caret under the place. Shows the file's own text, so references stay references.

const WIDTH = 110
/** What a terminal would obey instead of show. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

/** @param column from 1 @param length of the marked text; what goes beyond the line is cut */
export function toSnippet(source: string, line: number, column: number, length: number): string {
  const text = (source.split('\n')[line - 1] ?? '').replace(CONTROL, ' ').trimEnd()
  const from = Math.max(0, Math.min(column - 20, text.length - WIDTH))
  const shown = text.slice(from, from + WIDTH)
  const at = Math.max(0, column - 1 - from)
  const carets = '^'.repeat(Math.max(1, Math.min(length, shown.length - at)))
  const number = String(line).padStart(5)
  return `${number} | ${shown}\n${' '.repeat(number.length)} | ${' '.repeat(at)}${carets}`
}
