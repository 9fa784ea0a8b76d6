// Bodies in S3's own chunks with a checksum behind them (STREAMING-UNSIGNED-PAYLOAD-TRAILER), as SDKs send streams. Nothing is guessed.

export interface Unchunked {
  readonly body: Buffer
  /** By names in lower case. */
  readonly trailers: ReadonlyMap<string, string>
}

/** Undefined for what is not whole, or not in this form. */
export function parseAwsChunked(raw: Buffer): Unchunked | undefined {
  const chunks: Buffer[] = []
  let at = 0
  for (;;) {
    const end = raw.indexOf('\r\n', at)
    const [, digits] =
      /^([0-9a-fA-F]{1,8})$/.exec(raw.toString('latin1', at, Math.max(end, at))) ?? []
    if (digits === undefined) return undefined
    const start = end + 2
    const size = Number.parseInt(digits, 16)
    if (size === 0) {
      const trailers = parseTrailers(raw.toString('latin1', start))
      return trailers && { body: Buffer.concat(chunks), trailers }
    }
    if (raw.toString('latin1', start + size, start + size + 2) !== '\r\n') return undefined
    chunks.push(raw.subarray(start, start + size))
    at = start + size + 2
  }
}

function parseTrailers(text: string): ReadonlyMap<string, string> | undefined {
  if (text !== '\r\n' && !text.endsWith('\r\n\r\n')) return undefined
  const trailers = new Map<string, string>()
  for (const line of text.split('\r\n').filter((each) => each !== '')) {
    const [, name, value] = /^([A-Za-z0-9-]+): *(\S+)$/.exec(line) ?? []
    if (name === undefined || value === undefined) return undefined
    trailers.set(name.toLowerCase(), value)
  }
  return trailers
}
