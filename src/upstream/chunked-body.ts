// Takes the chunked coding off a body as it comes (RFC 9112 section 7.1), strictly, and without copying it elsewhere.
import type { RawHeaders } from '../http/headers.ts'
import { BARE_LF, parseFields } from './response-head.ts'

const CR = 0x0d
const LF = 0x0a
const SEMICOLON = 0x3b

/** Enough for 2^48 bytes in one chunk. */
const MAX_SIZE_DIGITS = 12
const MAX_EXTENSION = 1024
const MAX_TRAILER = 16 * 1024

const EXTENSION =
  /^(?:;[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|"[\t !#-[\]-~]*"))?)*$/

type State = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailer' | 'done'

export class ChunkedBody {
  /** Why it cannot be read; nothing more is read then. */
  malformed: string | undefined
  trailers: RawHeaders = []
  /** Where the body ended in the last bytes given; what stands behind is not part of it. */
  endedAt = 0
  private state: State = 'size'
  private digits = 0
  private remaining = 0
  private text = ''

  get done(): boolean {
    return this.state === 'done'
  }

  /** Reads bytes[from, to) and moves the payload together at `from`; returns where the payload ends. */
  decode(bytes: Buffer, from: number, to: number): number {
    let payloadEnd = from
    let at = from
    while (at < to && this.state !== 'done' && this.malformed === undefined) {
      if (this.state === 'data') {
        const size = Math.min(this.remaining, to - at)
        if (payloadEnd !== at) bytes.copyWithin(payloadEnd, at, at + size)
        payloadEnd += size
        at += size
        this.remaining -= size
        if (this.remaining === 0) this.state = 'data-cr'
      } else if (this.state === 'trailer') at = this.readTrailer(bytes, at, to)
      else this.readByte(bytes[at++] as number)
    }
    this.endedAt = at
    return payloadEnd
  }

  private readByte(byte: number): void {
    if (this.state === 'size') this.readSize(byte)
    else if (this.state === 'extension') this.readExtension(byte)
    else if (this.state === 'data-cr' && byte === CR) this.state = 'data-lf'
    else if (this.state === 'data-lf' && byte === LF) this.state = 'size'
    else if (this.state === 'size-lf' && byte === LF) this.beginChunk()
    else this.malformed = 'end of line'
  }

  private readSize(byte: number): void {
    const digit = toDigit(byte)
    if (digit >= 0 && this.digits < MAX_SIZE_DIGITS) {
      this.remaining = this.remaining * 16 + digit
      this.digits++
    } else if (this.digits > 0 && byte === CR) this.state = 'size-lf'
    else if (this.digits > 0 && byte === SEMICOLON) {
      this.state = 'extension'
      this.text = ';'
    } else this.malformed = 'chunk size'
  }

  private readExtension(byte: number): void {
    if (byte !== CR && this.text.length < MAX_EXTENSION) this.text += String.fromCharCode(byte)
    else if (byte === CR && EXTENSION.test(this.text)) this.state = 'size-lf'
    else this.malformed = 'chunk extension'
  }

  private beginChunk(): void {
    this.state = this.remaining === 0 ? 'trailer' : 'data'
    this.digits = 0
    this.text = ''
  }

  /** Returns where it has read to. */
  private readTrailer(bytes: Buffer, at: number, to: number): number {
    const before = this.text.length
    this.text += bytes.toString('latin1', at, Math.min(to, at + MAX_TRAILER))
    const end = this.text.startsWith('\r\n') ? 2 : this.text.indexOf('\r\n\r\n') + 4
    if (end < 4 && end !== 2) {
      if (this.text.length >= MAX_TRAILER || BARE_LF.test(this.text)) this.malformed = 'trailer'
      return to
    }
    const trailers = end > MAX_TRAILER ? undefined : parseFields(this.text, 0, end - 2)
    if (trailers === undefined || trailers.some(isFraming)) this.malformed = 'trailer'
    else {
      this.trailers = trailers
      this.state = 'done'
    }
    return at + end - before
  }
}

/** RFC 9110 section 6.5.1: a trailer must not say how long the message is. */
function isFraming(text: string, i: number): boolean {
  return i % 2 === 0 && /^(?:content-length|transfer-encoding)$/i.test(text)
}

/** -1 for what is not a hexadecimal digit. */
function toDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
