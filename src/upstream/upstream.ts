// A configured upstream: where allowed requests go. Nothing is dispatched without an Allow, and nothing is ever sent twice.
import type { Clock } from '../base/clock.ts'
import type { Allow } from '../policy/decision.ts'
import type { ResponseSink, UpstreamCall, UpstreamRequest } from './dispatch.ts'
import type { EngineSettings } from './engine.ts'
import type { UpstreamFailure } from './failure.ts'
import { createLeanEngine } from './lean-engine.ts'
import { createUndiciEngine } from './undici-engine.ts'

export interface UpstreamSettings extends EngineSettings {
  readonly name: string
  /** Plain http alone can be lean; everything else goes through undici. */
  readonly engine: 'lean' | 'undici'
  /** Requests that may wait for a connection; beyond, `overloaded`. */
  readonly queue: number
}

export interface Upstream {
  readonly name: string
  dispatch(allow: Allow, request: UpstreamRequest, sink: ResponseSink): UpstreamCall
  /** Takes no more requests and ends once those under way have. */
  close(): Promise<void>
  /** Ends every connection, whatever is under way. */
  destroy(): Promise<void>
}

const OVERLOADED: UpstreamFailure = {
  kind: 'overloaded',
  detail: 'all connections and queue places taken',
}

export function createUpstream(settings: UpstreamSettings, clock: Clock): Upstream {
  const isLean = settings.engine === 'lean' && settings.target.startsWith('http:')
  const engine = isLean ? createLeanEngine(settings, clock) : createUndiciEngine(settings)
  const capacity = settings.connections + settings.queue
  let active = 0
  const release = () => {
    active--
  }
  return {
    name: settings.name,
    dispatch(_allow, request, sink) {
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

const NO_CALL: UpstreamCall = { abort: () => undefined, resume: () => undefined }
