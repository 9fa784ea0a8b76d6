// What InvokeWithResponseStream answers (application/vnd.amazon.eventstream), decoded as its bytes come. Holds one frame at most,
// and none of the memory that it is lent.
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { type ContentSink, createLambdaContent, parseObject } from './lambda-content.ts'

/**
 * Told once of the head, before any data; then of one end, `ended` or `failed`, and of nothing after it. A chunk's memory is lent
 * until `data` returns.
 */
export interface FunctionSink extends ContentSink {
  ended(): void
  /** With or without a head before it. The text repeats nothing of what the function wrote. */
  failed(problem: string): void
}

export interface LambdaStream {
  push(chunk: Buffer): void
  /** No more bytes will come. */
  end(): void
}

/** Of a frame, everything included; the format itself allows 24 MB. */
const FRAME_BYTES = 16 * 1024 * 1024
const LENGTH_BYTES = 4
/** Lengths, two checksums, and nothing else. */
const LEAST_FRAME_BYTES = 16

/** @param isHttpIntegration whether the function wrote its own head: Invoke says so by the payload's content type */
export function createLambdaStream(sink: FunctionSink, isHttpIntegration: boolean): LambdaStream {
  let over = false
  const finish = (problem: string | undefined): void => {
    if (over) return
    over = true
    if (problem === undefined) sink.ended()
    else sink.failed(problem)
  }
  const content = createLambdaContent(sink, isHttpIntegration)
  const take = ({ kind, payload }: StreamEvent): void => {
    if (kind === 'exception') finish('the invocation broke off')
    else if (kind === 'chunk') {
      const wrong = content.add(payload)
      if (wrong !== undefined) finish(wrong.problem)
    } else if (kind === 'complete') {
      finish(hasFailed(payload) ? 'the function failed' : content.close()?.problem)
    }
  }
  const codec = new EventStreamCodec(toText, toBytes)
  const frames = createFrames((frame) => {
    if (over) return
    const event = decode(codec, frame)
    if (event === undefined) finish('the stream is not what InvokeWithResponseStream sends')
    else take(event)
  })
  return {
    push: (chunk) => {
      if (!over && !frames.add(chunk)) finish('a frame of the stream is too long, or too short')
    },
    end: () => finish('the stream ended before the invocation did'),
  }
}

interface Frames {
  /** False for bytes that cannot begin a frame, or begin one that is too long. */
  add(chunk: Buffer): boolean
}

/** Cuts bytes into frames. What stands whole in a chunk is not copied. */
function createFrames(take: (frame: Buffer) => void): Frames {
  const length = Buffer.alloc(LENGTH_BYTES)
  let held: Buffer | undefined
  let filled = 0
  const begin = (chunk: Buffer): Buffer | undefined | 'refused' => {
    const taken = chunk.copy(length, filled)
    filled += taken
    if (filled < LENGTH_BYTES) return undefined
    const bytes = length.readUInt32BE(0)
    if (bytes < LEAST_FRAME_BYTES || bytes > FRAME_BYTES) return 'refused'
    held = Buffer.allocUnsafeSlow(bytes)
    length.copy(held)
    return chunk.subarray(taken)
  }
  /** What of the chunk belongs to a later frame. */
  const fill = (frame: Buffer, chunk: Buffer): Buffer => {
    const taken = chunk.copy(frame, filled)
    filled += taken
    if (filled === frame.length) {
      held = undefined
      filled = 0
      take(frame)
    }
    return chunk.subarray(taken)
  }
  return {
    add: (chunk) => {
      let rest = chunk
      while (rest.length > 0) {
        const whole = filled === 0 ? wholeFrame(rest) : undefined
        if (whole !== undefined) {
          rest = rest.subarray(whole.length)
          take(whole)
        } else if (held !== undefined) rest = fill(held, rest)
        else {
          const left = begin(rest)
          if (left === 'refused') return false
          if (left === undefined) return true
          rest = left
        }
      }
      return true
    },
  }
}

function wholeFrame(bytes: Buffer): Buffer | undefined {
  const length = bytes.length < LENGTH_BYTES ? 0 : bytes.readUInt32BE(0)
  const isWhole = length >= LEAST_FRAME_BYTES && length <= FRAME_BYTES && length <= bytes.length
  return isWhole ? bytes.subarray(0, length) : undefined
}

interface StreamEvent {
  readonly kind: 'chunk' | 'complete' | 'exception' | 'other'
  readonly payload: Buffer
}

/** Undefined for a frame that is damaged. An event that is not known yet is none to fail for. */
function decode(codec: EventStreamCodec, frame: Buffer): StreamEvent | undefined {
  try {
    const { headers, body } = codec.decode(frame)
    const payload = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    if (headers[':message-type']?.value !== 'event') return { kind: 'exception', payload }
    const type = headers[':event-type']?.value
    if (type === 'PayloadChunk') return { kind: 'chunk', payload }
    return { kind: type === 'InvokeComplete' ? 'complete' : 'other', payload }
  } catch {
    return undefined
  }
}

function toText(bytes: Uint8Array | string): string {
  return typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')
}

function toBytes(text: string): Uint8Array {
  return Buffer.from(text, 'utf8')
}

/** `ErrorCode` stands in InvokeComplete when the function failed; what cannot be read is no good end either. */
function hasFailed(payload: Buffer): boolean {
  if (payload.length === 0) return false
  const result = parseObject(payload)
  return result === undefined || (result.ErrorCode !== undefined && result.ErrorCode !== null)
}
