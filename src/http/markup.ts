// HTML by template: whatever is put in is text, and escaped here and nowhere else, except what came out of this same function.
// The tag is never named `html`: the formatter would then rewrite what is in it, and a style would no longer fit the hash of its policy.

/** HTML that may be put into a page as it is. */
export interface Markup {
  readonly html: string
}

export type MarkupPart = Markup | readonly Markup[] | string | number | undefined | false

/** A tagged template; undefined and false leave no trace. */
export function markup(texts: TemplateStringsArray, ...parts: readonly MarkupPart[]): Markup {
  const html = texts.map((text, index) => text + toHtml(parts[index])).join('')
  return { html }
}

function toHtml(part: MarkupPart): string {
  if (part === undefined || part === false) return ''
  if (Array.isArray(part)) return part.map(({ html }: Markup) => html).join('')
  return typeof part === 'object' ? (part as Markup).html : escapeHtml(String(part))
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
