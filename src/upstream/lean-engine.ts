// Poolgate's own HTTP/1.1 engine for plain-http upstreams: a stack of kept connections, and a queue where there are too few.
// Sends a request twice only where its kept connection was closed on it, and never a second one on a connection before the first is over.
import type { Readable } from 'node:stream'
import type { Clock } from '../base/clock.ts'
import { createTurnEnd } from '../base/turn-end.ts'
import {
  CLOSED,
  CUT,
  type Engine,
  type EngineSettings,
  type MayResend,
  NEVER_RESENT,
  toQueuedTooLong,
} from './engine.ts'
import type { UpstreamFailure } from './failure.ts'
import { LeanCall } from './lean-call.ts'
import { type ConnectionOwner, LeanConnection } from './lean-connection.ts'
import { toAddress } from './open-socket.ts'
import { isRepeatable } from './repeatable.ts'
import { createSweep, NEVER } from './sweep.ts'

const LARGE_BUFFER = 128 * 1024
/** Large buffers that wait for the next long body. */
const MAX_SPARE_BUFFERS = 8

/** Of the time that an upstream was seen to keep an idle connection, how much it surely keeps another one for. */
const SURE_SHARE = 0.9

/** An upstream that ends every connection at once is not asked for ever. */
const MAX_LOST_CONNECTIONS = 4
const ALWAYS_LOST: UpstreamFailure = {
  kind: 'unreachable',
  detail: 'the upstream closes its connections at once',
}

export function createLeanEngine(
  settings: EngineSettings,
  clock: Clock,
  mayResend: MayResend = NEVER_RESENT,
): Engine {
  const { connectMs, responseMs, idleMs, keepAliveMs, queueMs } = settings
  const shortestMs = Math.min(connectMs, responseMs, idleMs, keepAliveMs, queueMs)
  const sweep = createSweep<LeanConnection>(shortestMs, clock, expireQueue)
  const connections = sweep.items
  const idle: LeanConnection[] = []
  let resting: LeanConnection[] = []
  let rested: LeanConnection[] = []
  const waiting: LeanCall[] = []
  const spare: Buffer[] = []
  /** As many ticks an idle connection may rest before the upstream might be about to close it. */
  let sureTicks = NEVER
  let connecting = 0
  /** Requests of whose body nothing has come yet. */
  let awaited = 0
  let closing: PromiseWithResolvers<void> | undefined
  let isDestroyed = false

  const owner: ConnectionOwner = {
    address: toAddress(settings.target),
    settings,
    returned(call) {
      if (++call.lostConnections < MAX_LOST_CONNECTIONS) take(call)
      else call.fail(ALWAYS_LOST)
    },
    unanswered(call) {
      if (call.isResent || !isRepeatable(call.request) || !mayResend(call.sink)) return false
      call.isResent = true
      call.connection = undefined
      call.due = sweep.dueTick(queueMs)
      waiting.unshift(call)
      return true
    },
    putOff: createTurnEnd(),
    dueTick: sweep.dueTick,
    takeBuffer: () => spare.pop() ?? Buffer.allocUnsafeSlow(LARGE_BUFFER),
    giveBuffer: (buffer) => {
      if (spare.length < MAX_SPARE_BUFFERS) spare.push(buffer)
    },
    connected(connection) {
      connecting--
      offer(connection)
    },
    idled(ticks) {
      // A tick less, for none of them is counted from its beginning.
      sureTicks = ticks * SURE_SHARE - 1
    },
    freed(connection) {
      if (resting.length === 0 && rested.length === 0) setImmediate(turn)
      resting.push(connection)
    },
    closed(connection, unreachable) {
      sweep.remove(connection)
      const place = idle.indexOf(connection)
      if (place !== -1) idle.splice(place, 1)
      if (unreachable !== undefined) {
        connecting--
        waiting.shift()?.fail({ kind: 'unreachable', detail: unreachable })
      }
      connectAsNeeded()
      settle()
    },
  }

  function offer(connection: LeanConnection): void {
    const next = takeNext(connection)
    if (next) connection.begin(next)
    else if (closing) connection.close(CLOSED.detail)
    else idle.push(connection)
  }

  /** What was lost with a kept connection is not entrusted to another one of them. */
  function takeNext({ isKept }: LeanConnection): LeanCall | undefined {
    if (!isKept || !waiting[0]?.isResent) return waiting.shift()
    const place = waiting.findIndex(({ isResent }) => !isResent)
    return place === -1 ? undefined : waiting.splice(place, 1)[0]
  }

  /** Connections rest for a whole turn of the event loop: it shows which upstreams close what they said they would keep. */
  function turn(): void {
    const ready = rested
    rested = resting
    resting = []
    for (const connection of ready) if (connections.has(connection)) offer(connection)
    if (rested.length > 0) setImmediate(turn)
  }

  /** One connection is made for each request that waits, as far as there may be more. */
  function connectAsNeeded(): void {
    while (connecting < waiting.length && connections.size < settings.connections) {
      connecting++
      sweep.add(new LeanConnection(owner))
    }
  }

  /** For each of the first ones a connection is being made, which has its own time. */
  function expireQueue(tick: number): void {
    while ((waiting[connecting]?.due ?? NEVER) <= tick)
      waiting.splice(connecting, 1)[0]?.fail(toQueuedTooLong(queueMs))
    settle()
  }

  function settle(): void {
    const isWaited = connections.size > 0 || waiting.length > 0 || (awaited > 0 && !isDestroyed)
    if (!isWaited) closing?.resolve()
  }

  function leaveQueue(call: LeanCall): void {
    const place = waiting.indexOf(call)
    if (place !== -1) waiting.splice(place, 1)
    settle()
  }

  function close(): Promise<void> {
    closing ??= Promise.withResolvers()
    for (const connection of [...idle, ...resting, ...rested]) connection.close(CLOSED.detail)
    settle()
    return closing.promise
  }

  /** The youngest is the last: where the upstream might be about to close that one, it might be with all of them. */
  function takeIdle({ request }: LeanCall): LeanConnection | undefined {
    const youngest = idle.at(-1)
    if (youngest === undefined) return undefined
    const isFit = youngest.restTicks < sureTicks || isRepeatable(request)
    return isFit ? idle.pop() : undefined
  }

  /** What was dispatched before the end may still take a connection. */
  function take(call: LeanCall): void {
    if (call.over) return
    const connection = takeIdle(call)
    if (isDestroyed) call.fail(CLOSED)
    else if (connection) connection.begin(call)
    else {
      call.due = sweep.dueTick(queueMs)
      waiting.push(call)
      if (connections.size === settings.connections) idle[0]?.close('its place is needed')
      connectAsNeeded()
    }
  }

  return {
    dispatch(request, sink, release) {
      const call = new LeanCall(request, sink, release, leaveQueue)
      if (closing) call.fail(CLOSED)
      else if (request.body === null) take(call)
      else {
        awaited++
        awaitBody(request.body, () => {
          awaited--
          take(call)
          settle()
        })
      }
      return call
    },
    close,
    destroy() {
      isDestroyed = true
      const closed = close()
      for (const call of waiting.splice(0)) call.fail(CLOSED)
      for (const connection of [...connections]) connection.fail(CUT)
      settle()
      return closed
    },
  }
}

/**
 * A connection is taken when the first byte is there, or the failure of the body: until then the client might take its time. A turn
 * later, so that a body that was malformed in its first bytes is never sent.
 */
function awaitBody(body: Readable, run: () => void): void {
  const begin = () => {
    body.off('readable', begin).off('close', begin)
    setImmediate(run)
  }
  body.on('error', () => undefined)
  body.on('readable', begin).on('close', begin)
}
