// Carries requests that ask for an upgrade, each on a connection of its own that is never pooled: what follows a 101 belongs to its
// caller alone. Any other answer is an ordinary response.
import type { Socket } from 'node:net'
import type { Clock, Timer } from '../base/clock.ts'
import { connectionNamed, firstValue, type RawHeaders, singleValue } from '../http/headers.ts'
import { toWebSocketAccept, WEB_SOCKET } from '../http/upgrade.ts'
import type { ResponseSink, UpstreamCall, UpstreamRequest } from './dispatch.ts'
import { CLOSED, CUT, type Engine, type EngineSettings } from './engine.ts'
import type { UpstreamFailure } from './failure.ts'
import { openSocket } from './open-socket.ts'
import { toRequestHead } from './request-head.ts'
import type { ResponseHead } from './response-head.ts'
import { type ResponseEvents, ResponseReader } from './response-reader.ts'

export function createUpgradeEngine(settings: EngineSettings, clock: Clock): Engine {
  const calls = new Set<UpgradeCall>()
  let closing: PromiseWithResolvers<void> | undefined
  function settle(): void {
    if (calls.size === 0) closing?.resolve()
  }
  function close(): Promise<void> {
    closing ??= Promise.withResolvers()
    settle()
    return closing.promise
  }
  return {
    dispatch(request, sink, release) {
      const call = new UpgradeCall(request, sink, settings, clock, () => {
        calls.delete(call)
        release()
        settle()
      })
      calls.add(call)
      if (closing) call.fail(CLOSED)
      else call.begin()
      return call
    },
    close,
    destroy() {
      const closed = close()
      for (const call of [...calls]) call.fail(CUT)
      return closed
    },
  }
}

class UpgradeCall implements UpstreamCall, ResponseEvents {
  private readonly request: UpstreamRequest
  private readonly sink: ResponseSink
  private readonly settings: EngineSettings
  private readonly clock: Clock
  private readonly over: () => void
  private readonly reader = new ResponseReader(this)
  private socket: Socket | undefined
  private timer: Timer | undefined
  private isOver = false
  private isPaused = false
  private isConnected = false
  private isSwitched = false
  private problem = 'the upstream closed the connection'

  constructor(
    request: UpstreamRequest,
    sink: ResponseSink,
    settings: EngineSettings,
    clock: Clock,
    over: () => void,
  ) {
    this.request = request
    this.sink = sink
    this.settings = settings
    this.clock = clock
    this.over = over
  }

  begin(): void {
    const { connectMs } = this.settings
    const socket = openSocket(this.settings, this.settings.tls ?? {}, 'http/1.1', true)
    this.socket = socket
    this.expect(connectMs, { kind: 'unreachable', detail: `no connection within ${connectMs} ms` })
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => this.connected(socket))
    socket.on('data', (chunk: Buffer) => this.reader.read(chunk, chunk.length))
    socket.on('end', () => this.ended())
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.problem = error.message || String(error.code)
    })
    socket.on('close', () => this.ended())
  }

  abort(): void {
    this.finish()
    this.socket?.destroy()
  }

  resume(): void {
    if (!this.isPaused || this.isOver) return
    this.isPaused = false
    this.socket?.resume()
    this.expectBody()
  }

  fail(failure: UpstreamFailure): void {
    this.socket?.destroy()
    if (this.finish() && !this.isSwitched) this.sink.failed(failure)
  }

  informed({ status, headers }: ResponseHead): void {
    this.sink.informed(status, headers)
  }

  head({ status, headers }: ResponseHead): void {
    this.expectBody()
    this.sink.head(status, headers)
  }

  data(bytes: Buffer, from: number, to: number): void {
    if (this.isOver) return
    this.expectBody()
    if (this.sink.data(bytes.subarray(from, to)) || this.isOver) return
    this.isPaused = true
    this.timer?.cancel()
    this.socket?.pause()
  }

  complete(trailers: RawHeaders): void {
    this.socket?.destroy()
    if (this.finish()) this.sink.ended(trailers)
  }

  malformed(what: string): void {
    this.fail({ kind: 'protocol', detail: `malformed response: ${what}` })
  }

  switched({ headers, chunked, contentLength }: ResponseHead, early: Buffer): void {
    const { request, sink } = this
    const socket = this.socket as Socket
    const problem =
      chunked || contentLength !== -1 ? 'a 101 with a body' : findProblem(request, headers)
    if (problem !== undefined) {
      this.fail({ kind: 'protocol', detail: problem })
      return
    }
    this.isSwitched = true
    this.timer?.cancel()
    socket.pause().removeAllListeners('data').removeAllListeners('end').removeAllListeners('close')
    socket.on('close', () => this.finish())
    sink.switched?.(headers, socket, early)
  }

  private connected(socket: Socket): void {
    const { method, target, headers, body, upgrade = '' } = this.request
    this.isConnected = true
    const own = ['connection', 'Upgrade', 'upgrade', upgrade]
    const head = toRequestHead({ method, target, headers: [...headers, ...own], body })
    const { responseMs } = this.request.timeouts ?? this.settings
    this.expect(responseMs, { kind: 'timeout', detail: `no response within ${responseMs} ms` })
    this.reader.expect(method, true)
    socket.write(head.text, 'latin1')
  }

  private expect(ms: number, failure: UpstreamFailure): void {
    this.timer?.cancel()
    this.timer = this.clock.after(ms, () => this.fail(failure))
  }

  private expectBody(): void {
    const { idleMs } = this.request.timeouts ?? this.settings
    this.expect(idleMs, { kind: 'timeout', detail: `nothing of the body within ${idleMs} ms` })
  }

  /** The upstream sends nothing more. */
  private ended(): void {
    if (this.isOver) return
    if (this.reader.awaitsHead || !this.reader.end() || !this.isOver) {
      this.fail({ kind: this.isConnected ? 'protocol' : 'unreachable', detail: this.problem })
    }
  }

  /** True when the sink is still to hear how it ended. */
  private finish(): boolean {
    if (this.isOver) return false
    this.isOver = true
    this.timer?.cancel()
    this.reader.stop()
    this.over()
    return true
  }
}

/** Why a 101 is not the answer to what was asked. */
function findProblem(request: UpstreamRequest, headers: RawHeaders): string | undefined {
  const protocol = singleValue(headers, 'upgrade')
  if (protocol?.toLowerCase() !== request.upgrade || !connectionNamed(headers).has('upgrade')) {
    return 'a 101 to another protocol than was asked for'
  }
  if (protocol?.toLowerCase() !== WEB_SOCKET) return undefined
  const key = firstValue(request.headers, 'sec-websocket-key') ?? ''
  const isAccepted = singleValue(headers, 'sec-websocket-accept') === toWebSocketAccept(key)
  return isAccepted ? undefined : 'Sec-WebSocket-Accept is not the answer to the key'
}
