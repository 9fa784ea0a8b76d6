// Speaks to a listener byte by byte, so that a test can send what no HTTP library would.
import { connect } from 'node:net'

export interface RawAnswer {
  /** Everything that came back, one character a byte. */
  readonly text: string
  /** Status codes of the answers, in order. */
  readonly statuses: readonly number[]
  /** Whether the other side ended the connection. */
  readonly closed: boolean
}

/**
 * Sends the chunks one after the other, then reads until the other side closes, `until` says enough, or `quietMs` pass
 * without a byte.
 */
export function sendRaw(
  origin: string,
  chunks: string | Buffer | readonly (string | Buffer)[],
  options: { quietMs?: number; until?: (text: string) => boolean; end?: boolean } = {},
): Promise<RawAnswer> {
  const { quietMs = 1_000, until, end = false } = options
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname)
    const finish = (closed: boolean) => {
      socket.destroy()
      const statuses = [...text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map((match) => Number(match[1]))
      resolve({ text, statuses, closed })
    }
    socket.setTimeout(quietMs, () => finish(false))
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (until?.(text)) finish(false)
    })
    socket.on('end', () => finish(true))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') reject(error)
      else finish(true)
    })
    socket.on('connect', () => {
      const list = typeof chunks === 'string' || Buffer.isBuffer(chunks) ? [chunks] : chunks
      for (const chunk of list)
        socket.write(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk)
      if (end) socket.end()
    })
  })
}
