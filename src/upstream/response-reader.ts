// Reads responses out of the bytes of one connection: heads, interim ones too, and bodies by their framing. Refuses any doubt.
import type { RawHeaders } from '../http/headers.ts'
import { ChunkedBody } from './chunked-body.ts'
import { MAX_RESPONSE_HEAD } from './engine.ts'
import { BARE_LF, parseResponseHead, type ResponseHead } from './response-head.ts'

/** What a response turns out to be; any of them may call `stop`, and then hears nothing more. */
export interface ResponseEvents {
  informed(head: ResponseHead): void
  head(head: ResponseHead): void
  /** bytes[from, to) of the body; never empty. */
  data(bytes: Buffer, from: number, to: number): void
  /** `reusable`: whether another request may follow on the connection. */
  complete(trailers: RawHeaders, reusable: boolean): void
  malformed(what: string): void
  /** A 101 to a request that asked for one; `early`: what came behind it. Nothing more is read. */
  switched?(head: ResponseHead, early: Buffer): void
}

type State = 'nothing' | 'head' | 'length' | 'chunked' | 'until-close'

/** Nearly every head is shorter. */
const PEEK = 4096
const BEGINNING = 'HTTP/1.'

export class ResponseReader {
  private state: State = 'nothing'
  private readonly events: ResponseEvents
  private method = ''
  private upgrades = false
  private partial: Buffer | undefined
  private chunks: ChunkedBody | undefined
  private remaining = 0
  private reusable = false

  constructor(events: ResponseEvents) {
    this.events = events
  }

  get awaitsHead(): boolean {
    return this.state === 'head'
  }

  /** A request with this method was sent; `upgrades`: a 101 may be the answer to it. */
  expect(method: string, upgrades = false): void {
    this.upgrades = upgrades
    this.state = 'head'
    this.method = method
  }

  stop(): void {
    this.state = 'nothing'
    this.partial = undefined
    this.chunks = undefined
  }

  /** Reads buffer[0, size). The buffer may change: chunks are moved together in it. */
  read(buffer: Buffer, size: number): void {
    const { partial } = this
    const bytes = partial ? Buffer.concat([partial, buffer.subarray(0, size)]) : buffer
    const to = partial ? bytes.length : size
    this.partial = undefined
    let at = 0
    while (this.state === 'head' && at < to) at = this.readHead(bytes, at, to)
    if (at === to) return
    if (this.state === 'chunked') this.readChunks(bytes, at, to)
    else if (this.state !== 'nothing') this.readPlain(bytes, at, to)
    else if (at === 0) this.events.malformed('bytes that nobody asked for')
  }

  /** The upstream sends nothing more. False when that leaves a response unfinished. */
  end(): boolean {
    if (this.state !== 'until-close') return this.state === 'nothing'
    this.complete([], false)
    return true
  }

  /** Returns where it has read to. */
  private readHead(bytes: Buffer, at: number, to: number): number {
    const text = peek(bytes, at, to)
    const end = text.indexOf('\r\n\r\n')
    if (end === -1) {
      const problem = findProblem(text, to - at)
      if (problem !== undefined) this.refuse(problem)
      else this.partial = Buffer.from(bytes.subarray(at, to))
      return to
    }
    const head = parseResponseHead(text, end + 2)
    const next = at + end + 4
    if ('malformed' in head) this.refuse(head.malformed)
    else if (head.status >= 200) this.beginResponse(head, next < to)
    else if (head.status === 101 && this.upgrades) {
      this.stop()
      this.events.switched?.(head, bytes.subarray(next, to))
      return to
    } else if (head.status === 101) this.refuse('a switch of protocols')
    // Nobody waits for a 100 here: clients were told to go on before.
    else if (head.status !== 100) this.events.informed(head)
    return next
  }

  private beginResponse(head: ResponseHead, hasMore: boolean): void {
    const isBodyless = this.method === 'HEAD' || head.status === 204 || head.status === 304
    const announces = head.chunked || head.contentLength > 0
    // Whether a 204 or 304 that announces a body has one is something that upstreams differ in.
    this.reusable = head.persistent && !(isBodyless && announces && this.method !== 'HEAD')
    this.remaining = isBodyless ? 0 : head.contentLength
    this.state = 'length'
    if (!isBodyless && head.chunked) {
      this.state = 'chunked'
      this.chunks = new ChunkedBody()
    } else if (this.remaining === -1) this.state = 'until-close'
    this.events.head(head)
    if (this.state === 'length' && this.remaining === 0) this.complete([], !hasMore)
  }

  private readPlain(bytes: Buffer, from: number, to: number): void {
    const isLast = this.state === 'length' && this.remaining <= to - from
    const end = isLast ? from + this.remaining : to
    this.remaining -= end - from
    this.events.data(bytes, from, end)
    if (isLast) this.complete([], end === to)
  }

  private readChunks(bytes: Buffer, from: number, to: number): void {
    const chunks = this.chunks as ChunkedBody
    const end = chunks.decode(bytes, from, to)
    if (end > from) this.events.data(bytes, from, end)
    if (chunks.malformed !== undefined) this.refuse(chunks.malformed)
    else if (chunks.done) this.complete(chunks.trailers, chunks.endedAt === to)
  }

  private complete(trailers: RawHeaders, isExact: boolean): void {
    if (this.state === 'nothing') return
    const reusable = this.reusable && isExact && this.state !== 'until-close'
    this.stop()
    this.events.complete(trailers, reusable)
  }

  private refuse(what: string): void {
    if (this.state !== 'nothing') this.events.malformed(what)
  }
}

/** Text that holds the whole head, if the whole head is there and not too long. */
function peek(bytes: Buffer, at: number, to: number): string {
  const text = bytes.toString('latin1', at, Math.min(to, at + PEEK))
  const isEnough = to - at <= PEEK || text.includes('\r\n\r\n')
  return isEnough ? text : bytes.toString('latin1', at, Math.min(to, at + MAX_RESPONSE_HEAD))
}

/** What is wrong already with a head of which `size` bytes have come: nobody should have to wait for the rest of it. */
function findProblem(text: string, size: number): string | undefined {
  if (size > MAX_RESPONSE_HEAD) return 'too long a head'
  if (BARE_LF.test(text)) return 'end of line'
  if (!BEGINNING.startsWith(text.slice(0, BEGINNING.length))) return 'version'
  const linesEnd = text.lastIndexOf('\r\n') + 2
  if (linesEnd > 2 && /[ \t]/.test(text.charAt(linesEnd))) return 'a folded line'
  const head = linesEnd > 2 ? parseResponseHead(text, linesEnd) : undefined
  return head !== undefined && 'malformed' in head ? head.malformed : undefined
}
