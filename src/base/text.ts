// What strings are to V8, where it matters for speed or memory.

/** A string of its own: a slice keeps all the text that it was cut from in memory. For text of one character a byte. */
export function copyText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/**
 * FNV-1a of text from `from` on, 30 bits, so that it is a small integer. For telling texts apart quickly before they are compared:
 * a Map with text for keys would hash and intern each text that it is asked for, which costs ten times as much.
 */
export function hashText(text: string, from = 0): number {
  let hash = 0x811c9dc5
  for (let i = from; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  }
  return (hash >>> 2) ^ (hash & 3)
}
