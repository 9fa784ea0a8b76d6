// The engine for everything that the lean one does not speak: undici's low-level dispatch, streamed both ways, raw header lists, no
// redirect. A request is sent twice only where its connection was closed before a byte of the answer came.
import { type buildConnector, type Dispatcher, Pool } from 'undici'
import type { Clock, Timer } from '../base/clock.ts'
import type { RawHeaders } from '../http/headers.ts'
import type { ResponseSink, UpstreamCall, UpstreamRequest } from './dispatch.ts'
import {
  type Engine,
  type EngineSettings,
  MAX_RESPONSE_FIELDS,
  MAX_RESPONSE_HEAD,
  type MayResend,
  NEVER_RESENT,
  toQueuedTooLong,
} from './engine.ts'
import { toUpstreamFailure } from './failure.ts'
import { isTls, isUnix, openSocket } from './open-socket.ts'
import { isRepeatable } from './repeatable.ts'

/** Always the same: where it changes undici ends its connections. */
const SERVER_NAME = { servername: 'upstream' }

const ABORTED = new Error('the client is gone')

/** How the end of a connection reads where nothing else is known of it. */
const LOST: readonly (string | undefined)[] = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']

export function createUndiciEngine(
  settings: EngineSettings,
  clock: Pick<Clock, 'after'>,
  mayResend: MayResend = NEVER_RESENT,
): Engine {
  const { connections, queueMs } = settings
  let active = 0
  const options: Pool.Options = {
    connections: settings.connections,
    pipelining: 1,
    allowH2: false,
    connect: createConnector(settings, clock),
    headersTimeout: settings.responseMs,
    bodyTimeout: settings.idleMs,
    keepAliveTimeout: settings.keepAliveMs,
    maxHeaderSize: MAX_RESPONSE_HEAD,
    strictContentLength: true,
  }
  const origin = isUnix(settings.target) ? 'http://localhost' : settings.target
  const pool = new Pool(origin, options)
  /** Without pipelining, undici keeps no connection: each request has a new one. */
  const unkept = new Pool(origin, { ...options, pipelining: 0 })
  const ports: UndiciPorts = { unkept, mayResend }
  return {
    dispatch(request, sink, release) {
      const call = new UndiciCall(request, sink, ports, () => {
        active--
        release()
      })
      if (++active > connections) call.waitUntil(clock, queueMs)
      call.begin(pool)
      return call
    },
    /** What the first loses goes to the second. */
    async close() {
      await pool.close()
      if (!unkept.destroyed) await unkept.close()
    },
    async destroy() {
      await Promise.all([pool.destroy(), unkept.destroy()])
    },
  }
}

/** undici's own would take the name for the certificate from the Host of the request at hand, which is the client's to choose. */
function createConnector(
  settings: EngineSettings,
  clock: Pick<Clock, 'after'>,
): buildConnector.connector {
  const { connectMs } = settings
  return (_, callback) => {
    const socket = openSocket(settings, settings.tls ?? {}, 'http/1.1')
    const timer = clock.after(connectMs, () =>
      socket.destroy(new Error(`no connection within ${connectMs} ms`)),
    )
    const onError = (error: Error) => {
      timer.cancel()
      callback(error, null)
    }
    socket.once('error', onError)
    socket.once(isTls(settings.target) ? 'secureConnect' : 'connect', () => {
      timer.cancel()
      socket.off('error', onError)
      callback(null, socket)
    })
  }
}

interface UndiciPorts {
  readonly unkept: Pool
  readonly mayResend: MayResend
}

/** A class because there is one for each request: its methods are shared, where closures would be made anew. */
class UndiciCall implements UpstreamCall, Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined
  private aborted = false
  private done = false
  private timer: Timer | undefined
  private isHeard = false
  private isResent = false
  private readonly request: UpstreamRequest
  private readonly sink: ResponseSink
  private readonly release: () => void
  private readonly ports: UndiciPorts

  constructor(
    request: UpstreamRequest,
    sink: ResponseSink,
    ports: UndiciPorts,
    release: () => void,
  ) {
    this.request = request
    this.sink = sink
    this.release = release
    this.ports = ports
  }

  /** Gives up when it has no connection by then. */
  waitUntil(clock: Pick<Clock, 'after'>, queueMs: number): void {
    this.timer = clock.after(queueMs, () => {
      const isHeard = this.finish()
      this.abort()
      if (isHeard) this.sink.failed(toQueuedTooLong(queueMs))
    })
  }

  begin(pool: Pool): void {
    const { method, target, headers, body, timeouts } = this.request
    const options = { path: target, method: method as Dispatcher.HttpMethod, body }
    const times = timeouts && { headersTimeout: timeouts.responseMs, bodyTimeout: timeouts.idleMs }
    try {
      pool.dispatch({ ...options, ...times, ...SERVER_NAME, headers: headers as string[] }, this)
    } catch (error) {
      this.onResponseError(undefined, error as Error)
    }
  }

  abort(): void {
    this.aborted = true
    this.controller?.abort(ABORTED)
  }

  resume(): void {
    this.controller?.resume()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    this.timer?.cancel()
    if (this.aborted) controller.abort(ABORTED)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.aborted) return
    this.isHeard = true
    const headers = toText(controller.rawHeaders)
    // undici bounds their bytes alone.
    if (headers.length > MAX_RESPONSE_FIELDS * 2)
      controller.abort(new Error('too many header fields'))
    // undici refuses it only where the head says Upgrade.
    else if (status === 101) controller.abort(new Error('a switch of protocols'))
    else if (status < 200) this.sink.informed(status, headers)
    else this.sink.head(status, headers)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.aborted && !this.sink.data(chunk)) controller.pause()
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.finish()) this.sink.ended(toText(controller.rawTrailers))
  }

  onResponseError(_controller: unknown, error: Error & { code?: string }): void {
    if (this.isLost(error)) {
      this.isResent = true
      this.begin(this.ports.unkept)
    } else if (this.finish())
      this.sink.failed(toUpstreamFailure(error, this.controller !== undefined))
  }

  /** Whether it may be sent again. undici does not say whether a connection was kept, so the first on a new one counts too. */
  private isLost({ code }: Error & { code?: string }): boolean {
    const { controller, aborted, done, isHeard, isResent, request, sink } = this
    if (controller === undefined || aborted || done || isHeard || isResent) return false
    return LOST.includes(code) && isRepeatable(request) && this.ports.mayResend(sink)
  }

  /** True when the sink is still to hear of the end. */
  private finish(): boolean {
    if (this.done) return false
    this.done = true
    this.timer?.cancel()
    this.release()
    return !this.aborted
  }
}

/** Field lines as undici read them, one character a byte. */
function toText(raw: Dispatcher.DispatchController['rawHeaders']): RawHeaders {
  if (!Array.isArray(raw)) return []
  return raw.map((field) => (typeof field === 'string' ? field : field.toString('latin1')))
}
