// The engine for HTTP/2 targets: a few sessions that many requests share, and a queue where there are too few streams.
// A request that its upstream says it did not process goes to another session; nothing else is ever sent twice.
import type { Clock } from '../base/clock.ts'
import {
  CLOSED,
  CUT,
  type Engine,
  type EngineSettings,
  OVERLOADED,
  toQueuedTooLong,
} from './engine.ts'
import type { UpstreamFailure } from './failure.ts'
import { type CallOwner, Http2Call } from './http2-call.ts'
import { Http2Session, MAX_STREAMS, type SessionOwner } from './http2-session.ts'
import { isTls, openSocket } from './open-socket.ts'
import { createSweep, type Waiting } from './sweep.ts'

/** An upstream that ends every session at once is not asked for ever. */
const MAX_LOST_SESSIONS = 4
const ALWAYS_LOST: UpstreamFailure = {
  kind: 'unreachable',
  detail: 'the upstream does not process requests',
}

export function createHttp2Engine(settings: EngineSettings, clock: Clock): Engine {
  const { connectMs, responseMs, idleMs, keepAliveMs, queueMs } = settings
  const sweep = createSweep<Waiting>(
    Math.min(connectMs, responseMs, idleMs, keepAliveMs, queueMs),
    clock,
  )
  const sessions = new Set<Http2Session>()
  const waiting: Http2Call[] = []
  const all = new Set<Http2Call>()
  let closing: PromiseWithResolvers<void> | undefined

  const sessionOwner: SessionOwner = {
    settings,
    scheme: isTls(settings.target) ? 'https' : 'http',
    connect: () => openSocket(settings, settings.tls ?? {}, 'h2'),
    dueTick: sweep.dueTick,
    freed: serve,
    retired: connectAsNeeded,
    closed(session, failure) {
      sessions.delete(session)
      sweep.remove(session)
      // Whoever waits for another session may go on waiting for that.
      if (failure !== undefined && sessions.size === 0)
        for (const call of waiting.splice(0)) call.fail(failure)
      connectAsNeeded()
      settle()
    },
  }
  const callOwner: CallOwner = {
    settings,
    dueTick: sweep.dueTick,
    ended(call) {
      all.delete(call)
      sweep.remove(call)
      const place = waiting.indexOf(call)
      if (place !== -1) waiting.splice(place, 1)
      settle()
    },
    waitedLong(call) {
      // A session that is being made has its own time.
      if (isConnecting()) call.wait()
      else call.fail(toQueuedTooLong(queueMs))
    },
    returned(call) {
      if (call.lostSessions < MAX_LOST_SESSIONS) take(call)
      else call.fail(ALWAYS_LOST)
    },
  }

  function serve(): void {
    for (const session of sessions) {
      while (session.hasRoom && waiting.length > 0) session.begin(waiting.shift() as Http2Call)
    }
    connectAsNeeded()
  }

  /** One session at a time is made, when all others are full. */
  function connectAsNeeded(): void {
    if (waiting.length === 0 || sessions.size >= settings.connections || isConnecting()) return
    const session = new Http2Session(sessionOwner)
    sessions.add(session)
    sweep.add(session)
  }

  function isConnecting(): boolean {
    for (const session of sessions) if (session.connecting) return true
    return false
  }

  function take(call: Http2Call): void {
    const mayWait = settings.queue + (sessions.size === 0 || isConnecting() ? MAX_STREAMS : 0)
    for (const session of sessions) {
      if (session.hasRoom) {
        session.begin(call)
        return
      }
    }
    if (waiting.length >= mayWait) call.fail(OVERLOADED)
    else {
      waiting.push(call)
      call.wait()
      connectAsNeeded()
    }
  }

  function settle(): void {
    if (sessions.size === 0 && all.size === 0) closing?.resolve()
  }

  function close(): Promise<void> {
    closing ??= Promise.withResolvers()
    if (waiting.length === 0) for (const session of [...sessions]) session.retire()
    settle()
    return closing.promise
  }

  return {
    dispatch(request, sink, release) {
      const call = new Http2Call(request, sink, release, callOwner)
      if (closing) {
        call.fail(CLOSED)
        return call
      }
      all.add(call)
      sweep.add(call)
      take(call)
      return call
    },
    close,
    destroy() {
      const closed = close()
      for (const call of [...all]) call.fail(CUT)
      for (const session of [...sessions]) session.fail(CUT)
      settle()
      return closed
    },
  }
}
