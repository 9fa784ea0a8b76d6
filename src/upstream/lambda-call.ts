// Between HTTP and a function: the request becomes an event of the Invoke API, and what the function gives the answer that it means.
import { readAwsError } from '../aws/aws-error.ts'
import { type CanonicalTarget, toCanonicalTarget } from '../aws/canonical-target.ts'
import { readLambdaAnswer, toInvokeFailure } from '../aws/lambda-answer.ts'
import { toLambdaEvent } from '../aws/lambda-event.ts'
import { lambdaPath } from '../aws/lambda-path.ts'
import { createLambdaStream, type LambdaStream } from '../aws/lambda-stream.ts'
import { firstValue, type RawHeaders } from '../http/headers.ts'
import type { Principal } from '../policy/principal.ts'
import type { ResponseSink } from './dispatch.ts'
import type { UpstreamFailure } from './failure.ts'
import type { Reservation } from './memory-budget.ts'

export interface LambdaFunction {
  readonly name: string
  readonly streaming: boolean
}

interface HttpRequest {
  readonly method: string
  readonly target: CanonicalTarget
  readonly headers: RawHeaders
  readonly body: Buffer | undefined
}

export function toLambdaRequest(
  { name, streaming }: LambdaFunction,
  { method, target, headers, body }: HttpRequest,
  principal: Principal | undefined,
  nowMs: number,
): HttpRequest {
  const event = toLambdaEvent({
    method,
    target: target.path + target.query,
    headers,
    body,
    principal,
    nowMs,
  })
  return {
    method: 'POST',
    target: toCanonicalTarget(lambdaPath(name, streaming)) as CanonicalTarget,
    headers: ['content-type', 'application/json'],
    body: Buffer.from(event),
  }
}

const NO_ROOM: UpstreamFailure = {
  kind: 'overloaded',
  detail: 'too much is kept for other requests',
}
/** Of the event, in which a body that is no text takes a third more than itself. */
const TOO_LARGE: UpstreamFailure = { kind: 'too_large', detail: 'the Invoke API takes 6 MB' }
/** Bytes of a whole answer of Invoke; AWS gives 6 MB of text. */
const MAX_ANSWER = 16 * 1024 * 1024
/** What says that a function writes its own head first: its payload's type, or that of the events around it, which tells nothing. */
const WITH_HEAD = [
  'application/vnd.awslambda.http-integration-response',
  'application/vnd.amazon.eventstream',
]

/** A class because there is one for each request: its methods are shared, where closures would be made anew. */
export class LambdaSink implements ResponseSink {
  private readonly sink: ResponseSink
  private readonly streaming: boolean
  private readonly isHead: boolean
  private readonly room: Pick<Reservation, 'take'>
  private isRefused = false
  private status = 0
  private functionError: string | undefined
  private stream: LambdaStream | undefined
  private chunks: Buffer[] = []
  private bytes = 0
  private isHeld = false

  /**
   * @param isHead whether the client takes no body (RFC 9110 section 9.3.2)
   * @param room for an answer that is kept until it is whole, and until the client has taken it
   */
  constructor(
    sink: ResponseSink,
    { streaming }: LambdaFunction,
    isHead: boolean,
    room: Pick<Reservation, 'take'>,
  ) {
    this.sink = sink
    this.room = room
    this.isHead = isHead
    this.streaming = streaming
  }

  informed(): void {
    // Of the Invoke API, and nothing to the client.
  }

  head(status: number, headers: RawHeaders): void {
    this.status = status
    this.functionError = firstValue(headers, 'x-amz-function-error')
    if (this.streaming && status === 200) {
      this.stream = createLambdaStream(this.toTold(), isHttp(headers))
    }
  }

  data(chunk: Buffer): boolean {
    if (this.stream !== undefined) {
      this.isHeld = false
      this.stream.push(chunk)
      return !this.isHeld
    }
    if (this.isRefused) return true
    this.bytes += chunk.length
    if (this.bytes > MAX_ANSWER)
      this.refuse({ kind: 'protocol', detail: 'the function gave too much' })
    // Twice: what is read of it, and what is made of that.
    else if (!this.room.take(chunk.length * 2)) this.refuse(NO_ROOM)
    else this.chunks.push(Buffer.from(chunk))
    return true
  }

  private refuse(failure: UpstreamFailure): void {
    this.isRefused = true
    this.chunks = []
    this.sink.failed(failure)
  }

  ended(): void {
    if (this.isRefused) return
    if (this.stream !== undefined) this.stream.end()
    else if (this.status === 413) this.sink.failed(TOO_LARGE)
    else if (this.status !== 200) this.sink.failed(this.toRefusal())
    else this.answerWith(Buffer.concat(this.chunks))
  }

  failed(failure: UpstreamFailure): void {
    this.sink.failed(failure)
  }

  /** In AWS's own words, which are not the function's. */
  private toRefusal(): UpstreamFailure {
    const { kind, detail } = toInvokeFailure(this.status)
    const { shown, words } = readAwsError(Buffer.concat(this.chunks).toString('latin1', 0, 2_048))
    return { kind, detail: [detail, shown, words].filter(Boolean).join(': ') }
  }

  private answerWith(content: Buffer): void {
    this.chunks = []
    const given = readLambdaAnswer(this.status, this.functionError, content)
    if ('problem' in given) {
      this.fail(given.problem)
      return
    }
    this.sink.head(given.status, given.headers)
    if (given.body.length > 0 && !this.isHead) this.sink.data(given.body)
    this.sink.ended([])
  }

  private toTold() {
    return {
      head: (status: number, headers: string[]) => this.sink.head(status, headers),
      data: (chunk: Buffer) => {
        if (!this.isHead && !this.sink.data(Buffer.from(chunk))) this.isHeld = true
      },
      ended: () => this.sink.ended([]),
      failed: (problem: string) => this.fail(problem),
    }
  }

  private fail(detail: string): void {
    this.sink.failed({ kind: 'protocol', detail })
  }
}

function isHttp(headers: RawHeaders): boolean {
  const type = firstValue(headers, 'content-type') ?? ''
  return WITH_HEAD.some((known) => type.startsWith(known))
}
