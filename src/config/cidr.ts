// Address ranges of trusted proxies, in the one form that the rest of the program sees.
import { isIP } from 'node:net'

/** `ADDRESS/PREFIX` (a bare address gets its full length), or undefined where the text is neither. */
export function parseCidr(text: string): string | undefined {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = address.includes('%') ? 0 : isIP(address)
  if (family === 0 || rest.length > 0) return undefined
  const bits = family === 4 ? 32 : 128
  if (prefix === undefined) return `${address}/${bits}`
  return /^(0|[1-9]\d{0,2})$/.test(prefix) && Number(prefix) <= bits ? text : undefined
}

/** Whether the range is the whole address space of its family. */
export function isEveryAddress(text: string): boolean {
  return parseCidr(text)?.endsWith('/0') ?? false
}
