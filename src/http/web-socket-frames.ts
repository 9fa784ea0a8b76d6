// Follows where the frames of a WebSocket begin and end (RFC 6455 section 5.2), without looking into them, and writes the one frame that
// a gateway has to say: Close.
import { randomBytes } from 'node:crypto'

const CLOSE = 8
const MASKED = 0x80
const LENGTH_16 = 126
const LENGTH_64 = 127
const MASK_BYTES = 4

/** Reads one direction of a connection, from its first byte. */
export class FrameReader {
  /** A Close frame has begun: nothing may follow it. */
  isClosed = false
  private header: number[] = []
  private headerSize = 2
  private payload = 0

  /** Whether all that was read are whole frames. */
  get isBetweenFrames(): boolean {
    return this.payload === 0 && this.header.length === 0
  }

  /** Returns where in the chunk its first frame ends, or -1 when none does. */
  read(chunk: Buffer): number {
    let first = -1
    let at = 0
    while (at < chunk.length) {
      if (this.payload > 0) {
        const size = Math.min(this.payload, chunk.length - at)
        this.payload -= size
        at += size
      } else this.readHeader(chunk[at++] as number)
      if (first === -1 && this.isBetweenFrames) first = at
    }
    return first
  }

  private readHeader(byte: number): void {
    const { header } = this
    header.push(byte)
    if (header.length === 2) this.headerSize = toHeaderSize(byte)
    if (header.length < this.headerSize) return
    if (((header[0] as number) & 0x0f) === CLOSE) this.isClosed = true
    this.payload = toPayloadSize(header)
    this.header = []
    this.headerSize = 2
  }
}

function toHeaderSize(second: number): number {
  const length = second & ~MASKED
  const extended = length === LENGTH_64 ? 8 : length === LENGTH_16 ? 2 : 0
  return 2 + extended + (second & MASKED ? MASK_BYTES : 0)
}

function toPayloadSize(header: readonly number[]): number {
  const length = (header[1] as number) & ~MASKED
  const extended = length === LENGTH_64 ? 8 : length === LENGTH_16 ? 2 : 0
  if (extended === 0) return length
  return header.slice(2, 2 + extended).reduce((size, byte) => size * 256 + byte, 0)
}

/** A Close frame; one that a client sends is masked (RFC 6455 section 5.3). The reason is at most 123 bytes of ASCII. */
export function toCloseFrame(code: number, reason: string, isMasked: boolean): Buffer {
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)])
  if (!isMasked) return Buffer.concat([Buffer.from([0x80 | CLOSE, payload.length]), payload])
  const mask = randomBytes(MASK_BYTES)
  const masked = payload.map((byte, i) => byte ^ (mask[i % MASK_BYTES] as number))
  return Buffer.concat([Buffer.from([0x80 | CLOSE, MASKED | payload.length]), mask, masked])
}
