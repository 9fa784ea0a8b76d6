// One request to a service of AWS: its caller's credentials, its body where that is signed too, its signature, and once more where AWS's
// clock is another. It goes signed, or not at all.
import {
  type AwsCredentials,
  type CredentialsResult,
  isNoCredentials,
} from '../aws/aws-credentials.ts'
import { type CanonicalTarget, toCanonicalTarget } from '../aws/canonical-target.ts'
import { findRefusal, payloadHashOf, saysLength, toAwsFields } from '../aws/request-fields.ts'
import { firstValue, type RawHeaders } from '../http/headers.ts'
import type { Allow } from '../policy/decision.ts'
import type { AwsCallParts, CredentialsOf } from './aws-call-parts.ts'
import { AwsRefusal, DoubtedAnswer, withoutInternals } from './aws-answer.ts'
import type { ResponseSink, UpstreamCall, UpstreamRequest } from './dispatch.ts'
import { toUnsigned, type UpstreamFailure } from './failure.ts'
import { type KeptBody, keepBody, toReadable } from './kept-body.ts'
import { LambdaSink, toLambdaRequest } from './lambda-call.ts'
import type { Reservation } from './memory-budget.ts'

/** A request as it would be sent unsigned. */
interface Prepared {
  readonly method: string
  readonly target: CanonicalTarget
  readonly headers: RawHeaders
  readonly body: Buffer | undefined
}

/** A class because there is one for each request: its methods are shared, where closures would be made anew. */
export class AwsCall implements ResponseSink, UpstreamCall {
  private readonly allow: Allow
  private readonly request: UpstreamRequest
  private readonly sink: ResponseSink
  private readonly parts: AwsCallParts
  private call: UpstreamCall | undefined
  private isOver = false
  private isResent = false
  private kept: KeptBody | undefined
  private doubted: DoubtedAnswer | undefined
  private readonly answerRoom: Reservation | undefined
  private refusal: AwsRefusal | undefined
  /** Method and place that were asked, without a query. */
  private sent = ''
  private again: (() => void) | undefined

  constructor(allow: Allow, request: UpstreamRequest, sink: ResponseSink, parts: AwsCallParts) {
    this.allow = allow
    this.request = request
    const { lambda } = parts.settings
    this.sink = sink
    if (lambda !== undefined) {
      this.answerRoom = parts.memory.reserve(ownerOf(allow))
      this.sink = new LambdaSink(sink, lambda, request.method === 'HEAD', this.answerRoom)
    }
    this.parts = parts
  }

  /** Nobody's credentials are asked for before it is known that they would sign something. */
  begin(credentialsOf: CredentialsOf): void {
    const target = toCanonicalTarget(this.parts.settings.prefix + this.request.target)
    const why = target === undefined ? 'its query is broken' : this.findRefusal(target)
    if (target === undefined || why !== undefined) this.refuse('refused', why ?? '')
    else if (this.lacksLength()) this.refuse('length', 'S3 has to be told how long a body is')
    else {
      const credentials = credentialsOf(this.allow, this.request.headers)
      if (credentials === 'login') this.refuse('login', 'no ID token of the caller')
      else this.orFail(this.proceed(credentials, target))
    }
  }

  private orFail(sent: Promise<void>): void {
    sent.catch((error: Error) =>
      this.failed({ kind: 'credentials', detail: `it cannot be signed: ${error.message}` }),
    )
  }

  private async proceed(
    given: CredentialsResult | Promise<CredentialsResult>,
    target: CanonicalTarget,
  ): Promise<void> {
    const credentials = await given
    if (this.isOver) return
    if (isNoCredentials(credentials)) return this.failed(toUnsigned(credentials))
    const body = await this.readBody()
    if (this.isOver) return
    await this.send(this.prepare(target, body), credentials)
  }

  private prepare(target: CanonicalTarget, body: Buffer | undefined): Prepared {
    const { method, headers } = this.request
    const { hidden, settings } = this.parts
    const plain = { method, target, headers, body }
    if (settings.lambda === undefined) return plain
    const shown = headers.filter((_, i) => !hidden.has(headers[i - (i % 2)]?.toLowerCase() ?? ''))
    return toLambdaRequest(
      settings.lambda,
      { ...plain, headers: shown },
      this.allow.principal,
      this.parts.clock.now(),
    )
  }

  private async send(prepared: Prepared, credentials: AwsCredentials): Promise<void> {
    const { settings, sign, offset, clock, hidden } = this.parts
    const { method, target, body } = prepared
    const { signed, lines } = toAwsFields(prepared.headers, settings, hidden)
    const fields = await sign(
      {
        ...target,
        method,
        headers: { host: settings.host, ...signed },
        body,
        payloadHash: settings.isS3 ? payloadHashOf(prepared.headers) : undefined,
      },
      credentials,
      clock.now() + offset.ms(),
    )
    if (this.isOver) return
    const isStreamed = this.streams() && this.request.body !== null
    if (!isStreamed) this.again = () => this.orFail(this.send(prepared, credentials))
    const { timeouts } = this.request
    const sent: UpstreamRequest = {
      method,
      target: target.path + target.query,
      headers: [...withLength(lines, body), ...Object.entries(fields).flat()],
      body: isStreamed ? this.request.body : body === undefined ? null : toReadable(body),
      timeouts,
    }
    this.sent = `${method} ${settings.host}${target.path}`
    this.call = this.parts.inner.dispatch(this.allow, sent, this)
  }

  private findRefusal(target: CanonicalTarget): string | undefined {
    const { method, headers } = this.request
    return findRefusal(method, target, headers, this.parts.settings)
  }

  private streams(): boolean {
    return this.parts.settings.isS3
  }

  private lacksLength(): boolean {
    const { body, headers } = this.request
    return this.streams() && body !== null && !saysLength(headers)
  }

  /** Where its hash goes ahead of it; undefined where there is none, or it goes as it comes. */
  private async readBody(): Promise<Buffer | undefined> {
    const { body } = this.request
    if (body === null || this.streams()) return undefined
    const { settings, memory } = this.parts
    this.kept = keepBody(body, settings.maxBody, memory.reserve(ownerOf(this.allow)))
    const whole = await this.kept.whole
    if (whole === 'too_large') this.refuse(whole, `more than ${settings.maxBody} bytes to be kept`)
    else if (whole === 'overloaded') this.refuse(whole, 'too much is kept for other requests')
    else return whole
    return undefined
  }

  private refuse(kind: UpstreamFailure['kind'], detail: string): void {
    this.failed({ kind, detail })
  }

  get asked(): UpstreamCall['asked'] {
    return this.call?.asked
  }

  /** Why AWS said no, for whoever runs the gateway: a client may get a status alone. */
  get said(): string | undefined {
    return this.refusal?.toText()
  }

  /** Called when the exchange is over, however it ended. */
  abort(): void {
    this.end()
    this.answerRoom?.release()
    this.call?.abort()
  }

  /** True when the sink is still to hear how it ended. */
  private end(): boolean {
    if (this.isOver) return false
    this.isOver = true
    this.letGo()
    return true
  }

  /** Of what could have been sent once more. */
  private letGo(): void {
    this.kept?.drop()
    this.again = undefined
  }

  resume(): void {
    this.call?.resume()
  }

  informed(status: number, headers: RawHeaders): void {
    if (!this.isOver) this.sink.informed(status, headers)
  }

  head(status: number, headers: RawHeaders): void {
    if (this.isOver) return
    const { offset, settings } = this.parts
    const isDoubted = status === 403 || status === 400
    if (!isDoubted || !offset.mayBeWrong(firstValue(headers, 'date'))) this.begun(status, headers)
    else {
      this.doubted = new DoubtedAnswer(status, headers)
      // There is no body to tell, and S3 says what it thinks of the time by nothing but its own.
      if (settings.isS3 && this.request.method === 'HEAD') this.settle(this.doubted, true)
    }
  }

  private begun(status: number, headers: RawHeaders): void {
    const { hideInternals, isApplication } = this.parts.settings
    this.letGo()
    if (status >= 400) this.refusal = new AwsRefusal(status, headers, this.sent, isApplication)
    this.sink.head(status, hideInternals ? withoutInternals(headers) : headers)
  }

  private settle(doubted: DoubtedAnswer, isAboutTime: boolean): void {
    this.doubted = undefined
    if (isAboutTime) {
      this.correct(doubted.headers)
      return
    }
    this.begun(doubted.status, doubted.headers)
    for (const chunk of doubted.chunks) this.data(chunk)
  }

  /** AWS refuses what was signed by a clock that is minutes off. What it says the time is is believed, and asked once more. */
  private correct(headers: RawHeaders): void {
    const { offset } = this.parts
    const { again } = this
    offset.correct(firstValue(headers, 'date'))
    this.call?.abort()
    if (again === undefined || this.isResent) {
      const detail = `AWS refused it, and its clock is ${Math.round(offset.ms() / 1_000)} s ahead of this one`
      this.failed({ kind: 'protocol', detail })
    } else {
      this.isResent = true
      again()
    }
  }

  data(chunk: Buffer): boolean {
    const { doubted } = this
    if (doubted !== undefined) {
      if (doubted.add(chunk)) this.settle(doubted, doubted.isAboutTime())
      return true
    }
    this.refusal?.add(chunk)
    return this.isOver || this.sink.data(chunk)
  }

  ended(trailers: RawHeaders): void {
    const { doubted } = this
    if (doubted !== undefined) {
      const isAboutTime = doubted.isAboutTime()
      this.settle(doubted, isAboutTime)
      if (isAboutTime) return
    }
    if (this.end()) this.sink.ended(trailers)
  }

  failed(failure: UpstreamFailure): void {
    if (this.end()) this.sink.failed(failure)
  }
}

/** As long as what is sent. */
function withLength(lines: RawHeaders, body: Buffer | undefined): RawHeaders {
  if (body === undefined) return lines
  const rest = lines.filter((_, i) => lines[i - (i % 2)]?.toLowerCase() !== 'content-length')
  return [...rest, 'content-length', String(body.length)]
}

/** Callers without a name share one. */
function ownerOf({ principal }: Allow): string {
  return principal === undefined ? '' : `${principal.userPool} ${principal.subject}`
}
