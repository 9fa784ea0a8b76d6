// One connection that a test holds a conversation on: it sends some bytes, waits for some, and goes on.
import { connect, type Socket } from 'node:net'
import { eventually } from './eventually.ts'

export interface RawConnection {
  readonly socket: Socket
  send(bytes: string | Buffer): void
  /** Everything that came so far, one character a byte. */
  text(): string
  /** Resolves with everything so far once it matches. */
  until(pattern: RegExp): Promise<string>
  /** Resolves once the other side has ended or cut the connection. */
  closed(): Promise<'ended' | 'reset'>
}

/** `origin`: an http origin, or `unix:` and a path. */
export async function connectRaw(origin: string): Promise<RawConnection> {
  const socket = openSocket(origin)
  const chunks: string[] = []
  let end: 'ended' | 'reset' | undefined
  const text = () => chunks.join('')
  socket.on('data', (chunk) => chunks.push(chunk.toString('latin1')))
  socket.on('end', () => {
    end ??= 'ended'
  })
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => {
    end ??= 'reset'
  })
  return {
    socket,
    text,
    send: (bytes) => void socket.write(bytes, 'latin1'),
    until: (pattern) => eventually(`${pattern} in ${text()}`, () => pattern.test(text()) && text()),
    closed: () => eventually('the end of the connection', () => end),
  }
}

function openSocket(origin: string): Socket {
  if (origin.startsWith('unix:')) return connect(origin.slice(5))
  const { hostname, port } = new URL(origin)
  return connect(Number(port), hostname)
}
