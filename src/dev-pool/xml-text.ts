// XML as AWS's older APIs answer it: elements that hold text or elements, no attributes. Text can never become an element.

export type XmlValue =
  string | number | boolean | undefined | XmlElements | readonly (XmlElements | string)[]

export interface XmlElements {
  readonly [name: string]: XmlValue
}

/** A list becomes one element of the name for each member; undefined none at all. */
export function toXmlText(elements: XmlElements): string {
  return Object.entries(elements)
    .flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value]).map((one) => toElement(name, one)),
    )
    .join('')
}

function toElement(name: string, value: XmlValue): string {
  if (value === undefined) return ''
  const inner =
    typeof value === 'object' ? toXmlText(value as XmlElements) : escapeXml(String(value))
  return `<${name}>${inner}</${name}>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

/** XML 1.0 has no way to write most control characters. */
function escapeXml(text: string): string {
  return text
    .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '')
    .replace(/\r/g, '&#13;')
    .replace(/[\ufffe\uffff]|(?![\t\n\r\x7f-\x9f])\p{Cc}/gu, '\ufffd')
}
