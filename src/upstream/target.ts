// One target of an upstream: the engine that speaks to it, and the places that it has. Nothing is dispatched beyond them.
import type { Clock } from '../base/clock.ts'
import { hashText } from '../base/text.ts'
import { NO_CALL, type ResponseSink, type UpstreamCall, type UpstreamRequest } from './dispatch.ts'
import type { EngineSettings } from './engine.ts'
import type { UpstreamFailure } from './failure.ts'
import { createLeanEngine } from './lean-engine.ts'
import { createUndiciEngine } from './undici-engine.ts'

export interface TargetSettings extends EngineSettings {
  /** Plain http alone can be lean; everything else goes through undici. */
  readonly engine: 'lean' | 'undici'
  /** Requests that may wait for a connection; beyond, `overloaded`. */
  readonly queue: number
}

export interface Target {
  /** Scheme, host and port. */
  readonly origin: string
  /** Of the origin, 30 bits. */
  readonly hash: number
  /** Requests that it has at present, those that wait for a connection included. */
  active(): number
  dispatch(request: UpstreamRequest, sink: ResponseSink): UpstreamCall
  /** Takes no more requests and ends once those under way have. */
  close(): Promise<void>
  /** Ends every connection, whatever is under way. */
  destroy(): Promise<void>
}

const OVERLOADED: UpstreamFailure = {
  kind: 'overloaded',
  detail: 'all connections and queue places taken',
}

export function createTarget(settings: TargetSettings, clock: Clock): Target {
  const isLean = settings.engine === 'lean' && settings.target.startsWith('http:')
  const engine = isLean ? createLeanEngine(settings, clock) : createUndiciEngine(settings)
  const capacity = settings.connections + settings.queue
  let active = 0
  const release = () => {
    active--
  }
  return {
    origin: settings.target,
    hash: hashText(settings.target),
    active: () => active,
    dispatch(request, sink) {
      if (active >= capacity) {
        sink.failed(OVERLOADED)
        return NO_CALL
      }
      active++
      return engine.dispatch(request, sink, release)
    },
    close: engine.close,
    destroy: engine.destroy,
  }
}
