// One request to a service of AWS: its caller's credentials, its body where that is signed too, its signature, and once more where AWS's
// clock is another. It goes signed, or not at all.
import {
  type AwsCredentials,
  type CredentialsResult,
  isNoCredentials,
} from '../aws/aws-credentials.ts'
import { type CanonicalTarget, toCanonicalTarget } from '../aws/canonical-target.ts'
import {
  type FieldRules,
  findRefusal,
  payloadHashOf,
  saysLength,
  toAwsFields,
} from '../aws/request-fields.ts'
import type { SignV4 } from '../aws/sigv4.ts'
import type { Clock } from '../base/clock.ts'
import { firstValue, type RawHeaders } from '../http/headers.ts'
import type { Allow } from '../policy/decision.ts'
import { AwsRefusal, withoutInternals } from './aws-answer.ts'
import type { ClockOffset } from './clock-offset.ts'
import type { ResponseSink, UpstreamCall, UpstreamRequest } from './dispatch.ts'
import { toUnsigned, type UpstreamFailure } from './failure.ts'
import { type KeptBodies, type KeptBody, toReadable } from './kept-body.ts'
import { type LambdaFunction, LambdaSink, toLambdaRequest } from './lambda-call.ts'
import type { Upstream } from './upstream.ts'

export interface AwsUpstreamSettings extends FieldRules {
  readonly service: string
  readonly region: string
  /** Of the service itself. */
  readonly host: string
  /** What stands before every path; '' for nothing. */
  readonly prefix: string
  /** Bytes of a body that has to be read before it is sent. */
  readonly maxBody: number
  readonly hideInternals: boolean
  /** A function that is invoked with each request; undefined where the service speaks HTTP itself. */
  readonly lambda?: LambdaFunction | undefined
  /** Names, in lower case, of fields that AWS is not to see. */
  readonly hidden: readonly string[]
}

/** Whose credentials a request is signed with. */
export type CredentialsOf = (
  allow: Allow,
  headers: RawHeaders,
) => CredentialsResult | 'login' | Promise<CredentialsResult>

/** What the requests of one upstream share. */
export interface AwsCallParts {
  readonly settings: AwsUpstreamSettings
  readonly inner: Pick<Upstream, 'dispatch'>
  readonly clock: Clock
  readonly sign: SignV4
  readonly offset: ClockOffset
  readonly hidden: ReadonlySet<string>
  readonly kept: KeptBodies
}

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
  private refusal: AwsRefusal | undefined
  /** Method and place that were asked, without a query. */
  private sent = ''
  private again: (() => void) | undefined

  constructor(allow: Allow, request: UpstreamRequest, sink: ResponseSink, parts: AwsCallParts) {
    this.allow = allow
    this.request = request
    const { lambda } = parts.settings
    this.sink =
      lambda === undefined ? sink : new LambdaSink(sink, lambda, request.method === 'HEAD')
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
    const { settings, kept } = this.parts
    const read = await kept.read(body, () => this.isOver)
    if (read === 'too_large') this.refuse(read, `more than ${settings.maxBody} bytes to be kept`)
    else if (read === 'overloaded') this.refuse(read, 'the bodies of too many requests are kept')
    else if (this.isOver) read.release()
    else {
      this.kept = read
      return read.bytes
    }
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

  abort(): void {
    this.end()
    this.call?.abort()
  }

  /** What was kept of it is free again. True when the sink is still to hear how it ended. */
  private end(): boolean {
    if (this.isOver) return false
    this.isOver = true
    this.kept?.release()
    this.again = undefined
    return true
  }

  resume(): void {
    this.call?.resume()
  }

  informed(status: number, headers: RawHeaders): void {
    if (!this.isOver) this.sink.informed(status, headers)
  }

  head(status: number, headers: RawHeaders): void {
    if (this.isOver || this.isLate(status, headers)) return
    const { hideInternals } = this.parts.settings
    if (status >= 400) this.refusal = new AwsRefusal(status, headers, this.sent)
    this.sink.head(status, hideInternals ? withoutInternals(headers) : headers)
  }

  /** AWS refuses what was signed by a clock that is minutes off. What it says the time is is believed, and asked once more. */
  private isLate(status: number, headers: RawHeaders): boolean {
    const { offset } = this.parts
    if ((status !== 403 && status !== 400) || !offset.correct(firstValue(headers, 'date'))) {
      return false
    }
    const again = this.again
    this.call?.abort()
    if (again === undefined || this.isResent) {
      const detail = `AWS refused it, and its clock is ${Math.round(offset.ms() / 1_000)} s ahead of this one`
      this.failed({ kind: 'protocol', detail })
    } else {
      this.isResent = true
      again()
    }
    return true
  }

  data(chunk: Buffer): boolean {
    this.refusal?.add(chunk)
    return this.isOver || this.sink.data(chunk)
  }

  ended(trailers: RawHeaders): void {
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
