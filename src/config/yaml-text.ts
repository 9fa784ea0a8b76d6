// Writes settings as YAML that loads to exactly these values: nothing in them is read as a reference.
import { Document, visit } from 'yaml'

export function toYamlText(settings: unknown): string {
  const document = new Document(settings, { keepUndefined: false })
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'string') node.value = node.value.replaceAll('$', '$$$$')
    },
  })
  return document.toString({ lineWidth: 0, blockQuote: false })
}
